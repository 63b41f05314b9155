"""Exemptions: request, approve, reject and end them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.utils.translation import gettext as _

from dashboard.local_days import local_midnight
from dashboard.models import Exemption, SettingChange, User
from dashboard.models.settings import ALL_USERS
from dashboard.rollups import recount
from dashboard.services.deciding import RefusedError, deciding, given, record
from sync.models import Account, Campaign, Enrollment, Group, GroupMembership, Person


@dataclass(frozen=True)
class Excuse:
    """Content of an exemption: who (`person` or `group`), from what, why and when.

    `campaign` None is all campaigns. Days are of the account's time zone; `last_day` is the last one excused, None
    for an open end. `evidence` says where the proof is kept.
    """

    reason: Exemption.Reason
    first_day: date
    last_day: date | None = None
    person: Person | None = None
    group: Group | None = None
    campaign: Campaign | None = None
    note: str = ""
    evidence: str = ""


def request(account: Account, excuse: Excuse, *, by: User, at: datetime) -> Exemption:
    """Ask for an exemption; it excuses nobody before another user approved it.

    RefusedError unless it names one person or one group with members of its own, all of this account, a last day
    that is not before the first, and, for the reason "other", a note.
    """
    check(account, excuse)
    with deciding(account):
        return _request(account, excuse, by=by, at=at)


def request_all(account: Account, excuses: Iterable[Excuse], *, by: User, at: datetime) -> list[Exemption]:
    """Ask for several exemptions, all or none. RefusedError as for one."""
    excuses = list(excuses)
    for excuse in excuses:
        check(account, excuse)
    with deciding(account):
        return [_request(account, excuse, by=by, at=at) for excuse in excuses]


def _request(account: Account, excuse: Excuse, *, by: User, at: datetime) -> Exemption:
    reason = Exemption.Reason(excuse.reason)
    note = excuse.note.strip()
    starts_at, ends_at = span(account, excuse)
    exemption = Exemption.objects.create(
        account=account,
        person=excuse.person,
        group=excuse.group,
        campaign=excuse.campaign,
        reason=reason,
        note=note,
        evidence=excuse.evidence.strip(),
        starts_at=starts_at,
        ends_at=ends_at,
        requested_by=by,
        requested_at=at,
    )
    _record(exemption, None, Exemption.State.REQUESTED, by=by, at=at, reason=note or str(reason.label))
    return exemption


def approve(exemption: Exemption, *, by: User, at: datetime, reason: str) -> None:
    """Approve the request; it excuses from its first day, past days too.

    RefusedError without a reason, unless it is still only requested, and for whoever requested it or is excused by it.
    """
    reason = given(reason)
    with deciding(exemption.account):
        exemption.refresh_from_db()
        _require(exemption, Exemption.State.REQUESTED, at=at)
        _refuse_the_requester(exemption, by)
        if exemption.person is not None and exemption.person.email.casefold() == by.email.casefold():
            raise RefusedError(_("Nobody approves their own exemption."))
        exemption.approved_by, exemption.approved_at = by, at
        exemption.save(update_fields=["approved_by", "approved_at"])
        _record(exemption, Exemption.State.REQUESTED, Exemption.State.APPROVED, by=by, at=at, reason=reason)
        _recount(exemption, at=at)


def reject(exemption: Exemption, *, by: User, at: datetime, reason: str) -> None:
    """Turn the request down. RefusedError without a reason, for the requester, and unless it is only requested."""
    reason = given(reason)
    with deciding(exemption.account):
        exemption.refresh_from_db()
        _require(exemption, Exemption.State.REQUESTED, at=at)
        _refuse_the_requester(exemption, by)
        exemption.rejected_by, exemption.rejected_at = by, at
        exemption.save(update_fields=["rejected_by", "rejected_at"])
        _record(exemption, Exemption.State.REQUESTED, Exemption.State.REJECTED, by=by, at=at, reason=reason)


def end(exemption: Exemption, *, by: User, at: datetime, reason: str) -> None:
    """End the exemption now, or withdraw the request; what it excused until now stays excused.

    RefusedError without a reason, and for one that was rejected, has expired or was ended before.
    """
    reason = given(reason)
    with deciding(exemption.account):
        exemption.refresh_from_db()
        state = exemption.state(at)
        _require(exemption, Exemption.State.REQUESTED, Exemption.State.APPROVED, Exemption.State.ACTIVE, at=at)
        exemption.ended_by, exemption.ended_at, exemption.end_note = by, at, reason
        exemption.save(update_fields=["ended_by", "ended_at", "end_note"])
        _record(exemption, state, Exemption.State.ENDED, by=by, at=at, reason=reason)
        if state != Exemption.State.REQUESTED:
            _recount(exemption, at=at)


def check(account: Account, excuse: Excuse) -> None:
    """Raise RefusedError for what cannot be asked for; see `request`."""
    if (excuse.person is None) == (excuse.group is None):
        raise RefusedError(_("An exemption is for one person or for one group."))
    for thing in (excuse.person, excuse.group, excuse.campaign):
        if thing is not None and thing.account_id != account.pk:
            raise RefusedError(_("Person, group and campaign must be of the same account."))
    if excuse.group is not None and excuse.group.knowbe4_id == ALL_USERS:
        raise RefusedError(_("To excuse everybody from a campaign, mark the campaign optional or excluded."))
    if excuse.last_day is not None and excuse.last_day < excuse.first_day:
        raise RefusedError(_("The last day is before the first."))
    if excuse.reason == Exemption.Reason.OTHER and not excuse.note.strip():
        raise RefusedError(_("For another reason, a note must say which."))


def span(account: Account, excuse: Excuse) -> tuple[datetime, datetime | None]:
    """Return from when until when (without it) an excuse holds; None for an open end."""
    last_day = excuse.last_day
    ends_at = None if last_day is None else _midnight(account, last_day + timedelta(days=1))
    return _midnight(account, excuse.first_day), ends_at


def _midnight(account: Account, day: date) -> datetime:
    """Return the moment at which a local day begins, in UTC, as the database gives it back."""
    return local_midnight(day, account.zone).astimezone(UTC)


def _require(exemption: Exemption, *states: Exemption.State, at: datetime) -> None:
    state = exemption.state(at)
    if state not in states:
        raise RefusedError(_("That is not possible any more: the exemption is “%(state)s”.") % {"state": state.label})


def _refuse_the_requester(exemption: Exemption, by: User) -> None:
    if exemption.requested_by_id == by.pk:
        raise RefusedError(_("Somebody else than the one who requested it must decide."))


def _recount(exemption: Exemption, *, at: datetime) -> None:
    """Recount no more than whom it can excuse: its person, or its group's members, in its campaign or in all."""
    if exemption.person_id is not None:
        recount(exemption.account, people=[exemption.person_id], at=at)
        return
    members = GroupMembership.objects.filter(group=exemption.group_id, removed_at__isnull=True).values("person_id")
    if exemption.campaign_id is None:
        recount(exemption.account, people=members.values_list("person_id", flat=True), at=at)
        return
    enrollments = Enrollment.objects.filter(campaign=exemption.campaign_id, person__in=members)
    recount(exemption.account, enrollments=enrollments.values_list("pk", flat=True), at=at)


def _record(
    exemption: Exemption,
    old: Exemption.State | None,
    new: Exemption.State,
    *,
    by: User,
    at: datetime,
    reason: str,
) -> None:
    record(
        exemption.account,
        SettingChange.Subject.EXEMPTION,
        exemption.pk,
        "state",
        old=old.value if old else None,
        new=new.value,
        by=by,
        at=at,
        reason=reason,
    )
