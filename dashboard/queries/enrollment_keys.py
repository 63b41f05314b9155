"""Keys of the enrollments behind a campaign's count, a page at a time: from facts, whatever the table's size."""

from datetime import datetime

from django.db import connection

from dashboard.access import Scope
from dashboard.figures.selection import Filters, select
from dashboard.metrics import INTERVALS
from dashboard.queries.past_due import IS_PAST_DUE
from dashboard.rollups import intervals
from sync.models import Campaign

NOT_STARTED = "not_started"


def enrollment_keys(
    scope: Scope, campaign: Campaign, measure: str, *, as_of: datetime, limit: int, offset: int
) -> list[int]:
    """Return our ids of the enrollments that a gross count counts: one of `INTERVALS`, or `not_started`; by id."""
    selection = select(scope, as_of=as_of, filters=Filters(campaigns=frozenset({campaign.pk})))
    if selection is None:
        return []
    where = selection.of_facts
    if measure == "past_due":
        where = f"{where} AND {IS_PAST_DUE}"
    with connection.cursor() as cursor:
        # Raw SQL: what counts is said by the intervals of every figure alike.
        cursor.execute(
            f"""
            SELECT f.enrollment_id
            FROM ({intervals.current_at("%(now)s", where=where, source=selection.facts)}) f
            WHERE {_in_count(measure)} ORDER BY f.enrollment_id LIMIT %(limit)s OFFSET %(offset)s
            """,
            {**selection.values, "limit": limit, "offset": offset},
        )
        return [key for (key,) in cursor.fetchall()]


def _in_count(measure: str) -> str:
    if measure != NOT_STARTED:
        return _held(measure)
    others = " OR ".join(f"({_held(name)})" for name in ("completed", "past_due", "in_progress"))
    return f"{_held('counted')} AND NOT ({others})"


def _held(name: str) -> str:
    return f"({intervals.holds(INTERVALS[name], '%(now)s')})"
