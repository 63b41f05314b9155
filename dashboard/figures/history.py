"""Figures at several moments at once, such as the ends of quarters: one reading, by department or by campaign."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from dashboard.figures.counts import KEYS
from dashboard.figures.coverage import bounds, covering_people, starts
from dashboard.figures.selection import By, Selection
from dashboard.metrics import INTERVALS, Counts, Totals
from dashboard.rollups import intervals
from dashboard.rollups.tallies import TallyGrain

_PEOPLE = {"people_counted": "counted", "people_past_due": "past_due"}
_COUNTS = (*INTERVALS, *_PEOPLE)

# The totals of each group by its key, at one moment.
MomentTotals = dict[Any, Totals]


def standings(selection: Selection, by: By, moments: Sequence[datetime]) -> list[MomentTotals]:
    """Return the totals of each department or campaign at each of the moments, oldest first, none after `as_of`.

    Departments add up to everybody, people too, for nobody is in two; campaigns do not. With the basis of then people
    are placed as they were at the selection's moment, at each moment alike. Active people are not counted: 0.
    ValueError for any other grouping, and for a filter by state, which is another at every moment.
    """
    if by not in {By.DEPARTMENT, By.CAMPAIGN} or selection.states:
        raise ValueError(f"Several moments are not read by {by}, or not in a state.")
    if not moments:
        return []
    grain = covering_people(selection, KEYS[by])
    sinces = starts(selection, moments, with_active=False) if grain and grain.keeps_days else None
    if grain is None or sinces is None:
        return _from_facts(selection, KEYS[by], moments)
    return _from_tallies(selection, KEYS[by], grain, moments, sinces)


def _from_tallies(
    selection: Selection, key: str, grain: TallyGrain, moments: Sequence[datetime], sinces: Sequence[datetime | None]
) -> list[MomentTotals]:
    where = f"tally.grain = {int(grain.grain)} AND {bounds(selection, 'tally')}"
    with connection.cursor() as cursor:
        # Raw SQL: the ORM cannot join a table with moments of our own.
        cursor.execute(
            f"""
            WITH wanted (place, at, since) AS (
                SELECT * FROM unnest(%(places)s::int[], %(moments)s::timestamptz[], %(sinces)s::timestamptz[])
            )
            SELECT place, {key}, is_exempt, {", ".join(f"sum({count})::int" for count in _COUNTS)}
            FROM (
                SELECT wanted.place, tally.* FROM wanted
                JOIN dashboard_tally tally ON tally.is_standing AND tally.at = wanted.since AND {where}
                UNION ALL
                SELECT wanted.place, tally.* FROM wanted
                JOIN dashboard_tally tally ON NOT tally.is_standing
                AND tally.at > greatest(wanted.since, '-infinity') AND tally.at <= wanted.at AND {where}
            ) steps GROUP BY 1, 2, 3
            """,
            {
                **selection.values,
                "places": list(range(len(moments))),
                "moments": list(moments),
                "sinces": list(sinces),
            },
        )
        rows = cursor.fetchall()
    gross: list[dict[Any, Counts]] = [{} for _ in moments]
    exempt: list[dict[Any, Counts]] = [{} for _ in moments]
    for place, group, is_exempt, *counts in rows:
        (exempt if is_exempt else gross)[place][group] = Counts(*counts)
    return [
        {
            group: Totals(whole - taken[group], whole) if group in taken else Totals(whole, whole)
            for group, whole in all_.items()
        }
        for all_, taken in zip(gross, exempt, strict=True)
    ]


def _from_facts(selection: Selection, key: str, moments: Sequence[datetime]) -> list[MomentTotals]:
    """Count every fact that is selected, at each of the moments."""
    source = intervals.current_at("wanted.at", where=selection.of_facts, source=selection.facts)
    columns = [
        column for prefix, kind in (("", "true"), ("net_", "NOT is_exempt")) for column in _columns(prefix, kind)
    ]
    with connection.cursor() as cursor:
        # Raw SQL: spans of time within a lateral join with moments of our own.
        cursor.execute(
            f"""
            WITH wanted (place, at) AS (SELECT * FROM unnest(%(places)s::int[], %(moments)s::timestamptz[]))
            SELECT place, {key}, {", ".join(columns)}
            FROM wanted CROSS JOIN LATERAL (
                SELECT *, EXISTS (
                    SELECT FROM dashboard_exemptspan x
                    WHERE x.enrollment_id = f.enrollment_id AND x.during @> wanted.at
                ) AS is_exempt FROM ({source}) f OFFSET 0
            ) f GROUP BY 1, 2
            """,
            {**selection.values, "places": list(range(len(moments))), "moments": list(moments)},
        )
        rows = cursor.fetchall()
    found: list[MomentTotals] = [{} for _ in moments]
    for place, group, *counts in rows:
        gross = Counts(**dict(zip(_COUNTS, counts, strict=False)))
        found[place][group] = Totals(Counts(**dict(zip(_COUNTS, counts[len(_COUNTS) :], strict=True))), gross)
    return found


def _columns(prefix: str, kind: str) -> list[str]:
    people = [
        f"count(DISTINCT f.person_id) FILTER (WHERE {intervals.holds(INTERVALS[name], 'wanted.at')} AND {kind})::int"
        f" AS {prefix}{count}"
        for count, name in _PEOPLE.items()
    ]
    return [*intervals.at_moment(INTERVALS, "wanted.at", also=kind, prefix=prefix), *people]
