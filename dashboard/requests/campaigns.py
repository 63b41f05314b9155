"""Filter and order of the list of campaigns."""

from django.core.exceptions import BadRequest

from dashboard.access import ScopedRequest
from dashboard.metrics import Requirement
from dashboard.queries.campaigns import Sort

LONGEST_NAME = 100


def sort_in(request: ScopedRequest) -> tuple[Sort, bool]:
    """Return what the address sorts by, and whether downwards ("-completion"). BadRequest for any other word."""
    text = request.GET.get("sort") or Sort.STATE
    try:
        return Sort(text.removeprefix("-")), text.startswith("-")
    except ValueError:
        raise BadRequest("sort is not one of the columns") from None


def requirement_in(request: ScopedRequest) -> frozenset[str]:
    text = request.GET.get("requirement", "")
    if text and text not in Requirement.values:
        raise BadRequest("requirement is required, optional or excluded")
    return frozenset({text} if text else ())
