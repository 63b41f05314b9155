"""Comparison of quarters or months: what fell due in each, and how everybody stood at the end of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from dashboard.access import Scope
from dashboard.figures.cohorts import MONTHS, cohorts
from dashboard.figures.counts import DISTINCT, Key, counts
from dashboard.figures.selection import Basis, By, Filters, Selection, select
from dashboard.local_days import local_midnight, quarter_name
from dashboard.metrics import NO_COUNTS, NOTHING_DUE, Cohort, Counts

YEAR = 12


@dataclass(frozen=True)
class Period:
    """One quarter or month: its first day, the day after its last, and the moment its figures are read at.

    `is_running`: that moment comes before its end.
    """

    start: date
    end: date
    at: datetime
    is_running: bool

    @property
    def number(self) -> int:
        """The number of the quarter it is, or is in: 1 to 4."""
        return (self.start.month + 2) // 3

    @property
    def quarter(self) -> str:
        """The name of the quarter it is, or is in."""
        return quarter_name(self.start)


@dataclass(frozen=True)
class Course:
    """Course, period by period, with as many periods before them as make a year.

    `due` are the cohorts, `stood` how everybody stood at each period's end; both net of exemptions. `exempt` are the
    enrollments due in the periods shown that exemptions excuse.
    """

    key: Key
    name: str
    due: Sequence[Cohort]
    stood: Sequence[Counts]
    exempt: int = 0


@dataclass(frozen=True)
class Trend:
    """The periods shown, oldest first, the course of everybody, and that of each department by name.

    Courses begin `before` periods earlier: a year.
    """

    periods: Sequence[Period]
    before: int
    everybody: Course
    departments: Sequence[Course]

    @property
    def is_empty(self) -> bool:
        """Whether nothing fell due in any of the periods, and nobody was counted at the end of one."""
        course = self.everybody
        return not any(cohort.due for cohort in course.due) and not any(counts.counted for counts in course.stood)


def trend(
    scope: Scope,
    *,
    as_of: datetime,
    period: By = By.QUARTER,
    count: int = 12,
    filters: Filters = Filters(),  # noqa: B008 - frozen
    basis: Basis = Basis.NOW,
    selection: Selection | None = None,
) -> Trend:
    """Return the last `count` quarters or months; the last is the one that `as_of` closes or is in.

    `selection` is what the other arguments select, where the caller has it already. ValueError for any other period,
    and for a filter by state.
    """
    shown = periods(scope, as_of=as_of, period=period, count=count + YEAR // MONTHS[period])
    before = len(shown) - count
    selection = selection or select(scope, as_of=as_of, filters=filters, basis=basis)
    if selection is None:
        nothing = Course(0, "", [Cohort()] * len(shown), [Counts()] * len(shown))
        return Trend(shown[before:], before, nothing, [])
    rows = cohorts(
        scope,
        as_of=as_of,
        period=period,
        first=shown[0].start,
        last=shown[-1].start,
        by=By.DEPARTMENT,
        selection=selection,
    )
    stood = counts(selection, By.DEPARTMENT, [each.at for each in shown], people=DISTINCT)
    due = {(row.key, row.start): row.net for row in rows}
    exempt = {(row.key, row.start): row.exempt for row in rows}
    names = {row.key: row.name for row in rows}
    starts = [each.start for each in shown]
    courses = [
        Course(
            key,
            names.get(key, ""),
            [due.get((key, start), NOTHING_DUE) for start in starts],
            [at[key].net if key in at else NO_COUNTS for at in stood],
            sum(exempt.get((key, start), 0) for start in starts[before:]),
        )
        for key in names
    ]
    everybody = Course(
        0,
        "",
        [
            # Column by column: a sum of tuples would make one of each two.
            Cohort._make(map(sum, zip(NOTHING_DUE, *(course.due[place] for course in courses), strict=True)))
            for place in range(len(shown))
        ],
        [Counts._make(map(sum, zip(NO_COUNTS, *(totals.net for totals in at.values()), strict=True))) for at in stood],
        sum(course.exempt for course in courses),
    )
    return Trend(
        shown[before:],
        before,
        everybody,
        sorted(courses, key=lambda course: (not course.name, course.name.casefold(), str(course.key))),
    )


def periods(scope: Scope, *, as_of: datetime, period: By, count: int) -> list[Period]:
    """Return the last `count` quarters or months, oldest first; the midnight that ends a day belongs to that day."""
    if scope.account is None:
        return []
    length, zone = MONTHS[period], scope.account.zone
    today = (as_of - timedelta(microseconds=1)).astimezone(zone).date()
    number = (today.year * YEAR + today.month - 1) // length * length
    found = []
    for back in range(count - 1, -1, -1):
        start = _first_day(number - back * length)
        end = _first_day(number - back * length + length)
        ends_at = local_midnight(end, zone)
        found.append(Period(start, end, min(ends_at, as_of), as_of < ends_at))
    return found


def _first_day(number: int) -> date:
    return date(number // YEAR, number % YEAR + 1, 1)
