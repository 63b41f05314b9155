"""Rows of the Past due page: groups of people past due, and what each has had past due for longest."""

from dataclasses import dataclass

from dashboard.metrics import Age
from dashboard.queries.past_due import PastDuePerson
from dashboard.rate import Rate


@dataclass(frozen=True)
class Item:
    """The enrollment that someone has had past due for longest. Ids are ours; 0 and "" where there is no campaign."""

    campaign_id: int
    campaign: str
    due_source: str
    job_title: str


@dataclass(frozen=True)
class PastDueGroup:
    """A department, manager or campaign with people past due; `department` is a manager's own.

    `people` are those of the ages asked for, `of` those with anything counted in it (None: tallies cannot tell), and
    `rows` the first of them. By manager it is a whole line (`is_line`), with further managers in it or not, or, beside
    the lines of those below, the manager's direct reports (`is_direct`).
    """

    key: int
    name: str
    people: int
    of: int | None = None
    is_direct: bool = False
    is_line: bool = False
    has_lines_below: bool = False
    department: str = ""
    rows: tuple[PastDuePerson, ...] = ()

    @property
    def share(self) -> Rate:
        """People past due out of people with anything counted; empty where that is not known."""
        return Rate(self.people, self.of or 0)


@dataclass(frozen=True)
class Spread:
    """Numbers of people past due, by age and by group.

    `ages` count everybody whom the filters select, whatever ages were asked for. `people` are those of these ages;
    `groups` have them by group, the largest first.
    """

    ages: dict[Age, int]
    people: int
    groups: tuple[PastDueGroup, ...] = ()

    @property
    def everybody(self) -> int:
        """People past due of any age."""
        return sum(self.ages.values())
