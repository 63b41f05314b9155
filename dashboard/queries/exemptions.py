"""Exemptions for pages: where each stands, found by state, reason and name."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, CharField, Count, F, Q, QuerySet, Value, When
from django.db.models.functions import Least

from dashboard import metrics
from dashboard.access import Scope
from dashboard.models import Exemption
from dashboard.queries.search import NOTHING, Search
from sync.models import Enrollment

State = Exemption.State
# An exemption that ends within this time wants to be looked at: is it renewed, or does the person train?
SOON = timedelta(days=30)


def exemption_state(at: datetime) -> Case:
    """Return where an exemption stands at `at`, as an expression on `Exemption`: `Exemption.state` in SQL."""
    has_ended = Q(ended_at__lte=at)
    is_undecided = Q(approved_at__isnull=True) | Q(approved_at__gt=at)
    is_ended_early = has_ended & (Q(ends_at__isnull=True) | Q(ended_at__lt=F("ends_at")))
    return Case(
        When(rejected_at__lte=at, then=Value(State.REJECTED.value)),
        When(is_undecided & has_ended, then=Value(State.ENDED.value)),
        When(is_undecided, then=Value(State.REQUESTED.value)),
        When(is_ended_early, then=Value(State.ENDED.value)),
        When(ends_at__lte=at, then=Value(State.EXPIRED.value)),
        When(starts_at__lte=at, then=Value(State.ACTIVE.value)),
        default=Value(State.APPROVED.value),
        output_field=CharField(),
    )


def expiring(at: datetime) -> Q:
    """Match exemptions, with their `standing` at `at`, that are in force or begin before they end within `SOON`."""
    return Q(standing__in=(State.ACTIVE.value, State.APPROVED.value), ends_at__lte=at + SOON)


def exemptions(
    scope: Scope, *, at: datetime, search: Search = NOTHING, reason: str = "", campaign: int | None = None
) -> QuerySet[Any]:
    """Return the exemptions in scope with their `standing`, newest first; `search` looks in names and emails."""
    found = scope.exemptions().annotate(standing=exemption_state(at)).order_by("-requested_at", "-pk")
    if reason:
        found = found.filter(reason=reason)
    if campaign is not None:
        found = found.filter(campaign=campaign)
    if search.is_lost:
        return found.none()
    for word in search.text.split()[:6]:
        found = found.filter(
            Q(person__first_name__icontains=word)
            | Q(person__last_name__icontains=word)
            | Q(person__email__icontains=word)
            | Q(group__name__icontains=word)
        )
    return found


def counts(found: QuerySet[Any], *, at: datetime) -> Mapping[str, int]:
    """Return how many of them stand in each state, and under "expiring" how many end soon."""
    grouped = found.order_by().values("standing").annotate(n=Count("pk"), soon=Count("pk", filter=expiring(at)))
    rows = list(grouped)
    return {row["standing"]: row["n"] for row in rows} | {"expiring": sum(row["soon"] for row in rows)}


def by_end(found: QuerySet[Any]) -> QuerySet[Any]:
    """Order them by when they stop, open-ended ones last. PostgreSQL's LEAST passes over nulls."""
    return found.order_by(Least("ends_at", "ended_at").asc(nulls_last=True), "pk")


def excused(scope: Scope, exemption: Exemption, *, at: datetime) -> QuerySet[Enrollment]:
    """Return the enrollments of the exemption's person that count at `at` and that it bears on.

    None for a group: its members are many, and none is looked at for a count that only informs.
    """
    if exemption.person_id is None:
        return scope.enrollments().none()
    found = scope.enrollments().filter(person=exemption.person_id).filter(metrics.counted(at))
    return found.filter(campaign=exemption.campaign_id) if exemption.campaign_id else found
