"""Cohorts: the enrollments that fall due in one quarter or month, and how they went."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, NamedTuple

from django.db import connection

from dashboard.access import Scope
from dashboard.figures import tallies
from dashboard.figures.counts import BY_CODE, KEYS, Key
from dashboard.figures.names import names
from dashboard.figures.selection import Basis, By, Filters, Selection, select
from dashboard.metrics import COHORT_INTERVALS, NOTHING_DUE, Cohort
from dashboard.rollups import intervals
from dashboard.rollups.buckets import next_month

MONTHS = {By.MONTH: 1, By.QUARTER: 3}


class CohortRow(NamedTuple):
    """One period, of one group if they are grouped (key 0 and no name otherwise), net and gross of exemptions."""

    start: date
    end: date
    key: Key
    name: str
    net: Cohort
    gross: Cohort

    @property
    def exempt(self) -> int:
        """Enrollments due in the period that an exemption excuses."""
        return self.gross.due - self.net.due


def cohorts(
    scope: Scope,
    *,
    as_of: datetime,
    period: By = By.QUARTER,
    first: date,
    last: date,
    filters: Filters = Filters(),  # noqa: B008 - frozen
    basis: Basis = Basis.NOW,
    by: By | None = None,
    selection: Selection | None = None,
) -> list[CohortRow]:
    """Return a row for each quarter or month from the one `first` is in to the one `last` is in, oldest first.

    With `by` (department, manager, campaign, content type), a row for each period and each group that has any, by
    name within the period; without, every period has its row, empty ones too. Managers have their direct reports.
    `selection` is what the other arguments select, where the caller has it already.
    """
    if period not in MONTHS:
        raise ValueError(f"Cohorts are of quarters or months, not of a {period}.")
    if by is not None and (by not in KEYS or by == By.GROUP):
        raise ValueError(f"Cohorts are not grouped by {by}.")
    selection = selection or select(scope, as_of=as_of, filters=filters, basis=basis)
    if selection is None:
        return []
    periods = list(_periods(period, first, last))
    if not periods:
        return []
    starts = {_number(start) // MONTHS[period]: start for start, _ in periods}
    gross: dict[tuple[date, Key], Cohort] = {}
    exempt: dict[tuple[date, Key], Cohort] = {}
    for key, number, is_exempt, *counts in _counts(selection, by, period, periods):
        if number in starts:
            group = BY_CODE[key].value if by == By.CONTENT_TYPE else key
            (exempt if is_exempt else gross)[starts[number], group] = Cohort._make(counts)
    called = names(selection, by, {key for _, key in gross}) if by else {}
    groups: list[Key] = [0]
    if by:
        found = {key for _, key in gross}
        groups = sorted(found, key=lambda key: (not called.get(key), called.get(key, "").casefold(), str(key)))
    rows = []
    for start, end in periods:
        for key in groups:
            whole = gross.get((start, key), NOTHING_DUE)
            net = whole - exempt[start, key] if (start, key) in exempt else whole
            if not by or whole != NOTHING_DUE:
                rows.append(CohortRow(start, end, key, called.get(key, ""), net, whole))
    return rows


def _periods(period: By, first: date, last: date) -> Iterator[tuple[date, date]]:
    """Yield each period's first day and the first day after it."""
    months = MONTHS[period]
    start = first.replace(month=(first.month - 1) // months * months + 1, day=1)
    while start <= last:
        end = start
        for _ in range(months):
            end = next_month(end)
        yield start, end
        start = end


def _number(month: date) -> int:
    return month.year * 12 + month.month - 1


def _counts(selection: Selection, by: By | None, period: By, periods: list[tuple[date, date]]) -> list[tuple[Any, ...]]:
    """Return key, number of the period, whether it is what exemptions take away, and the fields of a `Cohort`.

    A period's number is that of its months (year * 12 + month - 1) divided by how many they are.
    """
    number = f"due_month / {MONTHS[period]}"
    in_period = "completed_in_month" if period == By.MONTH else "completed_in_quarter"
    counts = ("enrolled", "due", "completed", in_period, "on_time", "due_on_time")
    key = KEYS[by] if by else "0"
    rows = tallies.cohorts(selection, KEYS[by] if by else "", (key, number, "is_exempt"), counts)
    if rows is not None:
        return rows
    return _from_facts(selection, key, number, counts, periods)


def _from_facts(
    selection: Selection, key: str, number: str, counts: tuple[str, ...], periods: list[tuple[date, date]]
) -> list[tuple[Any, ...]]:
    spans = {name: COHORT_INTERVALS[name] for name in counts}
    columns = ", ".join(intervals.at_moment(spans, "%(now)s"))
    where = (
        f"{selection.of_facts} "
        "AND f.due_at >= (%(first)s::date::timestamp AT TIME ZONE %(zone)s) "
        "AND f.due_at < (%(beyond)s::date::timestamp AT TIME ZONE %(zone)s)"
    )
    # An exemption excuses while it lasts until the due date; from then on only one that held the due date counts.
    is_exempt = """
        EXISTS (SELECT FROM dashboard_exemptspan x WHERE x.enrollment_id = f.enrollment_id
                AND x.during @> least(%(now)s::timestamptz, f.due_at))
    """
    source = intervals.cohorts_at("%(now)s", where=where, source=selection.facts)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT {key} AS key, {number}, false AS is_exempt, {columns}
            FROM ({source}) f WHERE {selection.of_states} GROUP BY 1, 2
            UNION ALL
            SELECT {key}, {number}, true, {columns}
            FROM ({source}) f WHERE {selection.of_states} AND {is_exempt} GROUP BY 1, 2
            """,
            {
                **selection.values,
                **intervals.calendar(selection.zone, range(periods[0][0].year, periods[-1][0].year + 1)),
                "first": periods[0][0],
                "beyond": periods[-1][1],
            },
        )
        return cursor.fetchall()
