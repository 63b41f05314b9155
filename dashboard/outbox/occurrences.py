"""From the calendar to mails that are due: each occurrence is noted once, with one delivery for each recipient."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q

from dashboard.models import Delivery, Occurrence, Schedule, User
from dashboard.outbox.calendar import latest
from dashboard.queries.account_roles import administrators, may_decide
from sync.models import Account

State = Delivery.State
# A delivery that so long after it was queued is still open is queued again: a queue may lose what it holds.
QUEUED_FOR = timedelta(minutes=5)
# After the first, second, ... try that failed; then the last of them again and again.
WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 15))
# Clocks of several machines differ by less; what lies further ahead was written by one that was wrong.
SKEW = timedelta(minutes=1)
LONGEST_AHEAD = WAITS[-1] + SKEW
# So many are queued at once; the others a minute later.
AT_ONCE = 500


def note_due(at: datetime) -> list[Occurrence]:
    """Note every occurrence that has become due by `at`, each once, and return those that are new.

    Of several that were missed, while nothing ran, only the last is noted: figures are of now, not of then.
    """
    # Of a clock that was ahead: what it began, begins now.
    Schedule.objects.filter(since__gt=at + SKEW).update(since=at)
    running = (
        Schedule.objects.filter(paused_at=None, ended_at=None)
        .select_related("account", "campaign")
        .order_by("account_id", "pk")
    )
    found = []
    for schedule in running:
        due_at = latest(schedule, at, schedule.account.zone)
        if due_at is not None and due_at > schedule.since:
            occurrence = note(schedule, due_at=due_at, at=at)
            if occurrence is not None:
                found.append(occurrence)
    return found


def note(schedule: Schedule, *, due_at: datetime, at: datetime, by: User | None = None) -> Occurrence | None:
    """Note one occurrence with a delivery for each recipient; None when it was noted before.

    What still waits of an earlier one is replaced by it: both would say the same, as they tell of the moment they are
    sent. Also of one that somebody asks for by hand (`by`), unless that waits itself.
    """
    with transaction.atomic():
        occurrence, is_new = Occurrence.objects.get_or_create(
            schedule=schedule,
            due_at=due_at,
            defaults={"account": schedule.account, "requested_by": by, "created_at": at},
        )
        if not is_new:
            return None
        Delivery.objects.filter(occurrence__schedule=schedule, state=State.WAITING, kind=Delivery.Kind.REPORT).update(
            state=State.SUPERSEDED, finished_at=at
        )
        Delivery.objects.bulk_create(
            Delivery(account=schedule.account, occurrence=occurrence, recipient=recipient, next_try_at=at)
            for recipient in schedule.recipients.order_by("pk")
        )
    return occurrence


def to_queue(at: datetime) -> list[int]:
    """Return the deliveries to hand to workers, the longest due first, and remember that they were queued.

    Those being handed over are among them: if the worker that did it is gone, another has to say so.
    """
    with transaction.atomic():
        waiting = (
            Delivery.objects.filter(state__in=[State.WAITING, State.HANDING_OVER])
            .filter(Q(next_try_at__lte=at) | Q(next_try_at__gt=at + LONGEST_AHEAD))
            .filter(
                Q(queued_at=None)
                | Q(queued_at__lte=at - QUEUED_FOR)
                | Q(queued_at__gt=at + SKEW)
                | Q(queued_at__lt=F("next_try_at"), next_try_at__lte=at)
            )
            .order_by("next_try_at", "pk")
            .select_for_update(skip_locked=True)
        )
        keys = list(waiting.values_list("pk", flat=True)[:AT_ONCE])
        Delivery.objects.filter(pk__in=keys).update(queued_at=at)
    return keys


def note_trouble(at: datetime) -> int:
    """Tell of occurrences that are over and did not reach everybody, each once; return how many notices were noted.

    The schedule's owner is told; where they decide nothing in the account any more, its administrators are.
    """
    told = Delivery.objects.filter(kind=Delivery.Kind.NOTICE).exclude(state=State.NO_ACCESS)
    over = (
        Occurrence.objects.filter(deliveries__state__in=[State.NO_ACCESS, State.FAILED, State.UNKNOWN])
        .filter(deliveries__kind=Delivery.Kind.REPORT, created_at__gte=at - timedelta(days=60))
        .exclude(pk__in=Delivery.objects.filter(_OPEN, kind=Delivery.Kind.REPORT).values("occurrence"))
        .exclude(pk__in=told.values("occurrence"))
        .select_related("schedule__owner", "account")
        .distinct()
    )
    made = Delivery.objects.bulk_create(
        [
            Delivery(
                account=occurrence.account,
                occurrence=occurrence,
                recipient=user,
                kind=Delivery.Kind.NOTICE,
                next_try_at=at,
            )
            for occurrence in over
            for user in told_of_trouble(occurrence.schedule, at)
        ],
        ignore_conflicts=True,
    )
    return len(made)


def told_of_trouble(schedule: Schedule, at: datetime) -> list[User]:
    """Return who hears when somebody does not get a report: its owner, or the administrators when that one has left."""
    if may_decide(schedule.owner, schedule.account, at):
        return [schedule.owner]
    return administrators(schedule.account, at)


_OPEN = Q(state__in=[State.WAITING, State.HANDING_OVER])


def waits(account: Account, at: datetime) -> dict[str, int]:
    """Return how many mails of an account wait, and how many of them because something stands in the way."""
    waiting = Delivery.objects.filter(account=account, state=State.WAITING)
    return {"all": waiting.count(), "held_up": waiting.exclude(said="").count()}


def recipients_of(schedule: Schedule) -> Iterable[User]:
    """Return who a schedule is mailed to, by email."""
    return schedule.recipients.order_by("email")
