"""Cohorts: what fell due in a quarter or a month, and what became of it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from tests.oracle.counting import Count, has_passed, local_midnight, met
from tests.oracle.records import Enrollment

MONTHS = {"quarter": 3, "month": 1}


@dataclass(frozen=True)
class Cohort:
    """Enrollments due in one period: `due` holds also what is still to fall due in it.

    `completed_by_end` is completed before the period's end, or by now while it runs. `due_so_far` is the whole of the
    on-time rate and `on_time_so_far` its part; `on_time` counts early finishers of the days to come too.
    """

    due: int = 0
    completed_by_end: int = 0
    on_time: int = 0
    late: int = 0
    still_open: int = 0
    due_so_far: int = 0
    on_time_so_far: int = 0


def periods(kind: str, first: date, last: date) -> Iterator[tuple[date, date]]:
    """Yield first day and first day of the next for every quarter or month that touches the days asked for."""
    length = MONTHS[kind]
    start = date(first.year, (first.month - 1) // length * length + 1, 1)
    while start <= last:
        following = start.month - 1 + length
        end = date(start.year + following // 12, following % 12 + 1, 1)
        yield start, end
        start = end


def cohort(count: Count, start: date, end: date, *, gross: bool, by: str = "", name: object = None) -> Cohort:
    """Return what fell due from `start` until before `end`, all of it or one group's."""
    since, until = local_midnight(count.company, start), local_midnight(count.company, end)
    rows: Iterable[Enrollment] = count.cohort(since, until, gross=gross)
    if by:
        rows = [row for row in rows if name in count.groups_of(by, row)]
    found = list(rows)
    done = [row for row in found if has_passed(row.completed_at, count.at)]
    so_far = [row for row in found if has_passed(row.due_at, count.at)]
    return Cohort(
        due=len(found),
        completed_by_end=sum(1 for row in done if row.completed_at is not None and row.completed_at < until),
        on_time=sum(map(met, done)),
        late=sum(1 for row in done if not met(row)),
        still_open=len(found) - len(done),
        due_so_far=len(so_far),
        on_time_so_far=sum(1 for row in so_far if has_passed(row.completed_at, count.at) and met(row)),
    )
