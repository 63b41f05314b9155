"""Figures day by day: every count at the end of each of the last days, from one reading of the tallies.

A tally row is a step, so the rows up to the first day add up to where the line begins, and each later row is added to
the days that follow it. Where tallies cannot answer, the facts do, in a time that grows with their number.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import accumulate
from typing import Any

from django.db import connection

from dashboard import metrics
from dashboard.access import Scope
from dashboard.figures.counts import KEYS, Group, figures_by
from dashboard.figures.coverage import TICK, covering_people, starts
from dashboard.figures.selection import Basis, By, Filters, Selection, select
from dashboard.local_days import local_midnight
from dashboard.metrics import COUNT_NAMES, INTERVALS, NO_COUNTS, Counts, Totals
from dashboard.rollups import intervals

_NAMES = {By.DEPARTMENT: "sync_department", By.CAMPAIGN: "sync_campaign"}
# A row of a reading: the key of its group (None: everything), the index of its day (None: all of them), and its counts.
_Row = tuple[Any, ...]


# By key of a group: its people past due, net, at the end of each seventh day back from the last, the oldest first. They
# are there where tallies answered, for groups of which anybody ever was.
Trails = dict[Any, tuple[int, ...]]
WEEK = 7


@dataclass(frozen=True)
class Point:
    """The figures at the end of one local day, `at`; of the running day, as they are at the moment asked for."""

    date: date
    at: datetime
    totals: Totals


def last_day(as_of: datetime, scope: Scope) -> date:
    """Return the local day that a moment closes or is in: midnight is the end of the day before."""
    if scope.account is None:
        raise ValueError("A scope without an account has no days: its pages must not be asked for.")
    return (as_of - TICK).astimezone(scope.account.zone).date()


def daily(
    scope: Scope,
    *,
    as_of: datetime,
    days: int,
    filters: Filters = Filters(),  # noqa: B008 - frozen
    basis: Basis = Basis.NOW,
) -> list[Point]:
    """Return the figures at the end of each of the last `days` local days, oldest first; the last is at `as_of`.

    People are placed as they are now, or with the basis of then as they were at `as_of`, on every day alike. With a
    filter about campaigns or content nobody is an "active person": that count is 0. ValueError for a filter by state,
    which is another on every day. Whoever sees nobody gets days of nothing.
    """
    return _daily(scope, None, as_of=as_of, days=days, filters=filters, basis=basis)[0]


def daily_and_by(
    scope: Scope,
    by: By,
    *,
    as_of: datetime,
    days: int,
    filters: Filters = Filters(),  # noqa: B008 - frozen
    basis: Basis = Basis.NOW,
    selection: Selection | None = None,
) -> tuple[list[Point], list[Group], Trails]:
    """Return what `daily` does and, of the same reading, what `figures_by` does for departments or for campaigns.

    With them come the groups' trails. `selection` is what the other arguments select, where the caller has it already.
    """
    return _daily(scope, by, as_of=as_of, days=days, filters=filters, basis=basis, selection=selection)


def _daily(
    scope: Scope,
    by: By | None,
    *,
    as_of: datetime,
    days: int,
    filters: Filters,
    basis: Basis,
    selection: Selection | None = None,
) -> tuple[list[Point], list[Group], Trails]:
    if filters.states:
        raise ValueError("A filter by state selects others on every day.")
    if by is not None and by not in _NAMES:
        raise ValueError(f"Days are not read together with groups by {by}.")
    last = last_day(as_of, scope)
    dates = [last - timedelta(days=back) for back in range(days - 1, -1, -1)]
    selection = selection or select(scope, as_of=as_of, filters=filters, basis=basis)
    if selection is None:
        return [Point(day, _end(day, as_of, scope), Totals()) for day in dates], [], {}
    moments = [local_midnight(day + timedelta(days=1), selection.zone) for day in dates[:-1]] + [as_of]
    steps, groups, trails = _from_tallies(selection, by, moments)
    if steps is None:
        steps = _from_facts(selection, moments)
        groups = figures_by(scope, by, as_of=as_of, filters=filters, basis=basis) if by is not None else []
    totals = accumulate(steps)
    return [Point(day, at, figure) for day, at, figure in zip(dates, moments, totals, strict=True)], groups, trails


def _end(day: date, as_of: datetime, scope: Scope) -> datetime:
    assert scope.account is not None  # `last_day` has looked  # noqa: S101
    return min(as_of, local_midnight(day + timedelta(days=1), scope.account.zone))


# From tallies -----------------------------------------------------------------------------------------------------


def _from_tallies(
    selection: Selection, by: By | None, moments: Sequence[datetime]
) -> tuple[list[Totals] | None, list[Group], Trails]:
    """Return by how much the figures grow up to each moment, and the groups at the last; None where only facts can."""
    # The same rows have to add up to the days and to the groups.
    grain = covering_people(selection, "")
    is_enough = grain and grain.keeps_days and (by is None or covering_people(selection, KEYS[by]) == grain)
    since = starts(selection, [moments[0], moments[-1]]) if is_enough else None
    if grain is None or since is None:
        return None, [], {}
    where = f"grain = {int(grain.grain)} AND {selection.where(selection.narrowed_by, 'tally')}"
    sums = ", ".join(f"sum({count})::int AS {count}" for count in COUNT_NAMES)
    key, sets, named = "0", "(index, is_exempt)", "(SELECT 0 AS id, '' AS name WHERE false)"
    if by is not None:
        key, sets, named = KEYS[by], f"(index, is_exempt), ({KEYS[by]}, is_exempt)", _NAMES[by]
    with connection.cursor() as cursor:
        # Raw SQL: the ORM has no grouping sets, which sum the rows by day and by group at once.
        cursor.execute(
            f"""
            WITH tally AS (
                SELECT 0 AS index, * FROM dashboard_tally tally WHERE {where} AND is_standing AND at = %(since)s
                UNION ALL
                SELECT width_bucket(at - interval '1 microsecond', %(moments)s::timestamptz[]), *
                FROM dashboard_tally tally WHERE {where} AND NOT is_standing
                AND at > coalesce(%(since)s::timestamptz, '-infinity') AND at <= %(now)s
            ), sums AS (
                SELECT {key} AS key, index, is_exempt, {sums} FROM tally GROUP BY GROUPING SETS ({sets})
            ), trails AS (
                SELECT key, jsonb_object_agg(week, late) AS weeks
                FROM (
                    SELECT {key} AS key, (%(last)s - index) / {WEEK} AS week,
                           sum(CASE WHEN is_exempt THEN -people_past_due ELSE people_past_due END)::int AS late
                    FROM tally GROUP BY 1, 2
                ) trail WHERE late <> 0 GROUP BY key
            )
            SELECT sums.key, index, is_exempt, {", ".join(f"sums.{count}" for count in COUNT_NAMES)},
                   coalesce(named.name, ''), CASE WHEN index IS NULL THEN trails.weeks END
            FROM sums LEFT JOIN {named} AS named ON named.id = sums.key LEFT JOIN trails ON trails.key = sums.key
            """,
            {**selection.values, "since": since[0], "moments": list(moments), "last": len(moments) - 1},
        )
        rows = cursor.fetchall()
    steps = [Totals()] * len(moments)
    groups: dict[Any, Totals] = {}
    titles: dict[Any, str] = {}
    trails: Trails = {}
    weeks = (len(moments) - 1) // WEEK
    for value, index, is_exempt, *counts, title, trail in rows:
        step = _step(Counts._make(counts), is_exempt=is_exempt)
        if index is not None:
            steps[index] += step
        else:
            groups[value] = groups.get(value, Totals()) + step
            titles[value] = title
            if trail is not None:
                steps_back = json.loads(trail)
                trails[value] = tuple(accumulate(steps_back.get(str(week), 0) for week in range(weeks, -1, -1)))
    found = [Group(value, titles[value], totals) for value, totals in groups.items() if totals != Totals()]
    found.sort(key=lambda group: (not group.name, group.name.casefold(), str(group.key)))
    return steps, found, trails


def _step(counts: Counts, *, is_exempt: bool) -> Totals:
    """Return what a row adds: an exempt one is what exemptions take away from the net figures."""
    return Totals(NO_COUNTS - counts, NO_COUNTS) if is_exempt else Totals(counts, counts)


# From facts -------------------------------------------------------------------------------------------------------

_PEOPLE = tuple(name for name in COUNT_NAMES if name.startswith("people_"))
_EXCUSED = "f.enrollment_id IN (SELECT enrollment_id FROM dashboard_exemptspan WHERE account_id = %(account)s)"


def _from_facts(selection: Selection, moments: Sequence[datetime]) -> list[Totals]:
    """Return by how much the figures grow up to each moment, from every fact that is selected."""
    where, facts = selection.of_facts, selection.facts
    kinds = {"gross": intervals.current(where=where, source=facts)}
    if selection.has_exemptions:
        kinds["net"] = f"""
            {intervals.current(where=f"{where} AND NOT {_EXCUSED}", source=facts)}
            UNION ALL {intervals.current(where=f"{where} AND {_EXCUSED}", source=facts, net_of_exemptions=True)}
        """
    parts = [
        part for kind, source in kinds.items() for part in (_of_enrollments(kind, source), _of_people(kind, source))
    ]
    if selection.is_of_all_work:
        parts.append(_active(selection))
    sums = ", ".join(f"sum({count})::int" for count in COUNT_NAMES)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT kind, width_bucket(m - interval '1 microsecond', %(moments)s::timestamptz[]) AS index, {sums}
            FROM ({" UNION ALL ".join(parts)}) event WHERE m <= %(now)s GROUP BY 1, 2
            """,
            {**selection.values, "never": metrics.NEVER, "moments": list(moments)},
        )
        rows: list[_Row] = cursor.fetchall()
    net, gross = [NO_COUNTS] * len(moments), [NO_COUNTS] * len(moments)
    for kind, index, *counts in rows:
        step = Counts._make(counts)
        if kind != "net":
            gross[index] += step
        if kind != "gross" or "net" not in kinds:
            net[index] += step
    return [Totals(*both) for both in zip(net, gross, strict=True)]


