"""Grouping, order and choice of the people past due."""

from dataclasses import dataclass

from django.core.exceptions import BadRequest
from django.http import QueryDict
from django.utils.translation import gettext_lazy

from dashboard.figures.selection import By, Filters
from dashboard.metrics import Age
from dashboard.queries.past_due import Sort

NOT_GROUPED = "none"

# A page selects no more people than this; addresses of a whole list are cut at so many.
MOST_CHOSEN, MOST_ADDRESSES = 500, 5_000
GROUPINGS = {
    NOT_GROUPED: gettext_lazy("Person"),
    By.DEPARTMENT.value: gettext_lazy("Department"),
    By.MANAGER.value: gettext_lazy("Manager"),
    By.CAMPAIGN.value: gettext_lazy("Campaign"),
}

# What each order starts with when it is chosen anew: names from A, the rest from the most.
STARTS_DESCENDING = {Sort.DAYS, Sort.ITEMS, Sort.ACTIVITY}


@dataclass(frozen=True)
class View:
    """View of the list: grouped by what (None: not at all), in which order, of which ages."""

    by: By | None
    sort: Sort
    is_descending: bool
    ages: frozenset[Age]
    page: int


def view_of(query: QueryDict, filters: Filters) -> View:
    """Read how the list is asked for. BadRequest for a word that is none."""
    singled_out = bool(filters.departments or filters.campaigns or filters.manager is not None)
    by = query.get("by") or (NOT_GROUPED if singled_out else By.DEPARTMENT.value)
    order = query.get("order") or ""
    try:
        sort = Sort(query.get("sort") or Sort.DAYS)
        ages = frozenset(Age(text) for text in query.getlist("age") if text)
        page = int(query.get("page") or 1)
    except ValueError:
        raise BadRequest("sort, age or page is not one of its words") from None
    if by not in GROUPINGS or order not in {"", "asc", "desc"} or not 0 < page < 1_000_000:
        raise BadRequest("by, order or page is not one of its words")
    grouping = None if by == NOT_GROUPED else By(by)
    if grouping and sort not in {Sort.DAYS, Sort.ITEMS}:
        sort, order = Sort.DAYS, ""  # groups are ordered by figures alone
    return View(grouping, sort, order == "desc" if order else sort in STARTS_DESCENDING, ages, page)


def people_asked_for(query: QueryDict) -> frozenset[int]:
    texts = query.getlist("person")
    if len(texts) > MOST_CHOSEN or not all(text.isdecimal() and len(text) < 19 for text in texts):
        raise BadRequest("person is not a list of ids")
    return frozenset(map(int, texts))
