"""People: where each stands now, and when they began and ceased to have something counted or past due.

Distinct people do not add up over campaigns, so they are worked out person by person: the intervals of all their
enrollments are joined to spans, and each end of a span is a step.
"""

from datetime import datetime

from django.db import connection
from django.db.models.expressions import RawSQL

from dashboard import metrics
from dashboard.rollups import facts, intervals
from sync.models import Account, Person

PEOPLE = ("people_counted", "people_past_due", "people_active")

_HAS_SPANS = (
    "f.person_id IN (SELECT g.person_id FROM dashboard_exemptspan x JOIN dashboard_fact g USING (enrollment_id)"
    " WHERE x.account_id = %(account)s)"
)
_IS_EXCUSED = "f.enrollment_id IN (SELECT enrollment_id FROM dashboard_exemptspan WHERE account_id = %(account)s)"


def events(where: str) -> str:
    """Return the SQL for when people begin and cease to be counted, past due and active; `where` selects facts f.

    Rows: is_exempt, department_id, manager_id, m and the three steps. Those of exemptions are gross less net: people
    with an exemption as they are without it, less as they are under it.
    """
    return f"""
        {_events("department_id, manager_id", where)}
        UNION ALL
        SELECT false, department_id, manager_id, m, 0, 0, step
        FROM dashboard_personstanding f CROSS JOIN LATERAL (
            VALUES (coalesce(joined_at, %(never)s), 1), (left_at, -1)
        ) ends (m, step)
        WHERE account_id = %(account)s AND ({where}) AND m IS NOT NULL
          AND (left_at IS NULL OR coalesce(joined_at, %(never)s) < left_at)
    """


def campaign_events(where: str) -> str:
    """Return the same for the people of each campaign, with campaign_id in the manager's place; none is active."""
    return _events("department_id, campaign_id", where)


def _events(keys: str, where: str) -> str:
    excused = f"({where}) AND {_HAS_SPANS}"
    net = f"""
        {intervals.current(where=f"{excused} AND NOT {_IS_EXCUSED}")}
        UNION ALL {intervals.current(where=excused, net_of_exemptions=True)}
    """
    return f"""
        {_steps(intervals.current(where=where), keys, "false", 1)}
        UNION ALL {_steps(intervals.current(where=excused), keys, "true", 1)}
        UNION ALL {_steps(net, keys, "true", -1)}
    """


def _steps(people: str, keys: str, is_exempt: str, sign: int) -> str:
    return f"""
        SELECT {is_exempt} AS is_exempt, {keys}, m, counted_step AS people_counted,
               past_due_step AS people_past_due, 0 AS people_active
        FROM (
            SELECT person_id, {keys},
                   range_agg(tstzrange(e, u)) AS counted, range_agg(tstzrange(d, c)) FILTER (WHERE d < c) AS past_due
            FROM ({people}) f GROUP BY person_id, {keys}
        ) spans CROSS JOIN LATERAL (
            SELECT lower(span), {sign}, 0 FROM unnest(counted) AS span
            UNION ALL SELECT upper(span), {-sign}, 0 FROM unnest(counted) AS span
            UNION ALL SELECT lower(span), 0, {sign} FROM unnest(past_due) AS span
            UNION ALL SELECT upper(span), 0, {-sign} FROM unnest(past_due) AS span
        ) ends (m, counted_step, past_due_step)
        WHERE m < 'infinity'
    """


