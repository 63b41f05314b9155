"""Filter and order of a list of people."""

from dataclasses import replace
from enum import StrEnum
from typing import TypeVar

from django.core.exceptions import BadRequest
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from dashboard.queries.people import Sort, Status, StatusGroup, Wanted
from dashboard.requests.searches import searched

_Word = TypeVar("_Word", bound=StrEnum)
STATUSES = {
    Status.ACTIVE: gettext_lazy("Active"),
    Status.LEFT: gettext_lazy("Left"),
    Status.ANY: gettext_lazy("Active and left"),
}

STATUS_GROUPS = {
    StatusGroup.PAST_DUE: gettext_lazy("Past due"),
    StatusGroup.COMPLIANT: gettext_lazy("Compliant"),
    StatusGroup.NOTHING: gettext_lazy("Nothing assigned"),
}


def wanted_in(request: HttpRequest) -> Wanted:
    status = _word(request, "status", Status) or Status.ACTIVE
    search = searched(request)
    wanted = Wanted.typed(search.text, status, _word(request, "standing", StatusGroup))
    return replace(wanted, is_nobody=search.is_lost)


def _word(request: HttpRequest, name: str, words: type[_Word]) -> _Word | None:
    text = request.GET.get(name, "")
    try:
        return words(text) if text else None
    except ValueError:
        raise BadRequest(f"{name} is not one of its words") from None


def sort_in(request: HttpRequest) -> tuple[Sort, bool]:
    """Read the order: a column's name, with a minus for descending."""
    text = request.GET.get("sort", "")
    try:
        return Sort(text.removeprefix("-") or Sort.PERSON), text.startswith("-")
    except ValueError:
        raise BadRequest("sort is not one of the columns") from None