def _of_enrollments(kind: str, source: str) -> str:
    people = ", ".join(f"0 AS {name}" for name in _PEOPLE)
    events = intervals.events(source, INTERVALS, "f.person_id")
    return f"SELECT '{kind}' AS kind, m, {', '.join(INTERVALS)}, {people} FROM ({events}) event"


def _of_people(kind: str, source: str) -> str:
    """Return the SQL for when people begin and cease to be counted and past due: a step at each end of their spans."""
    nothing = ", ".join(f"0 AS {name}" for name in INTERVALS)
    return f"""
        SELECT '{kind}' AS kind, m, {nothing}, counted_step, past_due_step, 0
        FROM (
            SELECT range_agg(tstzrange(e, u)) AS counted, range_agg(tstzrange(d, c)) FILTER (WHERE d < c) AS past_due
            FROM ({source}) f GROUP BY person_id
        ) spans CROSS JOIN LATERAL (
            SELECT lower(span), 1, 0 FROM unnest(counted) AS span
            UNION ALL SELECT upper(span), -1, 0 FROM unnest(counted) AS span
            UNION ALL SELECT lower(span), 0, 1 FROM unnest(past_due) AS span
            UNION ALL SELECT upper(span), 0, -1 FROM unnest(past_due) AS span
        ) ends (m, counted_step, past_due_step)
    """


def _active(selection: Selection) -> str:
    """Return the SQL for when people begin and cease to be active, whatever they are enrolled in."""
    nothing = ", ".join("0" for _ in (*INTERVALS, *_PEOPLE[:2]))
    return f"""
        SELECT 'both', m, {nothing}, step
        FROM {selection.standings} CROSS JOIN LATERAL (
            VALUES (coalesce(f.joined_at, %(never)s), 1), (f.left_at, -1)
        ) ends (m, step)
        WHERE {selection.of_people} AND m IS NOT NULL
          AND (f.left_at IS NULL OR coalesce(f.joined_at, %(never)s) < f.left_at)
    """