def write(account: Account, *, at: datetime, affected: bool) -> bool:
    """Write where people stand at a moment: the affected ones, or all; return whether any reports to another now."""
    people = Person.objects.filter(account=account)
    if affected:
        people = people.filter(pk__in=RawSQL("SELECT person_id FROM affected_person", []))
    sql, params = (
        people.order_by()
        .values_list("pk", facts.department_key(), facts.manager_key(), "joined_at", metrics.left_at())
        .query.sql_with_params()
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE someone (person_id bigint, department_id bigint, manager_id bigint,"
            " joined_at timestamptz, left_at timestamptz) ON COMMIT DROP"
        )
        cursor.execute(f"INSERT INTO someone {sql}", params)
        cursor.execute(
            """
            SELECT EXISTS (
                SELECT FROM someone s LEFT JOIN dashboard_personstanding was USING (person_id)
                WHERE s.manager_id IS DISTINCT FROM was.manager_id
            )
            """
        )
        is_moved = bool(cursor.fetchone()[0])
        if affected:
            cursor.execute(
                "DELETE FROM dashboard_personstanding WHERE person_id IN (SELECT person_id FROM affected_person)"
            )
        where = "f.person_id IN (SELECT person_id FROM affected_person)" if affected else "true"
        cursor.execute(
            f"""
            INSERT INTO dashboard_personstanding (
                person_id, account_id, department_id, manager_id, joined_at, left_at, computed_at, {", ".join(FIGURES)}
            )
            SELECT s.person_id, %(account)s, s.department_id, s.manager_id, s.joined_at, s.left_at, %(now)s,
                   coalesce(counted, 0), coalesce(completed, 0), coalesce(past_due, 0), coalesce(exempt, 0),
                   oldest_due_at, last_activity_at, next_event_at
            FROM someone s LEFT JOIN ({figures("%(now)s", where)}) AS figure USING (person_id)
            """,
            {"account": account.pk, "now": at},
        )
        cursor.execute("DROP TABLE someone")
    return is_moved


FIGURES = "counted completed past_due exempt oldest_due_at last_activity_at next_event_at".split()


def figures(moment: str, where: str) -> str:
    """Return the SQL for each person's figures at a moment, net of exemptions; `where` selects facts f.

    People without facts have no row. `next_event_at` is when time alone changes the figures next.
    """
    counted, completed, past_due = (
        intervals.holds(metrics.INTERVALS[name], moment) for name in ("counted", "completed", "past_due")
    )
    return f"""
        SELECT f.person_id,
               count(*) FILTER (WHERE {counted} AND NOT is_exempt)::int AS counted,
               count(*) FILTER (WHERE {completed} AND NOT is_exempt)::int AS completed,
               count(*) FILTER (WHERE {past_due} AND NOT is_exempt)::int AS past_due,
               count(*) FILTER (WHERE {counted} AND is_exempt)::int AS exempt,
               min(f.due_at) FILTER (WHERE {past_due} AND NOT is_exempt) AS oldest_due_at,
               max(greatest(CASE WHEN completed <= {moment} THEN completed END,
                            CASE WHEN started <= {moment} THEN started END)) AS last_activity_at,
               least(min(e) FILTER (WHERE e > {moment}), min(c) FILTER (WHERE c > {moment} AND c < 'infinity'),
                     min(started) FILTER (WHERE started > {moment} AND started < 'infinity'),
                     min(completed) FILTER (WHERE completed > {moment} AND completed < 'infinity'),
                     min(d) FILTER (WHERE d > {moment} AND d < 'infinity' AND d < c),
                     min(u) FILTER (WHERE u > {moment} AND u < 'infinity'), min(edge)) AS next_event_at
        FROM (
            SELECT f.*, coalesce(is_now, false) AS is_exempt, edge
            FROM ({intervals.current(where=where)}) f
            LEFT JOIN (
                SELECT enrollment_id, bool_or(during @> {moment}::timestamptz) AS is_now,
                       least(min(lower(during)) FILTER (WHERE lower(during) > {moment}),
                             min(upper(during)) FILTER (WHERE upper(during) > {moment})) AS edge
                FROM dashboard_exemptspan WHERE account_id = %(account)s GROUP BY enrollment_id
            ) x USING (enrollment_id)
        ) f
        GROUP BY f.person_id
    """


def renew(account: Account, *, at: datetime) -> int:
    """Bring people up to date whose figures changed by time alone since they were computed; return how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE affected_person ON COMMIT DROP AS SELECT person_id FROM dashboard_personstanding "
            "WHERE account_id = %s AND next_event_at <= %s",
            [account.pk, at],
        )
        count = cursor.rowcount
    if count:
        write(account, at=at, affected=True)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE affected_person")
    return count
