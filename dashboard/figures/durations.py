"""Days to complete: how long finishers took from their enrollment on."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from dashboard.access import Scope
from dashboard.figures.counts import BY_CODE, IS_EXEMPT, KEYS, Key
from dashboard.figures.names import names
from dashboard.figures.selection import Basis, By, Filters, Selection, select
from dashboard.metrics import INTERVALS
from dashboard.rollups import intervals

# Percentiles do not add up: neither over whole lines nor over groups that share people.
GROUPED_BY = (By.DEPARTMENT, By.MANAGER, By.CAMPAIGN, By.CONTENT_TYPE)


@dataclass(frozen=True)
class Durations:
    """Days from enrollment to completion of what is completed; None where nothing is.

    Between two values a percentile lies on the straight line. Days are of 24 hours, with fractions; credit carried over
    from before the enrollment (seen live) is negative.
    """

    median: float | None = None
    ninetieth: float | None = None
    finishers: int = 0
    unfinished: int = 0


@dataclass(frozen=True)
class DurationRow:
    """One group's days to complete (key 0 and no name without groups), without what is exempt and with it."""

    key: Key
    name: str
    net: Durations
    gross: Durations


def days_to_complete(
    scope: Scope,
    *,
    as_of: datetime,
    filters: Filters = Filters(),  # noqa: B008 - frozen
    basis: Basis = Basis.NOW,
    by: By | None = None,
) -> list[DurationRow]:
    """Return how long finishers took, over enrollments counted at `as_of`; one row, or one per group by name.

    Managers have their direct reports. ValueError for a grouping that is none of `GROUPED_BY`. Nobody in scope: no row.
    """
    if by is not None and by not in GROUPED_BY:
        raise ValueError(f"Days to complete are not grouped by {by}.")
    selection = select(scope, as_of=as_of, filters=filters, basis=basis)
    if selection is None:
        return []
    found = {_key(by, key): kinds for key, kinds in _read(selection, KEYS[by] if by else "0").items()}
    if by is None:
        net, gross = found.get(0, (Durations(), Durations()))
        return [DurationRow(0, "", net, gross)]
    called = names(selection, by, found)
    rows = [DurationRow(key, called.get(key, ""), net, gross) for key, (net, gross) in found.items()]
    return sorted(rows, key=lambda row: (not row.name, row.name.casefold(), str(row.key)))


def _key(by: By | None, key: int) -> Key:
    return BY_CODE[key].value if by == By.CONTENT_TYPE else key


def _read(selection: Selection, key: str) -> dict[int, tuple[Durations, Durations]]:
    """Return net and gross by key. Percentiles need every single duration: no sums can tell them."""
    source = intervals.current_at("%(now)s", where=selection.of_facts, source=selection.facts)
    kinds = ["true", "NOT is_exempt"] if selection.has_exemptions else ["true"]
    is_done = intervals.holds(INTERVALS["completed"], "%(now)s")
    columns = ", ".join(
        f"""
        percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY days) FILTER (WHERE days IS NOT NULL AND {kind}),
        count(days) FILTER (WHERE {kind})::int, count(*) FILTER (WHERE {kind} AND days IS NULL)::int
        """
        for kind in kinds
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT key, {columns} FROM (
                SELECT {key} AS key, {IS_EXEMPT if selection.has_exemptions else "false"} AS is_exempt,
                       CASE WHEN {is_done} THEN extract(epoch FROM completed - e)::float8 / 86400 END AS days
                FROM ({source}) f WHERE {selection.of_states}
            ) duration GROUP BY key
            """,
            selection.values,
        )
        found = {}
        for group, *values in cursor.fetchall():
            gross = _durations(*values[:3])
            found[group] = (_durations(*values[3:]) if selection.has_exemptions else gross, gross)
        return found


def _durations(percentiles: list[float] | None, finishers: int, unfinished: int) -> Durations:
    median, ninetieth = percentiles or (None, None)
    return Durations(median, ninetieth, finishers, unfinished)
