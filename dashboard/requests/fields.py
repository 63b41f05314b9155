"""Single values of an address: an id, a word, words looked for."""

from typing import Any

from django.core.exceptions import BadRequest

from dashboard.scoped_request import ScopedRequest

_LARGEST_KEY = 2**63


def id_in(request: ScopedRequest, name: str) -> int | None:
    """Return the id that a parameter of the address names, None for none. BadRequest for what cannot be one."""
    text = request.GET.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 20 and int(text) < _LARGEST_KEY):
        raise BadRequest(f"{name} is a number")
    return int(text)


def word_in(request: ScopedRequest, name: str, words: Any) -> str:
    """Return the word that a parameter of the address names, empty for none. BadRequest for another than these."""
    text: str = request.GET.get(name, "")
    if text and text not in words:
        raise BadRequest(f"{name} is not one of its words")
    return text


def search_in(request: ScopedRequest) -> str:
    """Return the name, of things and not of people, that the address searches for, without blanks at its ends.

    BadRequest for more than anybody types.
    """
    text: str = request.GET.get("name", "").strip()
    if len(text) > 100 or "\x00" in text:
        raise BadRequest("name is too long")
    return text
