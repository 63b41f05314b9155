"""A question of the oracle's, asked of the product; and what the product answers, in the oracle's words."""

from dataclasses import asdict
from typing import Any

from django.db import connection

from dashboard import metrics
from dashboard.access import Scope
from dashboard.figures.selection import Basis, Filters
from dashboard.metrics import State
from dashboard.models import Membership
from dashboard.queries.enrollment_list import enrollment_list
from tests.dashboard.numbers.mirror import Mirror
from tests.oracle import counting
from tests.oracle.records import Question


def scope_of(mirror: Mirror) -> Scope:
    """Return the scope of someone who sees everybody."""
    return Scope(account=mirror.account, roles=frozenset({Membership.Role.SECURITY_MANAGER}))


def filters_of(mirror: Mirror, question: Question) -> Filters:
    """Return the question's filters, by the rows' ids."""
    return Filters(
        departments=mirror.department_ids(question.departments),
        manager=None if question.manager is None else mirror.people[question.manager],
        whole_line=question.is_whole_line,
        campaigns=frozenset(mirror.campaigns[key] for key in question.campaigns),
        campaign_states=question.campaign_states,
        content_types=question.content_types,
        triggers=question.triggers,
        groups=frozenset(mirror.groups[key] for key in question.groups),
        states=frozenset(State(name) for name in question.states),
    )


def asked(mirror: Mirror, question: Question) -> dict[str, Any]:
    """Return the arguments that every query takes."""
    return {
        "as_of": question.as_of,
        "filters": filters_of(mirror, question),
        "basis": Basis.THEN if question.is_then else Basis.NOW,
    }


def listed(scope: Scope, measure: str, column: str, **arguments: Any) -> list[Any]:
    """Return a column of the list of enrollments that a count counts, sorted."""
    found = enrollment_list(scope, measure, **arguments)
    if found is None:
        return []
    with connection.cursor() as cursor:
        cursor.execute(found.select_query.select([column]), found.select_query.values)
        return sorted(value for (value,) in cursor.fetchall())


def counts_of(found: metrics.Counts) -> dict[str, int]:
    """Return the product's counts by the oracle's names."""
    return {name: getattr(found, name) for name in counting.Counts.__dataclass_fields__}


def totals_of(found: metrics.Totals) -> dict[str, dict[str, int]]:
    """Return the product's totals by the oracle's names."""
    return {"net": counts_of(found.net), "gross": counts_of(found.gross)}


def expected(totals: counting.Totals) -> dict[str, dict[str, int]]:
    """Return the oracle's totals as plain numbers."""
    return asdict(totals)
