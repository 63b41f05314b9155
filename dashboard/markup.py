"""HTML written by Python, where a template is measurably too slow: rows of long lists, lanes, drawings.

A piece of HTML is a `Markup`: literal text with gaps. Whatever fills a gap is escaped, unless it is HTML that a piece
wrote, so that no value can become markup. Everywhere else HTML stands in templates.
"""

import re
from collections.abc import Iterable
from html import escape

from django.utils.safestring import SafeString

_marked = re.compile("[&<>\"']").search


class Markup:
    """HTML with a gap at each `{}`: `CELL = Markup('<td class="{}">{}</td>')`, then `CELL("r", value)`.

    The text is a literal of the program. A number of values other than that of the gaps is a TypeError.
    """

    def __init__(self, text: str) -> None:
        self._text = text.replace("%", "%%").replace("{}", "%s")

    def __call__(self, *values: object) -> SafeString:
        """Return the HTML with its gaps filled."""
        return SafeString(self._text % tuple([_escaped(value) for value in values]))


def joined(parts: Iterable[object]) -> SafeString:
    """Return pieces of HTML one after the other; a text among them is escaped."""
    return SafeString("".join([_escaped(part) for part in parts]))


def _escaped(value: object) -> str:
    if isinstance(value, SafeString):
        return value
    # A lazy text is what it says.
    text = value if isinstance(value, str) else str(value)
    return escape(text) if _marked(text) else text
