"""Schedules of mailed reports: made, changed, paused, ended, sent by hand, each on record."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, time

from django.db import transaction
from django.utils.translation import gettext as _

from dashboard import audit
from dashboard.models import Delivery, Occurrence, Schedule, User
from dashboard.outbox import occurrences, sending
from dashboard.queries.account_roles import administrators, may_decide
from dashboard.services.deciding import RefusedError
from sync.models import Account, Campaign


@dataclass(frozen=True)
class Plan:
    """Values of a schedule; see `Schedule`."""

    name: str
    content: Schedule.Content
    what: str
    format: Schedule.Format
    query: str
    subject_id: int | None
    way: Schedule.Way
    when_quiet: Schedule.Quiet
    frequency: Schedule.Frequency
    at_time: time
    recipients: Collection[User]
    weekday: int | None = None
    day_of_month: int | None = None
    campaign: Campaign | None = None
    days_after: int | None = None


_FIELDS = (
    *("name", "content", "what", "format", "query", "subject_id", "way", "when_quiet", "frequency", "at_time"),
    *("weekday", "day_of_month", "campaign", "days_after"),
)
# What moves the days: a schedule that got new ones does not catch up with those that it would have had before.
_CALENDAR = frozenset({"frequency", "at_time", "weekday", "day_of_month", "campaign", "days_after"})


@transaction.atomic
def create(account: Account, plan: Plan, *, by: User, at: datetime) -> Schedule:
    """Make a schedule, owned by who makes it. RefusedError without recipients."""
    _check(plan)
    values = {field: getattr(plan, field) for field in _FIELDS}
    schedule = Schedule.objects.create(account=account, owner=by, created_at=at, since=at, **values)
    schedule.recipients.set(plan.recipients)
    _note(schedule, by, "created", recipients=sorted(user.pk for user in plan.recipients))
    return schedule


@transaction.atomic
def change(schedule: Schedule, plan: Plan, *, by: User, at: datetime) -> bool:
    """Make a schedule what the plan says; return whether that changed anything. RefusedError as `create` has it."""
    _check(plan)
    _refuse_ended(schedule)
    changed = [field for field in _FIELDS if getattr(schedule, field) != getattr(plan, field)]
    before = set(schedule.recipients.values_list("pk", flat=True))
    after = {user.pk for user in plan.recipients}
    if not changed and before == after:
        return False
    for field in changed:
        setattr(schedule, field, getattr(plan, field))
    if not _CALENDAR.isdisjoint(changed):
        schedule.since = at
    schedule.save()
    schedule.recipients.set(plan.recipients)
    _note(schedule, by, "changed", fields=changed, recipients=sorted(after))
    return True


@transaction.atomic
def pause(schedule: Schedule, *, by: User, at: datetime) -> None:
    """Stop mailing it until it is resumed; what waits is not sent. RefusedError when it rests already."""
    _refuse_ended(schedule)
    if schedule.paused_at is not None:
        raise RefusedError(_("It is paused already."))
    schedule.paused_at = at
    schedule.save(update_fields=["paused_at"])
    _drop_waiting(schedule, at)
    _note(schedule, by, "paused")


@transaction.atomic
def resume(schedule: Schedule, *, by: User, at: datetime) -> None:
    """Mail it again from its next day on; what was due meanwhile is not made up for. RefusedError unless it rests."""
    _refuse_ended(schedule)
    if schedule.paused_at is None:
        raise RefusedError(_("It is not paused."))
    schedule.paused_at, schedule.since = None, at
    schedule.save(update_fields=["paused_at", "since"])
    _note(schedule, by, "resumed")


@transaction.atomic
def end(schedule: Schedule, *, by: User, at: datetime) -> None:
    """End it for good; its history stays. RefusedError when it has ended."""
    _refuse_ended(schedule)
    schedule.ended_at = at
    schedule.save(update_fields=["ended_at"])
    _drop_waiting(schedule, at)
    _note(schedule, by, "ended")


@transaction.atomic
def send_now(schedule: Schedule, *, by: User, at: datetime) -> Occurrence:
    """Have it mailed to everybody now, besides its days. RefusedError when it has ended, or nobody would get it."""
    _refuse_ended(schedule)
    if not schedule.recipients.exists():
        raise RefusedError(_("Nobody gets this report."))
    occurrence = occurrences.note(schedule, due_at=at, at=at, by=by)
    if occurrence is None:
        raise RefusedError(_("It is being sent already."))
    _note(schedule, by, "sent_now")
    return occurrence


@transaction.atomic
def send_again(delivery: Delivery, *, by: User, at: datetime) -> None:
    """Have one mail sent once more. RefusedError for one that was sent, or may still be."""
    _refuse_ended(delivery.occurrence.schedule)
    if not sending.send_again(delivery, at):
        raise RefusedError(_("Only what did not arrive, or may not have, can be sent again."))
    _note(delivery.occurrence.schedule, by, "sent_again", delivery=delivery.pk, recipient=delivery.recipient_id)


@transaction.atomic
def take_over(schedule: Schedule, *, by: User, at: datetime) -> None:
    """Make whoever asks the owner, who is told of trouble. RefusedError while its owner still decides here."""
    _refuse_ended(schedule)
    if may_decide(schedule.owner, schedule.account, at):
        raise RefusedError(_("Its owner is still here."))
    _hand_on(schedule, by, by=by)


@transaction.atomic
def hand_on(account: Account, owner: User, *, by: User | None, at: datetime) -> list[Schedule]:
    """Hand on the schedules of somebody who decides nothing in the account any more; return them, by name.

    They pass to whoever ended the role, or where nobody did, or that one has left, too, to an administrator. None while
    the owner still decides here.
    """
    if may_decide(owner, account, at):
        return []
    heir = by if by is not None and may_decide(by, account, at) else next(iter(administrators(account, at)), None)
    if heir is None:
        return []
    found = list(Schedule.objects.filter(account=account, owner=owner, ended_at=None).order_by("name", "pk"))
    for schedule in found:
        _hand_on(schedule, heir, by=by)
    return found


def _hand_on(schedule: Schedule, heir: User, *, by: User | None) -> None:
    before, schedule.owner = schedule.owner_id, heir
    schedule.save(update_fields=["owner"])
    _note(schedule, by, "handed_on", old=before, new=heir.pk)


def _drop_waiting(schedule: Schedule, at: datetime) -> None:
    waiting = Delivery.objects.filter(occurrence__schedule=schedule, state=Delivery.State.WAITING)
    waiting.update(state=Delivery.State.SUPERSEDED, said=_("The schedule was stopped."), finished_at=at)


def _check(plan: Plan) -> None:
    if not plan.recipients:
        raise RefusedError(_("Choose at least one member to send it to."))


def _refuse_ended(schedule: Schedule) -> None:
    if schedule.ended_at is not None:
        raise RefusedError(_("This schedule has ended."))


def _note(schedule: Schedule, by: User | None, act: str, **details: object) -> None:
    audit.record(
        audit.Action.SCHEDULE_CHANGED,
        account=schedule.account,
        user=by,
        subject=audit.Subject.SCHEDULE,
        subject_id=schedule.pk,
        details={"act": act, **details},
    )
