"""Every enrollment there ever was, in columns, in the order of their ids, which is the order they were made in."""

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .campaigns import Campaign
from .catalog import Content
from .organization import Organization
from .timestamps import NEVER

FIRST_ID = 450_318_007
STEP = 7


@dataclass(slots=True)
class Special:
    """Rare events of an enrollment: an extension, a reset, a removal. NEVER where it does not."""

    granted_at: int = NEVER
    extended_to: int = NEVER
    reset_at: int = NEVER
    restarted_at: int = NEVER
    recompleted_at: int = NEVER
    removed_at: int = NEVER


class Draft(NamedTuple):
    """An enrollment before it has its place; sorts by when it is made, then by the order of drafting."""

    enrolled: int
    order: int
    person: int
    unit: int
    started: int
    completed: int
    spent: int
    score: int
    special: Special | None


class State(NamedTuple):
    """An enrollment at a moment, in seconds; NEVER stands for nothing."""

    started: int
    completed: int
    status: str
    spent: int
    due: int
    derived: int
    extended: bool


class Ledger:
    """The columns, and what they mean at a moment."""

    def __init__(self, organization: Organization, units: Sequence[tuple[Campaign, Content]]) -> None:
        self.organization = organization
        self.units = units
        self.person = array("i")
        self.unit = array("i")
        self.enrolled = array("q")
        self.started = array("q")
        self.completed = array("q")
        self.spent = array("i")
        self.score = array("b")
        self.specials: dict[int, Special] = {}
        self.removals: list[tuple[int, int]] = []
        """Every (removed_at, ordinal), sorted once a month is written."""

    def write(self, drafts: list[Draft]) -> None:
        """Give drafts their places, after all that are there already; none may be older than the last one written."""
        drafts.sort()
        ordinal = len(self.person)
        for draft in drafts:
            self.person.append(draft[2])
            self.unit.append(draft[3])
            self.enrolled.append(draft[0])
            self.started.append(draft[4])
            self.completed.append(draft[5])
            self.spent.append(draft[6])
            self.score.append(draft[7])
            special = draft[8]
            campaign = self.units[draft[3]][0]
            if campaign.deleted_at < NEVER:
                special = special or Special()
                special.removed_at = min(special.removed_at, campaign.deleted_at)
            if special is not None:
                self.specials[ordinal] = special
                if special.removed_at < NEVER:
                    self.removals.append((special.removed_at, ordinal))
            campaign.ordinals.append(ordinal)
            ordinal += 1
        self.removals.sort()

    @staticmethod
    def id_of(ordinal: int) -> int:
        """Return the enrollment id of a place."""
        return FIRST_ID + ordinal * STEP + ordinal * ordinal % 5

    def ordinal_of(self, enrollment_id: int) -> int | None:
        """Return the place of an id, None for an id that no enrollment has."""
        ordinal = (enrollment_id - FIRST_ID) // STEP
        return ordinal if 0 <= ordinal < len(self.person) and self.id_of(ordinal) == enrollment_id else None

    def count(self, at: int) -> int:
        """Return how many had been made by `at`, removed ones too: they are the first places."""
        return bisect_right(self.enrolled, at)

    def removed_at(self, ordinal: int) -> int:
        """Return when an enrollment vanishes, NEVER if it stays."""
        special = self.specials.get(ordinal)
        return special.removed_at if special else NEVER

    def exists(self, ordinal: int, at: int) -> bool:
        """Tell whether KnowBe4 returns it at `at`."""
        return self.enrolled[ordinal] <= at < self.removed_at(ordinal)

    def living(self, at: int) -> Iterator[int]:
        """Yield the places of all that KnowBe4 returns at `at`."""
        gone = {ordinal for removed_at, ordinal in self.removals if removed_at <= at}
        return (ordinal for ordinal in range(self.count(at)) if ordinal not in gone)

    def _progress(self, ordinal: int, at: int) -> tuple[int, int]:
        """Return when it was started and completed as seen at `at`; what a leaver left undone stays undone."""
        started, completed = self.started[ordinal], self.completed[ordinal]
        special = self.specials.get(ordinal)
        if special is not None and special.reset_at <= at:
            started, completed = special.restarted_at, special.recompleted_at
        started, completed = started if started <= at else NEVER, completed if completed <= at else NEVER
        person = self.person[ordinal]
        left = self.organization.leave[person]
        if left <= at and self.enrolled[ordinal] < max(
            started if started < NEVER else 0, completed if completed < NEVER else 0
        ):
            who = self.organization.people[person]
            if completed < NEVER and not who.is_active(completed):
                completed = NEVER
            if started < NEVER and not who.is_active(started):
                started = NEVER
        return started, completed

    def state(self, ordinal: int, at: int) -> State:
        """Return what KnowBe4 and its console say of an enrollment at `at`."""
        started, completed = self._progress(ordinal, at)
        campaign, content = self.units[self.unit[ordinal]]
        derived = campaign.deadline(self.enrolled[ordinal], at)
        due, extended = derived, False
        special = self.specials.get(ordinal)
        if special is not None and special.granted_at <= at:
            due, extended = max(derived, special.extended_to), True
        spent = self.spent[ordinal]
        if completed <= at:
            return State(started, completed, content.done, spent, due, derived, extended)
        spent = 0 if started > at or spent % 53 == 0 else spent * 2 // 5
        status = "Past Due" if due <= at else "In Progress" if started <= at else "Not Started"
        return State(started, NEVER, status, spent, due, derived, extended)

    def steady(self, ordinal: int, at: int) -> tuple[int, int]:
        """Return since when and until when the state at `at` holds, as far as history is made."""
        enrolled, completed = self.enrolled[ordinal], self.completed[ordinal]
        special = self.specials.get(ordinal)
        if special is None and completed <= at and self.organization.leave[self.person[ordinal]] > at:
            return max(enrolled, completed), NEVER
        campaign, _ = self.units[self.unit[ordinal]]
        moments = [enrolled, self.started[ordinal], completed, campaign.deadline(enrolled, enrolled)]
        if campaign.moved:
            moments += campaign.moved
        if special is not None:
            moments += (
                special.granted_at, special.extended_to, special.reset_at, special.restarted_at, special.recompleted_at,
                special.removed_at,
            )  # fmt: skip
        since = max((entry for entry in moments if entry <= at), default=enrolled)
        return since, min((entry for entry in moments if entry > at), default=NEVER)
