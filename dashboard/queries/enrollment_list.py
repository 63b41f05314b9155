"""Enrollments as a list that can be written out whole: exactly those that a count counts, with all that is known.

What counts, and where each stands, follows from the intervals of every figure (`metrics.INTERVALS`); people are in the
department and under the manager that the basis says.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from dashboard.access import Scope
from dashboard.figures.counts import IS_EXEMPT, figures
from dashboard.figures.names import NAME
from dashboard.figures.select_query import SelectQuery
from dashboard.figures.selection import Basis, Filters, Selection, select
from dashboard.metrics import INTERVALS
from dashboard.queries import campaign as campaigns
from dashboard.queries.fields import ENROLLMENTS, selected
from dashboard.queries.fields.enrollments import held
from dashboard.rollups import intervals
from sync.models import Campaign

# Counts whose enrollments can be listed; `exempt` are those that exemptions take from `counted`.
EXEMPT, NOT_STARTED = "exempt", "not_started"
MEASURES = (*INTERVALS, NOT_STARTED, EXEMPT)
# Measures of what is done: the latest first. Everything else goes by due date.
_DONE = frozenset({"completed", "completed_late", "acknowledged", "on_time"})


@dataclass(frozen=True)
class EnrollmentList:
    """The list and how many rows it has."""

    select_query: SelectQuery
    count: int


def enrollment_list(
    scope: Scope,
    measure: str,
    *,
    as_of: datetime,
    filters: Filters = Filters(),  # noqa: B008 - frozen
    basis: Basis = Basis.NOW,
    gross: bool = False,
) -> EnrollmentList | None:
    """Return the enrollments that a count counts: one of `MEASURES`, net unless `gross`. None: nobody may be seen.

    What is open or past due comes by due date, what has none last, before what is completed; a list of what is done
    goes by completion, the latest first: as a campaign's page lists its people.
    """
    selection = select(scope, as_of=as_of, filters=filters, basis=basis)
    if selection is None:
        return None
    is_exempt = {True: "true", False: f"NOT {IS_EXEMPT}"}[gross] if measure != EXEMPT else IS_EXEMPT
    source = f"""
        (SELECT f.* FROM ({intervals.current_at("%(now)s", where=selection.of_facts, source=selection.facts)}) f
         WHERE {_in_count(measure)} AND {selection.of_states} AND {is_exempt}) f
    """
    totals = figures(scope, as_of=as_of, filters=filters, basis=basis, with_people=False)
    counts = totals.gross if gross else totals.net
    count = totals.exempt if measure == EXEMPT else getattr(counts, measure)
    return EnrollmentList(_select_query(selection, source, measure), count)


def uncounted_list(scope: Scope, campaign: Campaign, *, as_of: datetime) -> EnrollmentList | None:
    """Return the enrollments of active people in a campaign that is in no figure; None: nobody may be seen."""
    selection = select(scope, as_of=as_of, filters=Filters(), basis=Basis.NOW)
    if selection is None:
        return None
    rows = campaigns.uncounted(scope, campaign, as_of=as_of)
    keys = list(rows.values_list("pk", flat=True))
    source = """
        (SELECT e.id AS enrollment_id, e.person_id, coalesce(d.merged_into_id, d.id, 0) AS department_id,
                coalesce(p.manager_id, 0) AS manager_id, e.campaign_id,
                e.enrolled_at AS e, 'infinity'::timestamptz AS u,
                coalesce(e.started_at, 'infinity') AS s, coalesce(e.completed_at, 'infinity') AS c,
                coalesce(e.due_at, 'infinity') AS d, least(e.completed_at, e.due_at, 'infinity') AS i,
                e.completed_at > e.due_at AS is_late
         FROM unnest(%(chosen)s::bigint[]) AS chosen (id) JOIN sync_enrollment e USING (id)
         LEFT JOIN sync_person p ON p.id = e.person_id
         LEFT JOIN sync_department d ON d.id = p.department_id AND d.key <> '') f
    """
    select_query = replace(_select_query(selection, source, "counted"), order="f.e DESC, f.enrollment_id")
    return EnrollmentList(replace(select_query, values={**select_query.values, "chosen": keys}), len(keys))


def _in_count(measure: str) -> str:
    counted = held("counted")
    if measure == EXEMPT:
        return counted
    if measure != NOT_STARTED:
        return held(measure)
    return f"{counted} AND NOT ({' OR '.join(held(name) for name in ('completed', 'past_due', 'in_progress'))})"


def _select_query(selection: Selection, source: str, measure: str) -> SelectQuery:
    return SelectQuery(
        selected(ENROLLMENTS.values(), "f"),
        source,
        "f.c DESC, f.enrollment_id" if measure in _DONE else "f.c <= %(now)s, f.d, f.enrollment_id",
        dict(selection.values),
        {**_JOINS, "bare": _bare(selection.basis)},
    )


def _bare(basis: Basis) -> str:
    """Return the join for the name of a manager known by name only, now or then."""
    name = "named.manager_name"
    if basis == Basis.THEN:
        name = """coalesce((
            SELECT coalesce(old, '') FROM sync_change
            WHERE account_id = %(account)s AND subject = 1 AND subject_id = named.id AND field = 'manager_name'
              AND observed_at > %(now)s
            ORDER BY observed_at, id LIMIT 1
        ), named.manager_name)"""
    return f"""
        LEFT JOIN LATERAL (
            SELECT btrim({name}) AS name FROM sync_person named
            WHERE named.id = CASE WHEN f.manager_id < 0 THEN f.person_id END
        ) bare ON true
    """


_JOINS = {
    "enrollment": "JOIN sync_enrollment enrollment ON enrollment.id = f.enrollment_id",
    "person": "LEFT JOIN sync_person person ON person.id = f.person_id",
    "department": "LEFT JOIN sync_department department ON department.id = f.department_id",
    "above": f"""
        LEFT JOIN (SELECT person.id, person.email, {NAME} AS name FROM sync_person person) above
          ON above.id = f.manager_id
    """,
    "campaign": "LEFT JOIN sync_campaign campaign ON campaign.id = f.campaign_id",
    "content": "LEFT JOIN sync_contentitem content ON content.id = enrollment.content_id",
}
