"""Several metrics at once, of everybody and of each group: the very queries of the pages, put side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from dashboard.access import Scope
from dashboard.exports.metric_report.cells import Cell, Pair
from dashboard.figures import durations
from dashboard.figures.cohorts import CohortRow, cohorts
from dashboard.figures.counts import Key, figures, figures_by
from dashboard.figures.durations import Durations
from dashboard.figures.selection import Basis, By, Filters
from dashboard.metrics import Age, Cohort, Totals
from dashboard.metrics.registry import Base, Metric, Unit
from dashboard.queries import past_due, remedial

PERIODS = (By.QUARTER, By.MONTH)
# Beside what `By` offers: what is past due, by how long it has been.
BY_AGE = "age"
GROUPINGS = (By.DEPARTMENT, By.MANAGER, By.CAMPAIGN, By.CONTENT_TYPE, By.GROUP, *PERIODS, BY_AGE)
NAMELESS = {
    By.DEPARTMENT: "No department",
    By.MANAGER: "No manager",
    By.CAMPAIGN: "No campaign",
    By.GROUP: "Unnamed group",
}
_BY_AGE = {"past_due": "enrollments", "people_past_due": "people"}
_NEEDS_PEOPLE = (Base.PEOPLE, Base.ACTIVE_PEOPLE)


class NotAskableError(ValueError):
    """A metric that is not worked out by that grouping; the sentence says so."""


@dataclass(frozen=True)
class Asked:
    """Subject of a report. `periods` is how many quarters or months, the last one being that of `as_of`."""

    metrics: Sequence[Metric]
    as_of: datetime
    by: str | None = None
    filters: Filters = field(default_factory=Filters)
    basis: Basis = Basis.NOW
    periods: int = 12


@dataclass(frozen=True)
class Row:
    """One group and its numbers by metric. `key` is ours: 0 is none, a content type or an age its own word.

    A period has its first day and the day after its last; nothing else has.
    """

    key: Key
    name: str
    exempt: int
    values: Mapping[str, Pair]
    start: date | None = None
    end: date | None = None


@dataclass(frozen=True)
class Report:
    """The rows, one per group, and the total, recounted; None where groups are periods, which are cohorts."""

    rows: Sequence[Row]
    total: Row | None


def answer(scope: Scope, asked: Asked) -> Report:
    """Return the numbers asked for. NotAskableError when a metric is not worked out by the grouping."""
    if asked.by in PERIODS:
        return Report(_periods(scope, asked), None)
    if asked.by == BY_AGE:
        return Report(_ages(scope, asked), _whole(scope, asked))
    return Report(_groups(scope, asked) if asked.by else [], _whole(scope, asked))


def _arguments(asked: Asked) -> dict[str, Any]:
    return {"as_of": asked.as_of, "filters": asked.filters, "basis": asked.basis}


def _with_people(asked: Asked) -> bool:
    return any(metric.base in _NEEDS_PEOPLE for metric in asked.metrics)


def _whole(scope: Scope, asked: Asked) -> Row:
    totals = figures(scope, with_people=_with_people(asked), **_arguments(asked))
    values = _of_counts(asked, totals)
    for name, by_key in _others(scope, asked, None).items():
        values[name] = by_key.get(0, Pair())
    return Row(0, "Total", totals.exempt, _ordered(asked, values))


def _groups(scope: Scope, asked: Asked) -> list[Row]:
    by = By(asked.by or "")
    if by in (By.CAMPAIGN, By.CONTENT_TYPE):
        for metric in asked.metrics:
            if metric.base == Base.ACTIVE_PEOPLE:
                raise NotAskableError(f"{metric.title} is not worked out by {_word(by)}: people belong to none.")
    others = _others(scope, asked, by)
    groups = figures_by(scope, by, with_people=_with_people(asked), **_arguments(asked))
    rows = []
    for group in groups:
        values = _of_counts(asked, group.totals) | {
            name: by_key.get(group.key, Pair()) for name, by_key in others.items()
        }
        name = str(group.key) if by == By.CONTENT_TYPE else group.name or NAMELESS[by]
        rows.append(Row(group.key, name, group.totals.exempt, _ordered(asked, values)))
    return rows


def _of_counts(asked: Asked, totals: Totals) -> dict[str, Pair]:
    return {
        metric.name: Pair(Cell.of(metric.of(totals.net)), Cell.of(metric.of(totals.gross)))
        for metric in asked.metrics
        if metric.of is not None
    }


def _ordered(asked: Asked, values: Mapping[str, Pair]) -> dict[str, Pair]:
    return {metric.name: values[metric.name] for metric in asked.metrics}


def _others(scope: Scope, asked: Asked, by: By | None) -> dict[str, dict[Key, Pair]]:
    """Return what counts cannot tell, by metric and key."""
    found: dict[str, dict[Key, Pair]] = {}
    is_of_lines = by == By.MANAGER and asked.filters.whole_line
    for metric in asked.metrics:
        if metric.of is not None:
            continue
        known = durations.GROUPED_BY if metric.unit == Unit.DAYS else remedial.GROUPED_BY
        if by is not None and by not in known:
            raise NotAskableError(f"{metric.title} is not worked out by {_word(by)}.")
        if is_of_lines:
            raise NotAskableError(f"{metric.title} is worked out for direct reports only: add --direct.")
        if metric.base == Base.FAILED:
            trained = remedial.training_after_failure(scope, by=by, **_arguments(asked))
            found[metric.name] = {row.key: Pair(Cell.of(row.rate), Cell.of(row.rate)) for row in trained}
    days = [metric for metric in asked.metrics if metric.unit == Unit.DAYS]
    if days:
        rows = durations.days_to_complete(scope, by=by, **_arguments(asked))
        for metric in days:
            found[metric.name] = {
                row.key: Pair(days_cell(metric, row.net), days_cell(metric, row.gross)) for row in rows
            }
    return found


def days_cell(metric: Metric, found: Durations) -> Cell:
    """Return the days that a metric of days tells: the median, or what nine of ten finishers took at most."""
    return Cell.of_days(found.ninetieth if metric.name.endswith("90") else found.median, found.finishers)


def _word(by: By) -> str:
    return by.value.replace("_", " ")


def _ages(scope: Scope, asked: Asked) -> list[Row]:
    for metric in asked.metrics:
        if metric.name not in _BY_AGE:
            raise NotAskableError(f"{metric.title} is not worked out by age: past_due and people_past_due are.")
    ageing = past_due.ageing(scope, **_arguments(asked))
    gross = {group.age: group for group in ageing.gross}
    return [
        Row(
            group.age.value,
            str(Age(group.age).label),
            gross[group.age].enrollments - group.enrollments,
            {
                metric.name: Pair(*(Cell.of(getattr(one, _BY_AGE[metric.name])) for one in (group, gross[group.age])))
                for metric in asked.metrics
            },
        )
        for group in ageing.net
    ]


def _periods(scope: Scope, asked: Asked) -> list[Row]:
    """Return a row per quarter or month, with the same one a year before; the last is that of the moment before t."""
    for metric in asked.metrics:
        if metric.of_cohort is None:
            raise NotAskableError(f"{metric.title} is not in a {asked.by}'s row.")
    if scope.account is None:
        return []
    period = By(asked.by or "")
    length = 3 if period == By.QUARTER else 1
    # The midnight that ends a day belongs to the period of that day.
    last = (asked.as_of - timedelta(microseconds=1)).astimezone(scope.account.zone).date()
    first = _months_before(last, (asked.periods - 1) * length)
    rows = cohorts(scope, period=period, first=_months_before(first, 12), last=last, **_arguments(asked))
    by_start = {row.start: row for row in rows}
    return [_period(asked, row, by_start[_months_before(row.start, 12)]) for row in rows[-asked.periods :]]


def _period(asked: Asked, row: CohortRow, year_before: CohortRow) -> Row:
    def cell(metric: Metric, cohort: Cohort) -> Cell:
        return Cell.of(metric.of_cohort(cohort)) if metric.of_cohort else Cell()

    values = {
        metric.name: Pair(cell(metric, row.net), cell(metric, row.gross), cell(metric, year_before.net))
        for metric in asked.metrics
    }
    quarter = f"Q{(row.start.month + 2) // 3} {row.start.year}"
    name = quarter if asked.by == By.QUARTER else f"{row.start:%B %Y}"
    return Row(row.start.isoformat(), name, row.exempt, values, row.start, row.end)


def _months_before(day: date, months: int) -> date:
    """Return the first day of the month so many months before a day's."""
    number = day.year * 12 + day.month - 1 - months
    return date(number // 12, number % 12 + 1, 1)
