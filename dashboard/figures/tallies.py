"""Answers from tallies: a sum over what stood at the last beginning of a month, or today's, and what came since."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from dashboard.figures import lines as reporting_lines
from dashboard.figures.selection import Basis, Selection
from dashboard.local_days import local_midnight
from dashboard.metrics import COUNT_NAMES, Counts, Totals
from dashboard.models import RollupState
from dashboard.rollups.buckets import Horizon, is_midnight, is_month_start
from dashboard.rollups.tallies import PEOPLE, TALLY_GRAINS, TallyGrain

_BOUNDS = {
    "department_id": "departments",
    "manager_id": "managers",
    "campaign_id": "campaigns",
    "content_type": "content_types",
}


@dataclass(frozen=True)
class Past:
    """Start of a sum up to a moment: from what stood at `since` (None: from the beginning)."""

    since: datetime | None


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
    tally_grain, past = _source(selection, key)
    if tally_grain is None or past is None:
        return None
    bounds = [f"{column} = ANY(%({name})s)" for column, name in _BOUNDS.items() if getattr(selection, name) is not None]
    where = [f"grain = {int(tally_grain.grain)}", *bounds]
    return _sums("dashboard_tally", (key or "0", "is_exempt"), counts, past, where, selection.values, lines=lines)


def has_people(selection: Selection, key: str) -> bool:
    """Return whether the tallies that answer hold distinct people, too: of campaigns, only one by one."""
    tally_grain, _ = _source(selection, key)
    if tally_grain is None or not tally_grain.people:
        return False
    is_one = selection.campaigns is not None and len(selection.campaigns) == 1
    return "campaign_id" not in tally_grain.people or (
        (is_one or key == "campaign_id") and selection.content_types is None and key != "content_type"
    )


def has_active_people(selection: Selection, key: str) -> bool:
    """Return whether they hold active people, too: those of campaigns do not, for nobody is one campaign's."""
    tally_grain, _ = _source(selection, key)
    return tally_grain is not None and bool(tally_grain.people) and "campaign_id" not in tally_grain.people


def cohorts(selection: Selection, keys: Iterable[str], counts: Iterable[str]) -> list[tuple[Any, ...]] | None:
    """Return the keys (SQL over department_id, due_month and is_exempt) and counts; None where only facts can tell."""
    # An empty filter is one, too: nothing passes it.
    narrowed = (selection.managers, selection.campaigns, selection.content_types, selection.groups, selection.only)
    is_plain = selection.basis == Basis.NOW and not selection.states and all(ids is None for ids in narrowed)
    is_plain = is_plain and not selection.is_mixed
    past = _past(selection, keeps_days=True, keeps_months=True) if is_plain else None
    if past is None:
        return None
    bounds = ["department_id = ANY(%(departments)s)"] if selection.departments is not None else []
    return _sums("dashboard_cohorttally", keys, counts, past, bounds, selection.values)


def _source(selection: Selection, key: str) -> tuple[TallyGrain | None, Past | None]:
    """Return the smallest tally_grain that holds what is asked for, and how to sum it."""
    is_other = (
        selection.groups is not None
        or selection.states
        or selection.without is not None
        or selection.only
        or selection.is_mixed
    )
    if selection.basis != Basis.NOW or is_other or key == "group_id":
        return None, None
    needed = {column for column, name in _BOUNDS.items() if getattr(selection, name) is not None}
    needed |= {key} if key else set()
    for tally_grain in TALLY_GRAINS:
        if needed <= set(tally_grain.keys):
            return tally_grain, _past(
                selection, keeps_days=tally_grain.keeps_days, keeps_months=tally_grain.keeps_months
            )
    return None, None


def _past(selection: Selection, *, keeps_days: bool, keeps_months: bool) -> Past | None:
    """Return how to sum up to the selection's moment; None where tallies are not that fine, or not there."""
    state = selection.state
    if state is None or state.tallies_from is None or state.time_zone != selection.account.time_zone:
        return None
    as_of, zone = selection.as_of, selection.zone
    if as_of >= state.horizon:
        return Past(state.horizon)
    if as_of < state.tallies_from or not is_midnight(as_of, zone):
        return None
    if not keeps_days and as_of < state.days_from and not is_month_start(as_of, zone):
        return None
    return Past(_month_before(as_of, state, zone) if keeps_months else None)


def _month_before(as_of: datetime, state: RollupState, zone: ZoneInfo) -> datetime | None:
    """Return the last beginning of a month, no later than `as_of`, whose standing is kept."""
    start = local_midnight(as_of.astimezone(zone).date().replace(day=1), zone)
    kept = Horizon(state.horizon, state.days_from, zone).months_since(state.tallies_from or state.horizon)
    return start if start in kept else None


def _sums(
    table: str,
    keys: Iterable[str],
    counts: Iterable[str],
    past: Past,
    bounds: Iterable[str],
    values: dict[str, Any],
    *,
    lines: str = "",
) -> list[tuple[Any, ...]]:
    """Return the counts summed up to `now`, by keys; with `lines` the first key is a manager, with all below them."""
    where = " AND ".join(("account_id = %(account)s", *bounds))
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
        cursor.execute(sql, {**values, "since": past.since})
        return cursor.fetchall()
