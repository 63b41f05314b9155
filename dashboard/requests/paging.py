"""Page of a list in its address: `page=2`."""

from typing import Any

from django.core.exceptions import BadRequest
from django.core.paginator import Page, Paginator
from django.http import QueryDict

_MOST = 1_000_000


def number_in(query: QueryDict, name: str = "page") -> int:
    """Return the number of the page, from 1 on; the first if none is asked for. BadRequest for what is no number."""
    text = query.get(name) or "1"
    if not (text.isascii() and text.isdecimal() and len(text) < len(str(_MOST)) and int(text)):
        raise BadRequest(f"{name} is a number from 1 on")
    return int(text)


def page_of(query: QueryDict, rows: Any, size: int, name: str = "page", *, count: int | None = None) -> Page[Any]:
    """Return the page of rows that an address asks for; the last one for a number beyond it, for lists grow shorter.

    `count` spares asking again how many there are.
    """
    paginator = Paginator(rows, size)
    if count is not None:
        paginator.count = count
    return paginator.get_page(number_in(query, name))
