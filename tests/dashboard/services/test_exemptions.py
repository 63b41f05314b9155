"""Exemptions: from when until when they hold, and who may decide them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from dashboard.models import Exemption, SettingChange, User
from dashboard.models.rollups import ExemptSpan
from dashboard.services import RefusedError
from dashboard.services.exemptions import Excuse, approve, end, reject, request
from sync.models import Account, Enrollment, Group, GroupMembership, Person
from tests import factories

State = Exemption.State
SECOND = timedelta(seconds=1)


@pytest.fixture
def person(account: Account) -> Person:
    """Return somebody with one enrollment."""
    return factories.EnrollmentFactory(account=account).person


@pytest.fixture
def leave(person: Person) -> Excuse:
    """Return a leave in November: from the 2nd to the 27th."""
    return Excuse(Exemption.Reason.LEAVE, date(2026, 11, 2), date(2026, 11, 27), person=person)


@pytest.fixture
def requested(account: Account, leave: Excuse, alice: User, now: datetime) -> Exemption:
    """Return that leave as Alice requested it."""
    return request(account, leave, by=alice, at=now)


def group_of(account: Account, *people: Person, knowbe4_id: int = 41) -> Group:
    """Return a group with these members."""
    group = Group.objects.create(
        account=account, knowbe4_id=knowbe4_id, name="Night shift", first_seen_at=factories.SEEN_AT
    )
    for person in people:
        GroupMembership.objects.create(account=account, group=group, person=person, first_seen_at=factories.SEEN_AT)
    return group


def test_days_are_of_the_accounts_zone_and_the_last_one_is_included(requested: Exemption) -> None:
    # Berlin: an hour ahead of UTC in November.
    assert requested.starts_at == datetime(2026, 11, 1, 23, 0, tzinfo=UTC)
    assert requested.ends_at == datetime(2026, 11, 27, 23, 0, tzinfo=UTC)


def test_last_day_with_a_clock_change_ends_at_its_own_midnight(
    account: Account, leave: Excuse, alice: User, now: datetime
) -> None:
    day = date(2026, 10, 25)  # 25 hours long in Berlin
    exemption = request(account, replace(leave, first_day=day, last_day=day), by=alice, at=now)
    assert exemption.ends_at is not None
    assert exemption.ends_at - exemption.starts_at == timedelta(hours=25)


def test_every_step_is_on_record(requested: Exemption, ines: User, alice: User, now: datetime) -> None:
    approve(requested, by=ines, at=now + SECOND, reason="Papers seen.")
    end(requested, by=alice, at=now + 2 * SECOND, reason="Back early.")
    log = SettingChange.objects.filter(subject="exemption", subject_id=requested.pk).order_by("pk")
    assert list(log.values_list("old", "new", "changed_by", "changed_at", "reason")) == [
        (None, "requested", alice.pk, now, "Leave"),
        ("requested", "approved", ines.pk, now + SECOND, "Papers seen."),
        ("active", "ended", alice.pk, now + 2 * SECOND, "Back early."),
    ]


def test_states_follow_the_moments(requested: Exemption, ines: User, now: datetime) -> None:
    assert requested.state(now) == State.REQUESTED
    approve(requested, by=ines, at=now + SECOND, reason="Papers seen.")
    assert requested.ends_at is not None
    assert requested.state(now) == State.REQUESTED
    assert requested.state(now + SECOND) == State.ACTIVE
    assert requested.state(requested.ends_at - SECOND) == State.ACTIVE
    assert requested.state(requested.ends_at) == State.EXPIRED


def test_state_before_it_begins_is_approved(account: Account, leave: Excuse, alice: User, ines: User) -> None:
    early = datetime(2026, 10, 1, 9, 0, tzinfo=UTC)
    exemption = request(account, leave, by=alice, at=early)
    approve(exemption, by=ines, at=early, reason="Papers seen.")
    assert exemption.state(exemption.starts_at - SECOND) == State.APPROVED
    assert exemption.state(exemption.starts_at) == State.ACTIVE


def test_state_of_one_ended_early_stays_ended(requested: Exemption, ines: User, now: datetime) -> None:
    approve(requested, by=ines, at=now, reason="Papers seen.")
    end(requested, by=ines, at=now + SECOND, reason="Back early.")
    assert requested.state(now) == State.ACTIVE
    assert requested.state(now + timedelta(days=400)) == State.ENDED
    assert requested.stops_at == now + SECOND


@pytest.mark.parametrize("decide", [approve, reject])
def test_requester_cannot_decide(requested: Exemption, alice: User, now: datetime, decide: Callable[..., None]) -> None:
    with pytest.raises(RefusedError, match="Somebody else"):
        decide(requested, by=alice, at=now, reason="It is right.")
    requested.refresh_from_db()
    assert requested.state(now) == State.REQUESTED


def test_database_refuses_the_requester_too(requested: Exemption, alice: User, now: datetime) -> None:
    with pytest.raises(IntegrityError, match="exemption_approved_by_another"), transaction.atomic():
        Exemption.objects.filter(pk=requested.pk).update(approved_by=alice, approved_at=now)


def test_nobody_approves_their_own(account: Account, leave: Excuse, alice: User, ines: User, now: datetime) -> None:
    person = factories.PersonFactory(account=account, email=ines.email.upper())
    exemption = request(account, replace(leave, person=person), by=alice, at=now)
    with pytest.raises(RefusedError, match="their own"):
        approve(exemption, by=ines, at=now, reason="I know.")


@pytest.mark.parametrize("decide", [approve, reject, end])
def test_decisions_need_a_reason(requested: Exemption, ines: User, now: datetime, decide: Callable[..., None]) -> None:
    with pytest.raises(RefusedError, match="reason is needed"):
        decide(requested, by=ines, at=now, reason=" ")


@pytest.mark.parametrize("decide", [approve, reject, end])
def test_rejected_is_final(requested: Exemption, ines: User, now: datetime, decide: Callable[..., None]) -> None:
    reject(requested, by=ines, at=now, reason="No papers.")
    with pytest.raises(RefusedError, match="Rejected"):
        decide(requested, by=ines, at=now + SECOND, reason="On second thought.")


def test_withdrawn_request_cannot_be_approved(requested: Exemption, alice: User, ines: User, now: datetime) -> None:
    end(requested, by=alice, at=now, reason="Not needed.")
    assert requested.state(now) == State.ENDED
    with pytest.raises(RefusedError, match="Ended"):
        approve(requested, by=ines, at=now + SECOND, reason="Papers seen.")


def test_expired_cannot_be_ended(requested: Exemption, ines: User, now: datetime) -> None:
    approve(requested, by=ines, at=now, reason="Papers seen.")
    assert requested.ends_at is not None
    with pytest.raises(RefusedError, match="Expired"):
        end(requested, by=ines, at=requested.ends_at, reason="Tidy up.")


def test_requests_that_make_no_sense_are_refused(
    account: Account, leave: Excuse, person: Person, alice: User, now: datetime
) -> None:
    everybody = group_of(account, knowbe4_id=0)
    stranger = factories.PersonFactory()
    for excuse, words in (
        (replace(leave, person=None), "one person or for one group"),
        (replace(leave, group=group_of(account, person)), "one person or for one group"),
        (replace(leave, person=None, group=everybody), "optional or excluded"),
        (replace(leave, person=stranger), "same account"),
        (replace(leave, campaign=factories.CampaignFactory()), "same account"),
        (replace(leave, last_day=date(2026, 11, 1)), "before the first"),
        (replace(leave, reason=Exemption.Reason.OTHER, note=" "), "note must say"),
    ):
        with pytest.raises(RefusedError, match=words):
            request(account, excuse, by=alice, at=now)
    assert not Exemption.objects.exists()


def test_database_refuses_deleting_and_rewriting(requested: Exemption, alice: User, ines: User, now: datetime) -> None:
    rows = Exemption.objects.filter(pk=requested.pk)
    with pytest.raises(DatabaseError, match="never deleted"), transaction.atomic():
        rows.delete()
    with pytest.raises(DatabaseError, match="not rewritten"), transaction.atomic():
        rows.update(ends_at=None)
    approve(requested, by=ines, at=now, reason="Papers seen.")
    with pytest.raises(DatabaseError, match="not rewritten"), transaction.atomic():
        rows.update(approved_at=now - timedelta(days=1))
    with pytest.raises(DatabaseError, match="not rewritten"), transaction.atomic():
        rows.update(approved_by=None, approved_at=None)
    end(requested, by=alice, at=now + SECOND, reason="Back early.")
    with pytest.raises(DatabaseError, match="not rewritten"), transaction.atomic():
        rows.update(end_note="Never happened.")


def spans() -> list[tuple[int, datetime, datetime | None]]:
    """Return the times in which enrollments are exempt, as the rollups hold them."""
    found = ExemptSpan.objects.order_by("enrollment_id")
    return [(span.enrollment_id, span.during.lower, span.during.upper) for span in found]


def test_approval_excuses_from_the_first_day_and_the_end_stops_it(
    requested: Exemption, person: Person, ines: User, now: datetime
) -> None:
    enrollment = Enrollment.objects.get(person=person)
    assert spans() == []

    approve(requested, by=ines, at=now, reason="Papers seen.")
    assert spans() == [(enrollment.pk, requested.starts_at, requested.ends_at)]

    end(requested, by=ines, at=now + SECOND, reason="Back early.")
    assert spans() == [(enrollment.pk, requested.starts_at, now + SECOND)]


def test_group_is_excused_from_one_campaign(
    account: Account, leave: Excuse, person: Person, alice: User, ines: User, now: datetime
) -> None:
    enrollment = Enrollment.objects.get(person=person)
    factories.EnrollmentFactory(account=account, person=person)
    factories.EnrollmentFactory(account=account, campaign=enrollment.campaign)
    excuse = replace(leave, person=None, group=group_of(account, person), campaign=enrollment.campaign, last_day=None)

    approve(request(account, excuse, by=alice, at=now), by=ines, at=now, reason="They work at night.")

    exemption = Exemption.objects.get()
    assert spans() == [(enrollment.pk, exemption.starts_at, None)]
