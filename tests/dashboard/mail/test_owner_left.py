"""A schedule whose owner has left is handed on when the role ends; until then administrators hear of trouble."""

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from dashboard.mail import deliveries
from dashboard.models import AuditEvent, Delivery, Membership, Schedule, User
from dashboard.outbox import occurrences
from dashboard.services import members
from dashboard.services.deciding import RefusedError
from dashboard.services.schedules import hand_on, take_over
from sync.models import Account
from tests import factories
from tests.dashboard.mail.conftest import make_schedule
from tests.dashboard.mail.server import Inbox
from tests.dashboard.signing_in import sign_in_lately


@pytest.fixture
def maren(account: Account) -> User:
    """Return a security manager, who owns a schedule and is about to leave."""
    user = factories.UserFactory(email="maren@brackwater.example", first_name="Maren", last_name="Okafor")
    factories.MembershipFactory(user=user, account=account)
    return user


@pytest.fixture
def schedule(account: Account, maren: User, alice: User, ines: User) -> Schedule:
    return make_schedule(account, maren, alice)


def _membership(user: User, account: Account) -> Membership:
    return Membership.objects.get(user=user, account=account)


def _trouble(schedule: Schedule, now: datetime) -> None:
    occurrence = schedule.occurrences.create(account=schedule.account, due_at=now, created_at=now)
    Delivery.objects.create(
        account=schedule.account, occurrence=occurrence, recipient=schedule.recipients.get(), state="failed",
        next_try_at=now,
    )  # fmt: skip


def _told(schedule: Schedule) -> set[str]:
    notices = Delivery.objects.filter(occurrence__schedule=schedule, kind="notice")
    return {f"{one.recipient.email} {one.state}" for one in notices}


def test_whoever_ends_the_role_gets_the_schedule_and_is_told(
    account: Account, schedule: Schedule, maren: User, ines: User
) -> None:
    other = make_schedule(factories.AccountFactory(name="Fernhill"), maren, ines)
    client = sign_in_lately(Client(), ines)
    page = client.post(
        reverse("end_member", args=[_membership(maren, account).pk]), {"confirmed": "on"}, follow=True
    ).content.decode()
    assert "Handed on to" in page and "“Weekly figures”" in page
    schedule.refresh_from_db()
    other.refresh_from_db()
    assert (schedule.owner, other.owner) == (ines, maren)
    event = AuditEvent.objects.get(action="schedule_changed")
    assert event.details == {"act": "handed_on", "old": maren.pk, "new": ines.pk}


def test_a_role_that_still_decides_keeps_its_schedules(
    account: Account, schedule: Schedule, maren: User, ines: User, now: datetime
) -> None:
    factories.MembershipFactory(user=maren, account=account, role=Membership.Role.ADMINISTRATOR)
    manager = Membership.objects.get(user=maren, account=account, role=Membership.Role.SECURITY_MANAGER)
    assert members.end(manager, by=ines, at=now).schedules == []
    schedule.refresh_from_db()
    assert schedule.owner == maren
    left = Membership.objects.get(user=maren, account=account, role=Membership.Role.ADMINISTRATOR)
    offer = members.Offer(Membership.Role.PEOPLE_MANAGER)
    assert members.change(left, offer, by=ines, at=now)
    schedule.refresh_from_db()
    assert schedule.owner == ines


def test_who_ends_their_own_role_hands_on_to_an_administrator(
    account: Account, ines: User, alice: User, now: datetime
) -> None:
    second = factories.UserFactory(email="zoe@brackwater.example")
    factories.MembershipFactory(user=second, account=account, role=Membership.Role.ADMINISTRATOR)
    schedule = make_schedule(account, ines, alice)
    assert members.end(_membership(ines, account), by=ines, at=now).schedules == [schedule]
    schedule.refresh_from_db()
    assert schedule.owner == second
    assert hand_on(account, ines, by=ines, at=now) == []


@pytest.mark.parametrize("left", ["its time ran out", "the sign-in is off", "single sign-on took it"])
def test_until_then_administrators_are_told(
    account: Account, schedule: Schedule, maren: User, ines: User, now: datetime, server: Inbox, left: str
) -> None:
    if left == "the sign-in is off":
        User.objects.filter(pk=maren.pk).update(is_active=False)
    else:
        Membership.objects.filter(user=maren).update(ends_at=now - timedelta(days=1))
    _trouble(schedule, now)
    occurrences.note_trouble(now)
    assert _told(schedule) == {f"{ines.email} waiting"}
    deliveries.deliver(Delivery.objects.get(kind="notice").pk)
    assert server.to == [ines.email]
    occurrences.note_trouble(now)
    assert _told(schedule) == {f"{ines.email} sent"}


def test_who_left_before_the_notice_went_out_is_replaced(
    account: Account, schedule: Schedule, maren: User, ines: User, now: datetime, server: Inbox
) -> None:
    _trouble(schedule, now)
    occurrences.note_trouble(now)
    Membership.objects.filter(user=maren).update(ends_at=now)
    deliveries.deliver(Delivery.objects.get(kind="notice").pk)
    assert _told(schedule) == {f"{maren.email} no_access"}
    occurrences.note_trouble(now)
    assert _told(schedule) == {f"{maren.email} no_access", f"{ines.email} waiting"}


def test_the_page_says_it_and_somebody_takes_it_over(
    account: Account, schedule: Schedule, maren: User, alice: User, now: datetime
) -> None:
    client = sign_in_lately(Client(), alice)
    address = reverse("schedule", args=[schedule.pk])
    assert "Owned by Maren Okafor, who is told" in client.get(address).content.decode()
    with pytest.raises(RefusedError):
        take_over(schedule, by=alice, at=now)
    Membership.objects.filter(user=maren).update(ends_at=now - timedelta(days=1))
    _trouble(schedule, now)
    occurrences.note_trouble(now)
    page = client.get(address).content.decode()
    assert "Its owner, Maren Okafor, has left: administrators are told" in page
    assert "Ines Halloran is to be told." in page
    client.post(reverse("act_on_schedule", args=[schedule.pk]), {"act": "take"})
    page = client.get(address).content.decode()
    assert "Owned by Alice Marlow, who is told" in page
    assert 'value="take"' not in page
