"""Lets Django's static files hold one style sheet beside the many it is written in.

A browser draws nothing before it has every style sheet: one request for all of them is quicker than forty. Their order
is that of `templates/components/styles.html`; the sheet is written anew whenever one of them has changed.
"""

import os
import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.contrib.staticfiles.utils import matches_patterns
from django.core.files.storage import FileSystemStorage

NAME = "css/rollcall.css"
ORDER = settings.BASE_DIR / "templates" / "components" / "styles.html"
_NAMED = re.compile(r"{% static '(css/[\w.-]+\.css)' %}")


class StylesFinder(BaseFinder):
    """Finds `css/rollcall.css`."""

    @cached_property
    def storage(self) -> FileSystemStorage:
        """Where the sheet is."""
        return FileSystemStorage(location=settings.VAR_DIR / "styles")

    def check(self, **kwargs: Any) -> list[Any]:
        """Return no problems: there is nothing to configure."""
        return []

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        """Return where the sheet is; nothing for any other path."""
        if path != NAME:
            return []
        found = str(write(Path(self.storage.path(NAME))))
        return [found] if find_all else found

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, FileSystemStorage]]:
        """Yield the sheet."""
        if not matches_patterns(NAME, list(ignore_patterns or ())):
            write(Path(self.storage.path(NAME)))
            yield NAME, self.storage


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
