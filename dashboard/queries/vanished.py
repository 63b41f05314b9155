"""The vanish register: what KnowBe4 no longer returns, and since when. Rollcall keeps all of it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, QuerySet, TextField, Value

from dashboard.access import Scope
from dashboard.local_days import local_midnight
from dashboard.queries.sync_changes import Names, names
from sync.models import SyncRun

KINDS = ("person", "campaign", "enrollment", "content", "group")


@dataclass(frozen=True)
class Vanished:
    """Number of rows of a kind that KnowBe4 stopped returning on a local day, and the runs that noticed."""

    day: date
    kind: str
    rows: int
    runs: tuple[SyncRun, ...]


@dataclass(frozen=True)
class VanishedRow:
    """One row that KnowBe4 no longer returns."""

    kind: str
    pk: int
    removed_at: datetime


def vanished_rows(scope: Scope, kind: str, day: date | None = None) -> QuerySet[Any]:
    """Return the removed rows of a kind, newest first, of one local day if asked.

    None of anything unless every person is in scope: the register names people.
    """
    rows = {
        "person": scope.people,
        "campaign": scope.campaigns,
        "enrollment": scope.enrollments,
        "content": scope.content,
        "group": scope.groups,
    }[kind]()
    if scope.account is None or not scope.sees_everyone:
        return rows.none()
    rows = rows.filter(removed_at__isnull=False)
    if day is not None:
        zone = scope.account.zone
        rows = rows.filter(
            removed_at__gte=local_midnight(day, zone),
            removed_at__lt=local_midnight(date.fromordinal(day.toordinal() + 1), zone),
        )
    return rows.order_by("-removed_at", "pk")


def vanished(scope: Scope) -> list[Vanished]:
    """Return what is gone by local day and kind, newest day first. One query, and one for the runs."""
    if scope.account is None:
        return []
    parts = [
        vanished_rows(scope, kind)
        .order_by()
        .values("removed_at")
        .annotate(kind=Value(kind, TextField()), rows=Count("pk"))
        .values_list("removed_at", "kind", "rows")
        for kind in KINDS
    ]
    found = list(parts[0].union(*parts[1:], all=True))
    runs = runs_at(scope, {removed_at for removed_at, _kind, _rows in found})
    zone: ZoneInfo = scope.account.zone
    rows: Counter[tuple[date, str]] = Counter()
    noticed: dict[tuple[date, str], list[SyncRun]] = {}
    for removed_at, kind, count in found:
        key = (removed_at.astimezone(zone).date(), kind)
        rows[key] += count
        if removed_at in runs:
            noticed.setdefault(key, []).append(runs[removed_at])
    return [
        Vanished(day, kind, rows[day, kind], tuple(sorted(noticed.get((day, kind), []), key=lambda run: run.number)))
        for day, kind in sorted(rows, key=lambda key: (-key[0].toordinal(), KINDS.index(key[1])))
    ]


def runs_at(scope: Scope, moments: Iterable[datetime]) -> dict[datetime, SyncRun]:
    """Return the runs published at these moments: what a publication marks carries its time."""
    wanted = set(moments)
    if not wanted:
        return {}
    return {run.published_at: run for run in scope.runs().filter(published_at__in=wanted) if run.published_at}


def names_of_vanished(scope: Scope, kind: str, keys: Iterable[int]) -> Names:
    """Return what vanished rows were called."""
    return names(scope, {kind: keys})


def total(scope: Scope) -> int:
    """Return how many rows of all kinds KnowBe4 no longer returns."""
    parts = [
        vanished_rows(scope, kind)
        .order_by()
        .annotate(kind=Value(kind, TextField()))
        .values("kind")
        .annotate(rows=Count("pk"))
        .values_list("rows", flat=True)
        for kind in KINDS
    ]
    return sum(parts[0].union(*parts[1:], all=True))
