"""From a document to the bytes of its PDF: by Typst (`typesetting`), without a file of ours on disk.

Text reaches Typst as data (`sys.inputs`, read by `json`), never as markup, so nothing in a name can become a command.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext as _

from dashboard.files.errors import NotMadeError
from dashboard.isolation import isolated_in
from dashboard.reports.blocks import BREAK
from dashboard.reports.fonts import FAMILIES, displayable
from dashboard.reports.fonts_installed import MissingFontsError
from dashboard.reports.typesetting import DRAWING, TEMPLATES, LimitError, TypesettingError, compiled, turn

# PDF/UA-1: tagged, with a title and a language, everything readable aloud; what cannot be is refused.
STANDARD: Final = "ua-1"


class RenderingError(NotMadeError):
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

    RenderingError when Typst refuses or takes too long, or its fonts are missing.
    """
    try:
        with turn():
            text = json.dumps(displayable(isolated_in(data, keep=BREAK)), ensure_ascii=False)
            found = compiled(
                input=str(TEMPLATES / f"{template}.typ"),
                format="pdf",
                pdf_standards=STANDARD,
                sys_inputs={"data": text, "families": json.dumps(FAMILIES)},
                timestamp=int(at.timestamp()),
            )
    except TypesettingError as error:
        reason = str(error).rstrip(".")
        raise RenderingError(_("The report could not be set: %(reason)s.") % {"reason": reason}) from error
    except LimitError as error:
        raise RenderingError(_("The report could not be set. %(reason)s") % {"reason": error}) from error
    except MissingFontsError as error:
        raise RenderingError(str(error)) from error
    if not found:
        raise RenderingError(_("The report could not be set: it has no pages."))
    return found


def draw_logo(svg: str) -> None:
    """Have Typst draw an SVG; it reads no file that one might name. RenderingError where it cannot, or not at once."""
    try:
        with turn(DRAWING):
            compiled(
                source=b'#image(bytes(sys.inputs.svg), format: "svg", width: 10mm)',
                format="png",
                sys_inputs={"svg": svg},
            )
    except TypesettingError as error:
        raise RenderingError(_("The logo cannot be drawn: save it anew as SVG or PNG.")) from error
    except LimitError as error:
        raise RenderingError(_("The logo cannot be drawn. %(reason)s") % {"reason": error}) from error
    except MissingFontsError as error:
        raise RenderingError(str(error)) from error
