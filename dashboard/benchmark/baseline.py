"""The same questions as plain aggregates over the mirror: what each would cost without rollups.

The rules are `dashboard.metrics`' own; only the grouping is written here. Gross figures, for exemptions would cost a
further join: the plain query is spared what the measured one does.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Aggregate, Count, F, Max, Min, Q, QuerySet
from django.db.models.functions import TruncQuarter

from dashboard import metrics
from dashboard.access import Scope
from dashboard.benchmark.samples import Asked
from dashboard.figures.selection import Filters
from dashboard.metrics import State
from sync.models import Enrollment

# Everyone below each manager, once, however deep; a walk up stops before it meets somebody again.
_LINES = """
    WITH RECURSIVE line (manager_id, person_id, path) AS (
        SELECT manager_id, id, ARRAY[id, manager_id] FROM sync_person
        WHERE account_id = %s AND manager_id IS NOT NULL
        UNION ALL
        SELECT above.manager_id, line.person_id, line.path || above.manager_id
        FROM line JOIN sync_person above ON above.id = line.manager_id
        WHERE above.manager_id IS NOT NULL AND above.manager_id <> ALL (line.path)
    )
"""


def counts(as_of: datetime) -> dict[str, Aggregate]:
    """Return the counts of a figure, as aggregates over counted enrollments."""
    conditions = {
        "counted": Q(),
        "completed": metrics.completed(as_of),
        "past_due": metrics.past_due(as_of),
        "in_progress": metrics.in_progress(as_of),
        "due": Q(due_at__lte=as_of),
        "on_time": metrics.on_time(as_of),
    }
    people = {"people_counted": Q(), "people_past_due": metrics.past_due(as_of)}
    return {
        **{name: Count("pk", filter=condition) for name, condition in conditions.items()},
        **{name: Count("person", distinct=True, filter=condition) for name, condition in people.items()},
    }


def overview(scope: Scope, asked: Asked) -> list[Any]:
    """Count everything once."""
    return [_counted(scope, asked).aggregate(**counts(asked.as_of))]


def by(scope: Scope, asked: Asked, key: str) -> list[Any]:
    """Count by a path from the enrollment."""
    return list(_counted(scope, asked).values(key).annotate(**counts(asked.as_of)))


def by_line(scope: Scope, asked: Asked) -> list[Any]:
    """Count by manager, everyone below them included."""
    people = _counted(scope, asked).values("person_id").annotate(**counts(asked.as_of))
    sums = ", ".join(f"sum({name})" for name in counts(asked.as_of))
    inner, parameters = people.query.sql_with_params()
    return _rows(
        f"{_LINES} SELECT line.manager_id, {sums} FROM line JOIN ({inner}) counted USING (person_id) GROUP BY 1",
        [_account_id(scope), *parameters],
    )


def cohorts(scope: Scope, asked: Asked, first: datetime, last: datetime, *keys: str) -> list[Any]:
    """Count by quarter of the due date, in [first, last), and by further paths."""
    if scope.account is None:
        return []
    as_of = asked.as_of
    present = Q(removed_at__isnull=True) | Q(removed_at__gt=as_of)
    rows = _filtered(scope, asked).filter(
        metrics.eligible(), present, enrolled_at__lte=as_of, due_at__gte=first, due_at__lt=last
    )
    # Whoever left before the due date is out; of dates to come, whoever is not here at as_of.
    rows = rows.filter(Q(due_at__gt=as_of) & metrics.active(as_of, "person__") | _active_when_due())
    return list(
        rows.annotate(quarter=TruncQuarter("due_at", tzinfo=scope.account.zone))
        .values("quarter", *keys)
        .annotate(
            due=Count("pk"),
            completed=Count("pk", filter=metrics.completed(as_of)),
            # In time is in time, even of what is yet to fall due.
            on_time=Count("pk", filter=metrics.completed(as_of) & Q(completed_at__lte=F("due_at"))),
        )
    )


def past_due(scope: Scope, asked: Asked, order: Iterable[str], rows: int) -> list[Any]:
    """List the first people with anything past due: how much, since when, and what they did last."""
    people = _counted(scope, asked).filter(metrics.past_due(asked.as_of)).values("person_id")
    found = people.annotate(items=Count("pk"), oldest=Min("due_at"), activity=Max("started_at"))
    return list(found.order_by(*order)[:rows])


def _active_when_due() -> Q:
    # F is a moment like any other to these conditions.
    return metrics.active(F("due_at"), "person__")  # type: ignore[arg-type]


def _counted(scope: Scope, asked: Asked) -> QuerySet[Enrollment]:
    return _filtered(scope, asked).filter(metrics.counted(asked.as_of))


def _filtered(scope: Scope, asked: Asked) -> QuerySet[Enrollment]:
    """Narrow the enrollments in scope by the kinds of filter that `Samples` has."""
    rows, filters, as_of = scope.enrollments(), asked.filters, asked.as_of
    if filters.departments:
        rows = rows.filter(person__department__in=filters.departments)
    if filters.campaigns:
        rows = rows.filter(campaign__in=filters.campaigns)
    if filters.content_types:
        rows = rows.filter(content__content_type__in=filters.content_types)
    if filters.campaign_states:
        states = scope.campaigns().annotate(state=metrics.campaign_state(as_of))
        rows = rows.filter(campaign__in=states.filter(state__in=filters.campaign_states).values("pk"))
    if filters.groups:
        members = scope.people().filter(
            groupmembership__group__in=filters.groups, groupmembership__removed_at__isnull=True
        )
        rows = rows.filter(person__in=members.values("pk"))
    if filters.states == {State.PAST_DUE}:
        rows = rows.filter(metrics.past_due(as_of))
    if filters.manager is not None:
        rows = rows.filter(person__in=_below(scope, filters))
    return rows


def _below(scope: Scope, filters: Filters) -> list[int]:
    below = _rows(
        f"{_LINES} SELECT DISTINCT person_id FROM line WHERE manager_id = %s", [_account_id(scope), filters.manager]
    )
    return [person for (person,) in below]


def _account_id(scope: Scope) -> int | None:
    return scope.account.pk if scope.account else None


def _rows(statement: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()
