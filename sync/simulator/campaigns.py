"""A training campaign: its plan, and what KnowBe4 says of it at a moment."""

from array import array
from dataclasses import dataclass, field

from .catalog import Content
from .timestamps import DAY, NEVER, add_relative

SPECIFIC, RELATIVE, OPEN_END = "Specific End Date", "Relative End Date", "No End Date"


@dataclass(slots=True, eq=False)
class Campaign:
    """One campaign as planned. Moments are seconds; NEVER where something does not happen.

    `audience` picks departments by number (None is everyone) and `share` the part of them that is enrolled.
    `intake` says who is enrolled later on: "joiners" (of the audience), "clickers" (who failed a phishing test) or "".
    """

    number: int
    name: str
    contents: tuple[Content, ...]
    created_at: int
    start_at: int
    end_at: int = NEVER
    moved: tuple[int, int] | None = None
    relative: str | None = None
    audience: frozenset[int] | None = None
    share: float = 1.0
    minimum: int = 0
    intake: str = ""
    intake_until: int = NEVER
    initial: bool = True
    groups: tuple[tuple[int, str], ...] = ((0, "All Users"),)
    show_scores: bool = False
    allow_multiple: bool = False
    effort: float = 1.0
    closed_at: int = NEVER
    closed_word: str = "Completed"
    cancelled_at: int = NEVER
    deleted_at: int = NEVER
    first_unit: int = 0
    ordinals: "array[int]" = field(default_factory=lambda: array("i"))
    """The ledger's places of this campaign's enrollments, in order."""

    @property
    def campaign_id(self) -> int:
        """Return KnowBe4's id."""
        return 702_300 + self.number * 1_373 + self.number * self.number % 97

    @property
    def duration_type(self) -> str:
        """Return KnowBe4's word for how deadlines come about."""
        if self.relative:
            return RELATIVE
        return SPECIFIC if self.end_at < NEVER else OPEN_END

    @property
    def final_end(self) -> int:
        """Return the end date after all moves."""
        return self.moved[1] if self.moved else self.end_at

    def end(self, at: int) -> int:
        """Return the end date as it stands at `at`."""
        return self.moved[1] if self.moved and self.moved[0] <= at else self.end_at

    def deadline(self, enrolled: int, at: int) -> int:
        """Return what the API lets one derive at `at` for someone enrolled at `enrolled`."""
        return add_relative(enrolled, self.relative) if self.relative else self.end(at)

    def exists(self, at: int) -> bool:
        """Tell whether KnowBe4 returns the campaign at `at`."""
        return self.created_at <= at < self.deleted_at

    def status(self, at: int) -> str:
        """Return KnowBe4's status word at `at`. For an hour after the start it is still enrolling."""
        if self.cancelled_at <= at:
            return "Cancelled"
        if at < self.start_at:
            return "Created"
        if self.closed_at <= at:
            return self.closed_word
        return "Enrolling" if at < self.start_at + 3_600 else "In Progress"

    def stops_at(self) -> int:
        """Return the moment after which nobody finishes anything in it."""
        return min(self.closed_at, self.cancelled_at, self.deleted_at)

    def takes_in(self, at: int) -> bool:
        """Tell whether someone who turns up at `at` is still enrolled."""
        last = min(self.stops_at(), self.final_end - 7 * DAY, self.intake_until)
        return self.start_at <= at < last
