"""Grouping, order and choice of the people past due."""

from dataclasses import dataclass

from django.core.exceptions import BadRequest
from django.http import QueryDict
from django.utils.translation import gettext_lazy

from dashboard.figures.selection import By, Filters
from dashboard.metrics import Age
from dashboard.queries.past_due import Sort
from dashboard.requests.paging import number_in
from dashboard.requests.sorting import Order, order_in

NOT_GROUPED = "none"

# A page selects no more people than this; addresses of a whole list are cut at so many.
MOST_CHOSEN, MOST_ADDRESSES = 500, 5_000
GROUPINGS = {
    NOT_GROUPED: gettext_lazy("Person"),
    By.DEPARTMENT.value: gettext_lazy("Department"),
    By.MANAGER.value: gettext_lazy("Manager"),
    By.CAMPAIGN.value: gettext_lazy("Campaign"),
}

_USUAL = Order(Sort.DAYS, is_descending=True)
# Groups are ordered by figures alone.
OF_GROUPS = frozenset({Sort.DAYS, Sort.ITEMS})


@dataclass(frozen=True)
class View:
    """View of the list: grouped by what (None: not at all), in which order, of which ages."""

    by: By | None
    order: Order[Sort]
    ages: frozenset[Age]
    page: int


def view_of(query: QueryDict, filters: Filters) -> View:
    """Read how the list is asked for. BadRequest for a word that is none."""
    singled_out = bool(filters.departments or filters.campaigns or filters.manager is not None)
    by = query.get("by") or (NOT_GROUPED if singled_out else By.DEPARTMENT.value)
    try:
        ages = frozenset(Age(text) for text in query.getlist("age") if text)
    except ValueError:
        raise BadRequest("age is not one of its words") from None
    if by not in GROUPINGS:
        raise BadRequest("by is not one of its words")
    grouping = None if by == NOT_GROUPED else By(by)
    order = order_in(query, _USUAL)
    if grouping and order.by not in OF_GROUPS:
        order = _USUAL
    return View(grouping, order, ages, number_in(query))


def people_asked_for(query: QueryDict) -> frozenset[int]:
    texts = query.getlist("person")
    if len(texts) > MOST_CHOSEN or not all(text.isdecimal() and len(text) < 19 for text in texts):
        raise BadRequest("person is not a list of ids")
    return frozenset(map(int, texts))
