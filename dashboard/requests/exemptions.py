"""Filter of the list of exemptions."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import pgettext_lazy

from dashboard.models import Exemption
from dashboard.queries import exemptions as queries

State = Exemption.State
EXPIRING = "expiring"

ALL = "all"
# The tabs, in the order in which they want attention. A tab without a name in the address is the first that has rows.
TABS: tuple[tuple[str, Any], ...] = (
    (State.REQUESTED.value, pgettext_lazy("exemptions", "Waiting")),
    (State.ACTIVE.value, pgettext_lazy("exemptions", "Active")),
    (EXPIRING, pgettext_lazy("exemptions", "Ending soon")),
    (State.APPROVED.value, pgettext_lazy("exemptions", "Not begun")),
    (State.EXPIRED.value, pgettext_lazy("exemptions", "Expired")),
    (State.ENDED.value, pgettext_lazy("exemptions", "Ended")),
    (State.REJECTED.value, pgettext_lazy("exemptions", "Rejected")),
    (ALL, pgettext_lazy("exemptions", "All")),
)


def first_tab(tallied: Mapping[str, int]) -> str:
    """Return the tab that an address without one means: the first that has rows."""
    return next((name for name, _label in TABS if tallied.get(name)), State.REQUESTED.value)


def of_tab(found: QuerySet[Any], tab: str, at: datetime) -> QuerySet[Any]:
    """Return those of the exemptions that a tab holds, in its order."""
    rows = found.select_related("person__department", "group", "campaign", "requested_by")
    if tab == EXPIRING:
        return queries.by_end(rows.filter(queries.expiring(at)))
    if tab == ALL:
        return rows
    rows = rows.filter(standing=tab)
    return queries.by_end(rows) if tab in {State.ACTIVE, State.APPROVED} else rows
