"""Filters and basis of an address, read from its query and written into links again.

`?department=3&department=7&manager=12&direct=1&campaign=5&campaign_state=active&type=Policy&trigger=new_hire&group=4
&state=past_due&basis=then`. Departments, managers, campaigns and groups are ours by id; 0 is "none". The day that
figures are computed for (`as_of`) is read by the middleware: every page knows it.
"""

from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import BadRequest
from django.db.models import TextChoices
from django.http import QueryDict

from dashboard.figures.selection import Basis, Filters
from dashboard.merged_departments import counted_as
from dashboard.metrics import CampaignState, State
from dashboard.models import Trigger
from dashboard.scoped_request import ScopedRequest
from sync.models.training import ContentType

_MOST_VALUES = 200
_LARGEST_KEY, _LONGEST_KEY = 2**63, 20

# The name in the address of each filter that is a set: of ids, or of words.
IDS = {"department": "departments", "campaign": "campaigns", "group": "groups"}
WORDS: dict[str, tuple[str, type[TextChoices] | type[State]]] = {
    "campaign_state": ("campaign_states", CampaignState),
    "type": ("content_types", ContentType),
    "trigger": ("triggers", Trigger),
    "state": ("states", State),
}
NAMES = (*IDS, "manager", "direct", *WORDS, "basis")
# What a link to another page takes along: the moment, and whose department counts.
CARRIED = ("as_of", "basis")


@dataclass(frozen=True)
class Asked:
    """The filters and the basis of one request."""

    filters: Filters = field(default_factory=Filters)
    basis: Basis = Basis.NOW

    @property
    def is_narrowed(self) -> bool:
        """Whether any filter is set."""
        return self.filters != Filters(whole_line=self.filters.whole_line)

    @property
    def question(self) -> dict[str, Any]:
        """The arguments that every query about numbers takes beside its moment."""
        return {"filters": self.filters, "basis": self.basis}


def asked(request: ScopedRequest) -> Asked:
    """Read the request's filters. BadRequest for a value that cannot be one; an unknown id selects nothing."""
    query = request.GET
    values: dict[str, Any] = {name: _ids(query, key) for key, name in IDS.items()}
    if values["departments"] and request.scope.account is not None:
        # An address, a bookmark or a schedule that names a merged department is about what that is part of now.
        values["departments"] = counted_as(request.scope.account, values["departments"])
    values |= {name: _words(query, key, choices) for key, (name, choices) in WORDS.items()}
    managers = _ids(query, "manager")
    if len(managers) > 1:
        raise BadRequest("one manager at a time")
    values["manager"] = next(iter(managers), None)
    values["whole_line"] = query.get("direct") != "1"
    try:
        basis = Basis(query.get("basis") or Basis.NOW)
    except ValueError:
        raise BadRequest("basis is now or then") from None
    return Asked(Filters(**values), basis)


def _ids(query: QueryDict, key: str) -> frozenset[int]:
    texts = [text for text in query.getlist(key) if text]
    if len(texts) > _MOST_VALUES or any(len(text) > _LONGEST_KEY for text in texts):
        raise BadRequest(f"{key} is out of bounds")
    try:
        ids = frozenset(map(int, texts))
    except ValueError:
        raise BadRequest(f"{key} is a number") from None
    if any(abs(number) >= _LARGEST_KEY for number in ids):
        raise BadRequest(f"{key} is out of bounds")
    return ids


def _words(query: QueryDict, key: str, choices: type[TextChoices] | type[State]) -> frozenset[Any]:
    try:
        return frozenset(
            State(text) if choices is State else choices(text).value for text in query.getlist(key) if text
        )
    except ValueError:
        raise BadRequest(f"{key} is not one of its words") from None


def parameters(filters: Filters, basis: Basis = Basis.NOW) -> dict[str, Any]:
    """Return the query of an address that asks for these filters: the way back from `asked`."""
    found: dict[str, Any] = {key: sorted(getattr(filters, name)) for key, name in IDS.items()}
    found |= {key: sorted(str(value) for value in getattr(filters, name)) for key, (name, _) in WORDS.items()}
    if filters.manager is not None:
        found["manager"] = [filters.manager]
        if not filters.whole_line:
            found["direct"] = [1]
    if basis != Basis.NOW:
        found["basis"] = [basis.value]
    return {key: values for key, values in found.items() if values}
