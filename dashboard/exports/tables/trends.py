"""Trends as files: a row per quarter or month, and a row per department and quarter or month."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.core.exceptions import BadRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dashboard.exports.columns import Column, column
from dashboard.exports.table_request import Answer, Question, Table
from dashboard.exports.tables.words import filters_in_words
from dashboard.figures.selection import By
from dashboard.metrics import Cohort, Counts
from dashboard.queries.fields import PEOPLE, Kind
from dashboard.queries.trends import Course, Period, Trend, trend
from dashboard.requests.trends import PERIODS


@dataclass(frozen=True)
class PeriodRow:
    """One period of one course: what fell due in it, and how people stood at its end. `before` is a year earlier."""

    name: str
    period: Period
    due: Cohort
    stood: Counts
    before: Cohort


def _rows(found: Trend, course: Course) -> Iterator[PeriodRow]:
    for place, period in enumerate(found.periods):
        here = found.before + place
        yield PeriodRow(course.name, period, course.due[here], course.stood[here], course.due[place])


def _trend(question: Question) -> tuple[Trend, By]:
    by = PERIODS.get(question.GET.get("period") or By.QUARTER)
    if by is None or question.asked.filters.states:
        raise BadRequest("period is quarter or month, and there is no state")
    return trend(question.scope, period=by, **question.numbers), by


def _filters(question: Question) -> list[tuple[str, str]]:
    return filters_in_words(question)


def _periods(question: Question) -> Answer:
    """Answer for the Trends page as a whole."""
    found, _by = _trend(question)
    rows = list(_rows(found, found.everybody))
    return Answer(len(rows), rows=lambda: rows, order=_("By period, the oldest first"), filters=_filters(question))


def _departments(question: Question) -> Answer:
    """Answer for the Trends page's table of departments: a row for each in each period."""
    found, _by = _trend(question)
    rows = [row for course in found.departments for row in _rows(found, course) if row.due.due or row.stood.counted]
    order = _("By department, then by period")
    return Answer(len(rows), rows=lambda: rows, order=order, filters=_filters(question))


def _period_name(row: PeriodRow) -> str:
    is_month = (row.period.end - row.period.start).days < 40
    return f"{row.period.start:%Y-%m}" if is_month else row.period.quarter


_PERIOD = (
    Column("period", gettext_lazy("Period"), of=_period_name),
    Column("start", gettext_lazy("First day"), Kind.DAY, of=lambda row: row.period.start),
    Column(
        "running",
        gettext_lazy("Still running"),
        Kind.BOOLEAN,
        of=lambda row: row.period.is_running,
    ),
    Column("due", gettext_lazy("Due"), Kind.INTEGER, of=lambda row: row.due.due),
    Column(
        "completed_by_end", gettext_lazy("Completed by the end"), Kind.INTEGER, of=lambda row: row.due.completed_by_end
    ),
    Column("on_time", gettext_lazy("Completed on time"), Kind.INTEGER, of=lambda row: row.due.on_time),
    Column("late", gettext_lazy("Completed late"), Kind.INTEGER, of=lambda row: row.due.late),
    Column("still_open", gettext_lazy("Still open"), Kind.INTEGER, of=lambda row: row.due.still_open),
    Column(
        "completion_rate",
        gettext_lazy("Completion rate"),
        Kind.RATE,
        of=lambda row: row.due.completion_rate if row.due.due else None,
    ),
    Column(
        "on_time_rate",
        gettext_lazy("On-time rate"),
        Kind.RATE,
        of=lambda row: row.due.on_time_rate if row.due.due else None,
    ),
    Column(
        "people_past_due",
        gettext_lazy("People past due"),
        Kind.INTEGER,
        of=lambda row: row.stood.people_past_due if row.stood.counted else None,
    ),
    Column(
        "people_compliant",
        gettext_lazy("People compliant"),
        Kind.RATE,
        of=lambda row: row.stood.people_compliant_rate if row.stood.counted else None,
    ),
    Column(
        "completion_rate_before",
        gettext_lazy("Completion rate a year before"),
        Kind.RATE,
        is_default=False,
        of=lambda row: row.before.completion_rate if row.before.due else None,
    ),
    Column(
        "on_time_rate_before",
        gettext_lazy("On-time rate a year before"),
        Kind.RATE,
        is_default=False,
        of=lambda row: row.before.on_time_rate if row.before.due else None,
    ),
)
_TERMS = ("completion_rate", "on_time_rate", "people_past_due", "people_compliant")
TRENDS = Table("trends", gettext_lazy("Trends"), _PERIOD, _periods, page="trends", terms=_TERMS)
DEPARTMENTS_BY_PERIOD = Table(
    "departments_by_period",
    gettext_lazy("Departments by period"),
    (
        column(PEOPLE["department"], of=lambda row: row.name or _("No department"), width=30),
        *_PERIOD,
    ),
    _departments,
    page="trends",
    terms=_TERMS,
)
