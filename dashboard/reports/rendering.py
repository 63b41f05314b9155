"""From a document to the bytes of its PDF: in this process, by Typst, without a file of ours on disk.

Text reaches Typst as data (`sys.inputs`, read by `json`), never as markup, so nothing in a name can become a command.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from threading import Lock
from typing import Any, Final

import typst
from django.conf import settings
from django.utils.translation import gettext as _

from dashboard.isolation import isolated_in
from dashboard.reports.blocks import BREAK
from dashboard.reports.fonts import FAMILIES, MissingFontsError, displayable, fonts

TEMPLATES = settings.BASE_DIR / "templates" / "pdf"
# PDF/UA-1: tagged, with a title and a language, everything readable aloud; what cannot be is refused.
STANDARD: Final = "ua-1"
# One page at a time through the compiler: it keeps what it laid out before, and serves it again.
_rendering = Lock()


class RenderingError(Exception):
    """A report that could not be made; the message is a sentence to show, the cause is for the log."""


@dataclass(frozen=True)
class Rendered:
    """A PDF, the SHA-256 of the data it shows, and what to call it."""

    content: bytes
    data_hash: str
    file_name: str


def data_hash(data: Any) -> str:
    """Return the SHA-256 of data: its JSON with keys in order, no blanks between tokens, in UTF-8."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def short_hash(full: str) -> str:
    """Return the first 16 digits of a hash in groups of four, as a footer shows them."""
    return " ".join(full[place : place + 4] for place in range(0, 16, 4))


def render(template: str, data: dict[str, Any], *, at: datetime) -> bytes:
    """Return the PDF of a template and its data, created "at" a moment: the same bytes for the same of all three.

    RenderingError when Typst refuses, or its fonts are missing.
    """
    try:
        text = json.dumps(displayable(isolated_in(data, keep=BREAK)), ensure_ascii=False)
        with _rendering:
            found = _compiler().compile(
                input=str(TEMPLATES / f"{template}.typ"),
                format="pdf",
                pdf_standards=STANDARD,
                sys_inputs={"data": text, "families": json.dumps(FAMILIES)},
                timestamp=int(at.timestamp()),
            )
    except typst.TypstError as error:
        raise RenderingError(_("The report could not be set: %(reason)s.") % {"reason": error.message}) from error
    except MissingFontsError as error:
        raise RenderingError(str(error)) from error
    if not isinstance(found, bytes):
        raise RenderingError(_("The report could not be set: it has no pages."))
    return found


@cache
def _compiler() -> typst.Compiler:
    return typst.Compiler(root=str(TEMPLATES), font_paths=fonts(), ignore_system_fonts=True)


def can_draw(svg: str) -> bool:
    """Return whether Typst can draw an SVG; it reads no file that one might name."""
    try:
        with _rendering:
            _compiler().compile(
                input=b'#image(bytes(sys.inputs.svg), format: "svg", width: 10mm)',
                format="png",
                sys_inputs={"svg": svg},
            )
    except typst.TypstError:
        return False
    return True
