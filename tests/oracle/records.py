"""Company as plain records, to be counted. Every moment is aware; keys are whatever whoever fills them likes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Changed:
    """A text that a sync found changed at `at`: a person's department, manager_email, manager_name or email."""

    at: datetime
    field: str
    old: str
    new: str


@dataclass(frozen=True)
class Person:
    """One person with KnowBe4's texts of now; `past` holds the recorded changes that led there."""

    key: int
    email: str = ""
    status: str = "active"
    joined_at: datetime | None = None
    archived_at: datetime | None = None
    removed_at: datetime | None = None
    department: str = ""
    manager_email: str = ""
    manager_name: str = ""
    past: tuple[Changed, ...] = ()


@dataclass(frozen=True)
class Campaign:
    """One campaign with KnowBe4's word, and what an administrator said of it; `trigger` is the one that holds."""

    key: int
    status: str = "In Progress"
    start_at: datetime | None = None
    archived_at: datetime | None = None
    removed_at: datetime | None = None
    requirement: str = "required"
    trigger: str = "unknown"


@dataclass(frozen=True)
class Enrollment:
    """One enrollment. `content_type` is Rollcall's word; `is_extended` says that its deadline is a hidden one."""

    key: int
    person: int | None
    campaign: int | None
    enrolled_at: datetime
    status: str = "Not Started"
    content_type: str = "Training Module"
    started_at: datetime | None = None
    completed_at: datetime | None = None
    due_at: datetime | None = None
    removed_at: datetime | None = None
    is_extended: bool = False
    is_acknowledged: bool = False


@dataclass(frozen=True)
class Exemption:
    """Leave from one campaign (None: all) for one person or for whoever is in a group now."""

    key: int
    starts_at: datetime
    person: int | None = None
    group: int | None = None
    campaign: int | None = None
    ends_at: datetime | None = None
    ended_at: datetime | None = None
    is_approved: bool = True


@dataclass(frozen=True)
class Failure:
    """One person's failed phishing test."""

    key: int
    person: int | None
    failed_at: datetime


@dataclass(frozen=True, repr=False)
class Company:
    """Everything known of one account. `groups` hold the members of now; `merges` lead a spelling to another.

    `drawn` says how to draw it again.
    """

    zone: ZoneInfo
    people: Mapping[int, Person] = field(default_factory=dict)
    campaigns: Mapping[int, Campaign] = field(default_factory=dict)
    groups: Mapping[int, frozenset[int]] = field(default_factory=dict)
    enrollments: tuple[Enrollment, ...] = ()
    exemptions: tuple[Exemption, ...] = ()
    failures: tuple[Failure, ...] = ()
    merges: Mapping[str, str] = field(default_factory=dict)
    drawn: str = ""

    def __repr__(self) -> str:
        """Return what it was drawn from, and its size: its records fill pages."""
        return f"<Company {self.zone} {self.drawn}: {len(self.people)} people, {len(self.enrollments)} enrollments>"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))


@dataclass(frozen=True)
class Question:
    """Question: a moment, whose departments and managers count (of now, or of then), and any mix of filters.

    Departments are spellings as `organization.spelled` returns them, "" for none; an empty set filters nothing.
    """

    as_of: datetime
    is_then: bool = False
    departments: frozenset[str] = frozenset()
    manager: int | None = None
    is_whole_line: bool = True
    campaigns: frozenset[int] = frozenset()
    campaign_states: frozenset[str] = frozenset()
    content_types: frozenset[str] = frozenset()
    triggers: frozenset[str] = frozenset()
    groups: frozenset[int] = frozenset()
    states: frozenset[str] = frozenset()
