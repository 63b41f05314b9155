"""Counts from tallies: what stood at the last beginning of a month, or today's, and what came since."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from dashboard.figures import lines
from dashboard.figures.coverage import covering, holds, kept_counts, starts
from dashboard.figures.selection import Selection
from dashboard.metrics import COUNT_NAMES, NO_COUNTS, Counts, Totals
from dashboard.rollups.tallies import COHORTS, TALLIES, TallyTable

# The totals of each group by its key, at one moment.
MomentTotals = dict[Any, Totals]


def counts(
    selection: Selection, key: str, moments: Sequence[datetime], names: Sequence[str], *, line: str = ""
) -> list[MomentTotals] | None:
    """Return, for each moment, these counts of each value of a key, or of everything under 0; the others are 0.

    None where tallies do not hold every one of them. `line`: see `lines.widened`.
    """
    grain = covering(selection, key)
    if grain is None or not kept_counts(selection, key).issuperset(names):
        return None
    sinces = starts(
        selection,
        moments,
        keeps_days=grain.keeps_days,
        keeps_months=grain.keeps_months,
        with_active="people_active" in names,
    )
    if sinces is None:
        return None
    where = f"tally.grain = {int(grain.grain)} AND {selection.where(selection.narrowed_by, 'tally')}"
    rows = _sums(TALLIES, (key or "0", "is_exempt"), names, moments, sinces, where, selection.values, line=line)
    gross: list[dict[Any, Counts]] = [{} for _ in moments]
    exempt: list[dict[Any, Counts]] = [{} for _ in moments]
    is_in_order = tuple(names) == COUNT_NAMES[: len(names)]
    for value, is_exempt, place, *numbers in rows:
        here = Counts(*numbers) if is_in_order else Counts(**dict(zip(names, numbers, strict=True)))
        (exempt if is_exempt else gross)[place][value] = here
    return [_totals(*both) for both in zip(gross, exempt, strict=True)]


def _totals(gross: dict[Any, Counts], exempt: dict[Any, Counts]) -> MomentTotals:
    found = {value: Totals(whole, whole) for value, whole in gross.items()}
    for value, taken in exempt.items():
        whole = gross.get(value, NO_COUNTS)
        found[value] = Totals(whole - taken, whole)
    return found


def cohorts(selection: Selection, key: str, keys: Sequence[str], names: Sequence[str]) -> list[tuple[Any, ...]] | None:
    """Return the keys (SQL over department_id, due_month and is_exempt) and counts; None where only facts can tell."""
    moments = [selection.as_of]
    sinces = starts(selection, moments) if holds(selection, key, COHORTS.keys) else None
    if sinces is None:
        return None
    where = selection.where(selection.narrowed_by, "tally")
    rows = _sums(COHORTS, keys, names, moments, sinces, where, selection.values)
    return [(*row[: len(keys)], *row[len(keys) + 1 :]) for row in rows]


def _sums(
    table: TallyTable,
    keys: Sequence[str],
    names: Sequence[str],
    moments: Sequence[datetime],
    sinces: Sequence[datetime | None],
    where: str,
    values: dict[str, Any],
    *,
    line: str = "",
) -> list[tuple[Any, ...]]:
    """Return the keys, the place of the moment and the counts summed up to it; with `line` of whole lines."""
    # A moment alone is no group, and Postgres plans best for constants.
    is_one = len(moments) == 1
    if is_one:
        place, at, since, source = "0 AS place", "%(at)s", "%(since)s::timestamptz", f"{table.table} tally WHERE"
    else:
        place, at, since = "wanted.place", "wanted.at", "wanted.since"
        source = f"wanted JOIN {table.table} tally ON"
    named = ", ".join(f"{expression} AS key_{number}" for number, expression in enumerate(keys))
    sums = (f"sum({name})::int AS {name}" for name in names)
    # Raw SQL: the ORM cannot join a table with moments of our own.
    sql = f"""
        {"" if is_one else _WANTED}
        SELECT {named}, {"0 AS place" if is_one else "place"}, {", ".join(sums)}
        FROM (
            SELECT {place}, tally.* FROM {source} {where} AND tally.is_standing AND tally.at = {since}
            UNION ALL
            SELECT {place}, tally.* FROM {source} {where} AND NOT tally.is_standing
            AND tally.at > greatest({since}, '-infinity') AND tally.at <= {at}
        ) steps
        GROUP BY {", ".join(str(number + 1) for number in range(len(keys) + (not is_one)))}
    """
    if line:
        sql = lines.widened(sql, [*(f"key_{number}" for number in range(len(keys))), "place"], names, line)
    places: dict[str, Any] = {"places": list(range(len(moments))), "moments": list(moments), "sinces": list(sinces)}
    with connection.cursor() as cursor:
        cursor.execute(sql, {**values, **places, "at": moments[0], "since": sinces[0]})
        return cursor.fetchall()


_WANTED = """
    WITH wanted (place, at, since) AS (
        SELECT * FROM unnest(%(places)s::int[], %(moments)s::timestamptz[], %(sinces)s::timestamptz[])
    )
"""
