"""What can be asked of the numbers: about whom and what, grouped by what, with whose department."""

from dataclasses import dataclass
from enum import StrEnum


class By(StrEnum):
    """What figures are grouped by. Quarters and months are those of the due date; see `cohorts`."""

    DEPARTMENT = "department"
    MANAGER = "manager"
    CAMPAIGN = "campaign"
    CONTENT_TYPE = "content_type"
    GROUP = "group"
    QUARTER = "quarter"
    MONTH = "month"
    DAY = "day"


class Basis(StrEnum):
    """Whether people count in the department and under the manager they have now, or had at the moment asked for."""

    NOW = "now"
    THEN = "then"


class State(StrEnum):
    """Where an enrollment stands at a moment."""

    COMPLETED = "completed"
    PAST_DUE = "past_due"
    IN_PROGRESS = "in_progress"
    NOT_STARTED = "not_started"


@dataclass(frozen=True)
class Filters:
    """About whom and what: every set that is not empty narrows. Ids are ours.

    `departments`: with the spellings merged into each; 0 is "No department". `manager`: a person, 0 for "No manager",
    or the key of a manager known by name only; with `whole_line` everyone below them, else their direct reports.
    """

    departments: frozenset[int] = frozenset()
    manager: int | None = None
    whole_line: bool = True
    campaigns: frozenset[int] = frozenset()
    campaign_states: frozenset[str] = frozenset()
    content_types: frozenset[str] = frozenset()
    triggers: frozenset[str] = frozenset()
    groups: frozenset[int] = frozenset()
    states: frozenset[State] = frozenset()
