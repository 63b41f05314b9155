"""The audit log, searched: by who, what, about what and when, a page at a time however long it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Q, QuerySet

from dashboard import audit
from dashboard.access import Scope
from dashboard.local_days import local_midnight
from dashboard.models import AuditEvent, User

Key = tuple[str, int]
MOST_ACTORS = 500
# One look into the index for each actor, not one row for each event: DISTINCT would read the whole log.
ACTORS = """
WITH RECURSIVE acting AS (
    (SELECT actor_id FROM dashboard_auditevent WHERE account_id = %(account)s AND actor_id IS NOT NULL
     ORDER BY actor_id LIMIT 1)
    UNION ALL
    SELECT (SELECT actor_id FROM dashboard_auditevent WHERE account_id = %(account)s AND actor_id > acting.actor_id
            ORDER BY actor_id LIMIT 1)
    FROM acting WHERE acting.actor_id IS NOT NULL
)
SELECT reader.id, reader.email FROM dashboard_user reader
WHERE reader.id IN (SELECT actor_id FROM acting WHERE actor_id IS NOT NULL LIMIT %(most)s)
ORDER BY reader.email, reader.id
"""


@dataclass(frozen=True)
class Search:
    """Search; None and "" are everything. `day` is a day of the account's."""

    actor: int | None = None
    action: str = ""
    subject: str = ""
    subject_id: int | None = None
    day: date | None = None

    @property
    def is_narrow(self) -> bool:
        """Whether less than everything is looked for."""
        return self != Search()


def found(scope: Scope, search: Search) -> QuerySet[AuditEvent]:
    """Return the events looked for, newest first; none for whoever may not read the log."""
    events = audit.events(scope).order_by("-at", "-pk")
    if search.actor is not None:
        events = events.filter(actor=search.actor)
    if search.action:
        events = events.filter(action=search.action)
    if search.subject:
        events = events.filter(subject=search.subject)
        if search.subject_id is not None:
            events = events.filter(subject_id=search.subject_id)
    if search.day is not None and scope.account is not None:
        zone = scope.account.zone
        first, end = (local_midnight(search.day + timedelta(days=n), zone) for n in (0, 1))
        events = events.filter(at__gte=first, at__lt=end)
    return events


def older(events: QuerySet[AuditEvent], at: datetime, pk: int) -> QuerySet[AuditEvent]:
    """Return those of the events that come after one in the list: that are older."""
    return events.filter(at__lte=at).exclude(Q(at=at) & Q(pk__gte=pk))


def actors(scope: Scope) -> list[User]:
    """Return who is in the log, by email; at most 500 of them."""
    if scope.account is None or not scope.may_read_audit:
        return []
    return list(User.objects.raw(ACTORS, {"account": scope.account.pk, "most": MOST_ACTORS}))


def sought(scope: Scope, search: Search) -> Mapping[Key, str]:
    """Return the name of the one thing looked for, where the log tells of it: an id alone is no key to names."""
    if search.subject_id is None:
        return {}
    one = found(scope, Search(subject=search.subject, subject_id=search.subject_id)).first()
    return names(scope, [one]) if one is not None else {}


def names(scope: Scope, events: list[AuditEvent]) -> Mapping[Key, str]:
    """Return what the events are about, by kind and id, as far as it is in the reader's scope and has a name."""
    wanted: dict[str, set[int]] = {}
    for event in events:
        if event.subject_id is not None:
            wanted.setdefault(event.subject, set()).add(event.subject_id)
    kinds = AuditEvent.Subject
    readings = {
        kinds.PERSON: scope.people,
        kinds.CAMPAIGN: scope.campaigns,
        kinds.DEPARTMENT: scope.departments,
    }
    known: dict[Key, str] = {}
    for kind, reading in readings.items():
        if ids := wanted.get(kind):
            known |= {(kind.value, row.pk): str(row) for row in reading().filter(pk__in=ids)}
    if ids := wanted.get(kinds.USER):
        known |= {(kinds.USER.value, user.pk): user.email for user in User.objects.filter(pk__in=ids)}
    if scope.account is not None:
        known[kinds.ACCOUNT.value, scope.account.pk] = str(scope.account)
    return known
