"""Lets Django's static files hold one style sheet beside the many it is written in.

A browser draws nothing before it has every style sheet: one request for all of them is quicker than forty. Their order
is that of `templates/components/styles.html`; the sheet is written anew whenever one of them has changed.
"""

import os
import re
from pathlib import Path

from django.conf import settings

from dashboard.generated_files import GeneratedFilesFinder

NAME = "css/rollcall.css"
ORDER = settings.BASE_DIR / "templates" / "components" / "styles.html"
_NAMED = re.compile(r"{% static '(css/[\w.-]+\.css)' %}")


class StylesFinder(GeneratedFilesFinder):
    """Finds `css/rollcall.css`."""

    names = (NAME,)

    def folder(self) -> Path:
        """Return the folder that holds the sheet, written anew when a part has changed."""
        folder = settings.VAR_DIR / "styles"
        write(folder / NAME)
        return folder


def sheets() -> list[Path]:
    """Return the style sheets in their order."""
    return [settings.BASE_DIR / "static" / name for name in _NAMED.findall(ORDER.read_text())]


def write(path: Path) -> Path:
    """Write the sheet unless it is newer than all it is made of; return its path. Other processes may do the same."""
    parts = sheets()
    newest = max(part.stat().st_mtime for part in [*parts, ORDER])
    if not path.exists() or path.stat().st_mtime <= newest:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(f".{os.getpid()}")
        beside.write_text("\n".join(part.read_text() for part in parts))
        beside.replace(path)
    return path
