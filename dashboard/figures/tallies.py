"""Answers from tallies: a sum over what stood at the last beginning of a month, or today's, and what came since."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connection

from dashboard.figures import lines as reporting_lines
from dashboard.figures.coverage import bounds, covering, covering_people, holds, starts
from dashboard.figures.selection import Selection
from dashboard.metrics import COUNT_NAMES, Counts, Totals
from dashboard.rollups.tallies import COHORTS, PEOPLE


def totals(selection: Selection, key: str, *, with_people: bool, lines: str = "") -> dict[Any, Totals] | None:
    """Return the totals of each value of a key, or of everything under 0; None where only the facts can tell.

    Distinct people are in them where `has_people`, and if they are wanted. `lines`: see `reporting_lines.widened`.
    """
    is_counting_people = with_people and has_people(selection, key)
    # In the order of `Counts`, people last: those who are not wanted are 0.
    counts = COUNT_NAMES if is_counting_people else tuple(c for c in COUNT_NAMES if c not in PEOPLE)
    rows = _of_key(selection, key, counts, lines=lines)
    if rows is None:
        return None
    blank = (0,) * (len(COUNT_NAMES) - len(counts))
    found: dict[Any, Totals] = {}
    exempt: dict[Any, Counts] = {}
    for value, is_exempt, *numbers in rows:
        whole = Counts._make((*numbers, *blank))
        if is_exempt:
            exempt[value] = whole
        else:
            found[value] = Totals(whole, whole)
    for value, taken in exempt.items():
        whole = found.get(value, Totals()).gross
        found[value] = Totals(whole - taken, whole)
    return found


def people_counted(selection: Selection, key: str) -> dict[Any, int] | None:
    """Return how many people have anything counted under each value of a key, net; None where only facts can tell.

    Only where `has_people`.
    """
    rows = _of_key(selection, key, ("people_counted",))
    if rows is None:
        return None
    found: dict[Any, int] = {}
    for value, is_exempt, people in rows:
        found[value] = found.get(value, 0) + (-people if is_exempt else people)
    return found


def _of_key(selection: Selection, key: str, counts: Iterable[str], *, lines: str = "") -> list[tuple[Any, ...]] | None:
    """Return the counts of each value of a key: as they are, and what exemptions take away; None: no tallies can."""
    grain = covering(selection, key)
    since = grain and starts(selection, [selection.as_of], keeps_days=grain.keeps_days, keeps_months=grain.keeps_months)
    if not grain or not since:
        return None
    where = f"grain = {int(grain.grain)} AND {bounds(selection)}"
    return _sums("dashboard_tally", (key or "0", "is_exempt"), counts, since[0], where, selection.values, lines=lines)


def has_people(selection: Selection, key: str) -> bool:
    """Return whether the tallies that answer hold distinct people, too: of campaigns, only one by one."""
    return covering_people(selection, key) is not None


def has_active_people(selection: Selection, key: str) -> bool:
    """Return whether they hold active people, too: those of campaigns do not, for nobody is one campaign's."""
    grain = covering(selection, key)
    return grain is not None and bool(grain.people) and "campaign_id" not in grain.people


def cohorts(selection: Selection, key: str, keys: Iterable[str], counts: Iterable[str]) -> list[tuple[Any, ...]] | None:
    """Return the keys (SQL over department_id, due_month and is_exempt) and counts; None where only facts can tell."""
    since = starts(selection, [selection.as_of]) if holds(selection, key, COHORTS.keys) else None
    if since is None:
        return None
    return _sums("dashboard_cohorttally", keys, counts, since[0], bounds(selection), selection.values)


def _sums(
    table: str,
    keys: Iterable[str],
    counts: Iterable[str],
    since: datetime | None,
    where: str,
    values: dict[str, Any],
    *,
    lines: str = "",
) -> list[tuple[Any, ...]]:
    """Return the counts summed up to `now`, by keys; with `lines` the first key is a manager, with all below them."""
    keys, counts = tuple(keys), tuple(counts)
    named = ", ".join(f"{expression} AS key_{place}" for place, expression in enumerate(keys))
    sql = f"""
        SELECT {named}, {", ".join(f"sum({count})::int AS {count}" for count in counts)}
        FROM (
            SELECT * FROM {table} WHERE {where} AND is_standing AND at = %(since)s
            UNION ALL
            SELECT * FROM {table} WHERE {where} AND NOT is_standing
            AND at > coalesce(%(since)s::timestamptz, '-infinity') AND at <= %(now)s
        ) tally
        GROUP BY {", ".join(str(place + 1) for place in range(len(keys)))}
    """
    if lines:
        sql = reporting_lines.widened(sql, [f"key_{place}" for place in range(len(keys))], counts, lines)
    with connection.cursor() as cursor:
        cursor.execute(sql, {**values, "since": since})
        return cursor.fetchall()
