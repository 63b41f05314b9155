"""People by key, each with their figures at a moment, counted from their own facts."""

from dataclasses import replace
from datetime import datetime

from dashboard.access import Scope
from dashboard.figures.counts import IS_EXEMPT
from dashboard.figures.select_query import SelectQuery
from dashboard.figures.selection import Basis, Filters, select
from dashboard.metrics import INTERVALS
from dashboard.queries.fields import PEOPLE, of_api, selected
from dashboard.queries.people import Status
from dashboard.rollups import intervals

_LEFT = "f.left_at <= %(now)s"
_STATUSES = {Status.ACTIVE: f"({_LEFT}) IS NOT TRUE", Status.LEFT: _LEFT, Status.ANY: "true"}


def people_page(
    scope: Scope,
    *,
    as_of: datetime,
    after: int,
    limit: int,
    filters: Filters = Filters(),  # noqa: B008 - frozen
    status: Status = Status.ACTIVE,
    only: int | None = None,
) -> SelectQuery | None:
    """Return the people in scope with a key of ours above `after`, `limit` of them; None: nobody may be seen.

    Of `filters` those about people count. Figures are net of exemptions; `only` is one person's key.
    """
    selection = select(scope, as_of=as_of, filters=filters, basis=Basis.NOW)
    if selection is None:
        return None
    selection = replace(selection, only=only)
    return SelectQuery(
        _COLUMNS,
        f"""(SELECT f.* FROM {selection.standings}
             WHERE f.person_id > %(after)s AND {selection.of_people} AND {_STATUSES[status]}
             ORDER BY f.person_id LIMIT %(limit)s) f""",
        "f.person_id",
        {**selection.values, "after": after, "limit": limit},
        _JOINS,
    )


def _count(name: str) -> str:
    return f"count(*) FILTER (WHERE NOT is_exempt AND {intervals.holds(INTERVALS[name], '%(now)s')})"


_JOINS = {
    "person": "JOIN sync_person person ON person.id = f.person_id",
    "department": "LEFT JOIN sync_department department ON department.id = f.department_id",
    "figures": f"""
        LEFT JOIN LATERAL (
            SELECT {_count("counted")} AS assigned, {_count("completed")} AS completed,
                   {_count("past_due")} AS past_due, {_count("in_progress")} AS in_progress,
                   count(*) FILTER (WHERE is_exempt) AS exempt,
                   min(d) FILTER (WHERE NOT is_exempt AND {intervals.holds(INTERVALS["past_due"], "%(now)s")})
                       AS oldest_due_at,
                   max(greatest(CASE WHEN s <= %(now)s THEN s END, CASE WHEN c <= %(now)s THEN c END))
                       AS last_activity_at
            FROM (
                SELECT f.enrolled_at AS e, coalesce(f.until, 'infinity') AS u, coalesce(f.started_at, 'infinity') AS s,
                       coalesce(f.completed_at, 'infinity') AS c, coalesce(f.due_at, 'infinity') AS d,
                       least(f.completed_at, f.due_at, 'infinity') AS i, {IS_EXEMPT} AS is_exempt
                FROM dashboard_fact f
                WHERE f.account_id = %(account)s AND f.person_id = person.id AND f.enrolled_at <= %(now)s
                  AND coalesce(f.until, 'infinity') > %(now)s
            ) f
        ) figures ON true
    """,
}
_COLUMNS = {
    "key": "f.person_id",
    **selected(
        of_api(PEOPLE),
        "figures",
        is_active=f"({_LEFT}) IS NOT TRUE",
        # At an unknown moment: see `metrics.NEVER`.
        left_at=f"CASE WHEN {_LEFT} AND f.left_at >= '1901-01-01'::timestamptz THEN f.left_at END",
    ),
}
