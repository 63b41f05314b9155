"""Enrollments by key: those that count at a moment, or all there are, each with where it stands then."""

from dataclasses import replace
from datetime import datetime

from dashboard.access import Scope
from dashboard.figures.counts import IS_EXEMPT
from dashboard.figures.select_query import SelectQuery
from dashboard.figures.selection import Basis, Filters, Selection, select
from dashboard.metrics import State
from dashboard.models import CONTENT_TYPE_CODES
from dashboard.queries.fields import ENROLLMENTS, of_api, selected
from dashboard.queries.fields.enrollments import held
from dashboard.queries.past_due import IS_PAST_DUE
from dashboard.rollups.facts import NAME_KEY


def enrollment_page(
    scope: Scope,
    *,
    as_of: datetime,
    after: int,
    limit: int,
    filters: Filters = Filters(),  # noqa: B008 - frozen
    person: int | None = None,
    only: int | None = None,
    with_uncounted: bool = False,
    is_exempt: bool | None = None,
) -> SelectQuery | None:
    """Return the enrollments of people in scope with a key of ours above `after`, `limit` of them; None: nobody's.

    They are exactly those that `counted` counts at `as_of`, exempt ones too; `with_uncounted` those too that no figure
    counts: optional campaigns, people who left, words nobody knows. `person` and `only` are keys of one person and one
    enrollment; `is_exempt` leaves those that are, or are not, under an exemption.
    """
    selection = select(scope, as_of=as_of, filters=filters, basis=Basis.NOW)
    if selection is None:
        return None
    selection = replace(selection, only=person)
    source = _everything(selection, has_all=scope.sees_everyone) if with_uncounted else _facts(selection)
    conditions = ["f.enrollment_id > %(after)s", selection.of_facts, selection.of_states]
    if not with_uncounted:
        conditions.append(held("counted"))
    if only is not None:
        conditions.append("f.enrollment_id = %(enrollment)s")
    if is_exempt is not None:
        conditions.append(IS_EXEMPT if is_exempt else f"NOT {IS_EXEMPT}")
    return SelectQuery(
        _COLUMNS if with_uncounted else {**_COLUMNS, "is_counted": "true"},
        f"(SELECT f.* FROM {source} WHERE {' AND '.join(conditions)} ORDER BY f.enrollment_id LIMIT %(limit)s) f",
        "f.enrollment_id",
        {**selection.values, "after": after, "limit": limit, "enrollment": only},
        _JOINS,
    )


# So many together are still few of all enrollments.
_FEW_CAMPAIGNS = 5


# The moments of an interval as they are: see `intervals.current_at`, which the planner cannot look through.
_MOMENTS = """
    f.enrolled_at AS e, coalesce(f.until, 'infinity') AS u, coalesce(f.started_at, 'infinity') AS s,
    coalesce(f.completed_at, 'infinity') AS c, coalesce(f.due_at, 'infinity') AS d,
    least(f.completed_at, f.due_at, 'infinity') AS i, f.completed_at > f.due_at AS is_late
"""
_DIMENSIONS = "f.enrollment_id, f.account_id, f.person_id, f.department_id, f.manager_id, f.campaign_id, f.content_type"


def _facts(selection: Selection) -> str:
    source = selection.facts
    is_past_due = selection.states == {State.PAST_DUE}
    if is_past_due or (selection.campaigns is not None and len(selection.campaigns) <= _FEW_CAMPAIGNS):
        # Few of very many, spread over all of them: found by their index first, then put in order.
        condition = f"{selection.of_facts} AND {IS_PAST_DUE}" if is_past_due else selection.of_facts
        source = f"(SELECT * FROM {source} WHERE {condition} OFFSET 0) f"
    return f"(SELECT {_DIMENSIONS}, {_MOMENTS} FROM {source}) f"


def _everything(selection: Selection, *, has_all: bool) -> str:
    """Return the source of every enrollment that is there at the moment, placed as facts are."""
    codes = " ".join(f"WHEN '{kind.value}' THEN {code}" for kind, code in CONTENT_TYPE_CODES.items())
    return f"""
        (SELECT {_DIMENSIONS}, {_MOMENTS}
         FROM (SELECT e.id AS enrollment_id, e.account_id, e.person_id,
                      CASE WHEN home.key = '' THEN 0 ELSE coalesce(home.id, 0) END AS department_id,
                      coalesce(p.manager_id, {NAME_KEY.format("coalesce(p.manager_name, '')")}) AS manager_id,
                      coalesce(e.campaign_id, 0) AS campaign_id,
                      CASE item.content_type {codes} ELSE 0 END AS content_type,
                      e.enrolled_at, e.removed_at AS until, e.started_at, e.completed_at, e.due_at
               FROM sync_enrollment e
               LEFT JOIN sync_person p ON p.id = e.person_id
               LEFT JOIN sync_department own ON own.id = p.department_id
               LEFT JOIN sync_department home ON home.id = coalesce(own.merged_into_id, own.id)
               LEFT JOIN sync_contentitem item ON item.id = e.content_id
               WHERE e.account_id = %(account)s AND {"true" if has_all else "p.id IS NOT NULL"}) f
         WHERE f.enrolled_at <= %(now)s AND (f.until IS NULL OR f.until > %(now)s)) f
    """


_JOINS = {
    # One look-up per row of the page: what row-level security asks of a row costs so much by the planner's reckoning
    # that it would rather read the whole table. OFFSET keeps it from doing so.
    "enrollment": """
        CROSS JOIN LATERAL (SELECT * FROM sync_enrollment e WHERE e.id = f.enrollment_id OFFSET 0) enrollment
    """,
    "counted": """
        LEFT JOIN LATERAL (
            SELECT true AS it_is FROM dashboard_fact fact
            WHERE fact.enrollment_id = f.enrollment_id AND fact.enrolled_at <= %(now)s
              AND coalesce(fact.until, 'infinity') > %(now)s OFFSET 0
        ) counted ON true
    """,
    "person": "LEFT JOIN sync_person person ON person.id = f.person_id",
    "department": "LEFT JOIN sync_department department ON department.id = f.department_id",
    "campaign": "LEFT JOIN sync_campaign campaign ON campaign.id = f.campaign_id",
    "content": "LEFT JOIN sync_contentitem content ON content.id = enrollment.content_id",
}
_COLUMNS = {"key": "f.enrollment_id", **selected(of_api(ENROLLMENTS), "f")}
