"""Counts from facts, one by one: they answer any question, in a time that grows with the enrollments it is about."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from dashboard.figures import lines
from dashboard.figures.selection import Selection
from dashboard.figures.tallies import MomentTotals
from dashboard.metrics import INTERVALS, Counts, Totals
from dashboard.rollups import intervals
from dashboard.rollups.tallies import PEOPLE


def counts(
    selection: Selection, key: str, moments: Sequence[datetime], names: Sequence[str], *, line: str = ""
) -> list[MomentTotals]:
    """Return, for each moment, these counts of each value of a key, or of everything under 0; the others are 0.

    People are distinct within a key. Active people are not counted here: see `active`.
    """
    place, at, wanted = _wanted(moments)
    spans = {name: INTERVALS[name] for name in INTERVALS if name in names or f"people_{name}" in names}
    columns, kinds = intervals.at_moment(spans, at), [""]
    # A moment alone is no group: to group by a constant takes its time.
    is_one = len(moments) == 1
    source = f"""
        {wanted} LATERAL ({intervals.current_at(at, where=selection.of_facts, source=selection.facts)}) f
        {_MEMBERS if key == "group_id" else ""}
    """
    if selection.has_exemptions:
        source += f"""
            LEFT JOIN dashboard_exemptspan x
            ON x.account_id = %(account)s AND x.enrollment_id = f.enrollment_id AND x.during @> {at}
        """
        columns += intervals.at_moment(spans, at, prefix="net_", also="x.enrollment_id IS NULL")
        kinds.append("net_")
    sums = (f"{_sum(name, kind)} AS {kind}{name}" for kind in kinds for name in names)
    # Each person's counts first, so that distinct people fall out of them.
    sql = f"""
        SELECT key, {"0 AS place" if is_one else "place"}, {", ".join(sums)}
        FROM (
            SELECT {key or "0"} AS key, f.person_id, {place} AS place, {", ".join(columns)}
            FROM {source} WHERE {selection.of_states} GROUP BY 1, 2{"" if is_one else ", 3"}
        ) person GROUP BY key{"" if is_one else ", place"}
    """
    found: list[MomentTotals] = [{} for _ in moments]
    for group, number, *values in _rows(
        sql, selection, moments, [kind + name for kind in kinds for name in names], line
    ):
        gross = Counts(**dict(zip(names, values, strict=False)))
        net = Counts(**dict(zip(names, values[len(names) :], strict=True))) if selection.has_exemptions else gross
        found[number][group] = Totals(net, gross)
    return found


def active(selection: Selection, key: str, moments: Sequence[datetime], *, line: str = "") -> list[MomentTotals]:
    """Return, for each moment, the active people of each value of a key, whatever they are enrolled in."""
    place, at, wanted = _wanted(moments)
    sql = f"""
        SELECT {key or "0"} AS key, {place} AS place, count(*)::int AS people
        FROM {wanted} {selection.standings} {_MEMBERS if key == "group_id" else ""}
        WHERE {selection.of_people} AND (f.joined_at IS NULL OR f.joined_at <= {at})
          AND (f.left_at IS NULL OR f.left_at > {at})
        GROUP BY 1{"" if len(moments) == 1 else ", 2"}
    """
    found: list[MomentTotals] = [{} for _ in moments]
    for group, number, people in _rows(sql, selection, moments, ["people"], line):
        here = Counts(people_active=people)
        found[number][group] = Totals(here, here)
    return found


_MEMBERS = "JOIN sync_groupmembership member ON member.person_id = f.person_id AND member.removed_at IS NULL"


def _sum(name: str, prefix: str) -> str:
    if name in PEOPLE:
        return f"count(*) FILTER (WHERE {prefix}{name.removeprefix('people_')} > 0)::int"
    return f"sum({prefix}{name})::int"


def _wanted(moments: Sequence[datetime]) -> tuple[str, str, str]:
    """Return the SQL for a moment's place and for the moment, and for the source of both: one needs none."""
    if len(moments) == 1:
        return "0", "%(at)s::timestamptz", ""
    return (
        "wanted.place",
        "wanted.at",
        "unnest(%(places)s::int[], %(moments)s::timestamptz[]) wanted (place, at) CROSS JOIN",
    )


def _rows(
    sql: str, selection: Selection, moments: Sequence[datetime], names: Sequence[str], line: str
) -> list[tuple[Any, ...]]:
    """Return what is counted by key and place; with `line` (see `lines.pairs`) of whole lines."""
    values: dict[str, Any] = {"at": moments[0], "moments": list(moments), "places": list(range(len(moments)))}
    with connection.cursor() as cursor:
        # Raw SQL: spans of time within a lateral join with moments of our own.
        cursor.execute(
            lines.widened(sql, ["key", "place"], names, line) if line else sql, {**selection.values, **values}
        )
        return cursor.fetchall()
