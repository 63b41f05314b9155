"""Schedules and their deliveries as a reader may see them."""

from django.db.models import Count, F, OuterRef, Prefetch, Q, QuerySet, Subquery

from dashboard.access import Scope
from dashboard.models import Delivery, Membership, Occurrence, Schedule, User


def schedules(scope: Scope) -> QuerySet[Schedule]:
    """Return the account's schedules that are not ended; none unless every person is in scope."""
    if scope.account is None or not scope.sees_everyone:
        return Schedule.objects.none()
    return Schedule.objects.filter(account=scope.account, ended_at=None).select_related("owner", "campaign")


def listed(scope: Scope) -> QuerySet[Schedule]:
    """Return the schedules with how many recipients each has and when it was due last, by name."""
    last = Occurrence.objects.filter(schedule=OuterRef("pk")).order_by("-due_at").values("pk")[:1]
    return (
        schedules(scope)
        .annotate(people=Count("recipients"), last_occurrence=Subquery(last))
        .order_by(F("paused_at").asc(nulls_first=True), "name", "pk")
    )


def standings(scope: Scope, occurrences: list[int]) -> dict[int, dict[str, int]]:
    """Return, by occurrence, how many of its reports are in each state."""
    found: dict[int, dict[str, int]] = {}
    if scope.account is None or not scope.sees_everyone:
        return found
    rows = Delivery.objects.filter(account=scope.account, occurrence__in=occurrences, kind=Delivery.Kind.REPORT)
    for occurrence, state, count in rows.values_list("occurrence", "state").annotate(Count("pk")).order_by():
        found.setdefault(occurrence, {})[state] = count
    return found


def history(scope: Scope, schedule: Schedule, most: int) -> list[Occurrence]:
    """Return the last times a schedule was due, the newest first, each with its deliveries."""
    if scope.account is None or not scope.sees_everyone:
        return []
    deliveries = Delivery.objects.select_related("recipient").order_by("-kind", "recipient__email", "pk")
    found = Occurrence.objects.filter(account=scope.account, schedule=schedule).select_related("requested_by")
    return list(found.prefetch_related(Prefetch("deliveries", deliveries)).order_by("-due_at", "-pk")[:most])


def deliveries(scope: Scope) -> QuerySet[Delivery]:
    """Return the account's deliveries; none unless every person is in scope."""
    if scope.account is None or not scope.sees_everyone:
        return Delivery.objects.none()
    return Delivery.objects.filter(account=scope.account).select_related("occurrence__schedule", "recipient")


def own_deliveries(scope: Scope) -> QuerySet[Delivery]:
    """Return what was mailed to the reader in this account."""
    if scope.account is None or scope.user is None or scope.viewer is not None:
        return Delivery.objects.none()
    found = Delivery.objects.filter(account=scope.account, recipient=scope.user)
    return found.select_related("occurrence__schedule")


def possible_recipients(scope: Scope) -> QuerySet[User]:
    """Return the account's members of today, or those whose scope they borrowed, by email."""
    if scope.account is None or not scope.sees_everyone:
        return User.objects.none()
    return User.objects.filter(
        Q(pk__in=Membership.objects.filter(account=scope.account).values("user")), is_active=True
    ).order_by("email")
