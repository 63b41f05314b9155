"""Administrators hear once of each trouble, within a minute of its being seen, and once more when it is over."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from config.celery import app
from dashboard import audit, tasks
from dashboard.audit.chain import anchor
from dashboard.mail.alerts import mailing, watching
from dashboard.models import Alert, AlertMail, Delivery, Membership, Schedule, SingleSignOn, User
from sync.models import Account, SyncRun
from tests import factories
from tests.dashboard.conftest import Queue
from tests.dashboard.mail.conftest import inbox, mail_by, make_schedule, room, server
from tests.dashboard.mail.server import Inbox
from tests.dashboard.sealing import seal

__all__ = ["inbox", "mail_by", "room", "server"]

MINUTE = timedelta(minutes=1)


@pytest.fixture
def maren(account: Account) -> User:
    """Return a second administrator."""
    user = factories.UserFactory(email="maren@brackwater.example")
    factories.MembershipFactory(user=user, account=account, role=Membership.Role.ADMINISTRATOR)
    return user


@pytest.fixture
def well(account: Account, published: SyncRun, ines: User, alice: User) -> Account:
    """Return an account that is synced, with an administrator and somebody who is none."""
    return account


@pytest.fixture
def hear(server: Inbox) -> Iterator[Callable[[datetime], list[tuple[str, str]]]]:
    """Return what looks at a moment, sends what is to be sent, and returns to whom which subjects went."""

    def heard(at: datetime) -> list[tuple[str, str]]:
        before = len(server.mails)
        for mail in watching.look(at):
            mailing.deliver(mail)
        return [(str(one["To"]), str(one["Subject"])) for one in server.mails[before:]]

    yield heard


Hear = Callable[[datetime], list[tuple[str, str]]]


def _run(account: Account, at: datetime, state: str, **fields: Any) -> SyncRun:
    fields.setdefault("error_kind", "ServerFault" if state == "failed" else "")
    return factories.SyncRunFactory(account=account, state=state, started_at=at, message=f"It {state}.", **fields)


def _published(account: Account, at: datetime) -> None:
    factories.publish(factories.SyncRunFactory(account=account, started_at=at))


@pytest.mark.parametrize(
    ("state", "subject"),
    [("failed", "A sync of Brackwater Mutual failed"), ("held", "A sync of Brackwater Mutual was held")],
)
def test_a_sync_that_came_to_nothing(
    well: Account, ines: User, maren: User, now: datetime, hear: Hear, server: Inbox, state: str, subject: str
) -> None:
    assert hear(now) == []
    _run(well, now, state)
    assert sorted(hear(now)) == [(ines.email, subject), (maren.email, subject)]
    text = server.mails[-1].get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert f"It {state}." in text and "https://rollcall.example/sync/" in text
    # It goes on failing: of one cause they hear once.
    for hour in (1, 2):
        _run(well, now + timedelta(hours=hour), state)
        assert hear(now + timedelta(hours=hour)) == []
    _published(well, now + timedelta(hours=3))
    again = "Brackwater Mutual is synced again"
    assert sorted(hear(now + timedelta(hours=3))) == [(ines.email, again), (maren.email, again)]
    assert hear(now + timedelta(hours=3, minutes=1)) == []
    assert Alert.objects.get().ended_at == now + timedelta(hours=3)


def test_a_sync_that_is_tried_again_is_not_well_yet(well: Account, now: datetime, hear: Hear) -> None:
    _run(well, now, "held")
    assert len(hear(now)) == 1
    # As a later sync leaves the held one, and as a worker that died leaves its run.
    SyncRun.objects.filter(state="held").update(state="discarded", resolution="A later sync, run 9, began.")
    _run(well, now, "failed", error_kind="")
    _run(well, now, "running")
    assert hear(now + MINUTE) == []
    assert Alert.objects.get().ended_at is None


def test_a_held_sync_that_somebody_discarded_is_over(well: Account, ines: User, now: datetime, hear: Hear) -> None:
    _run(well, now, "held")
    hear(now)
    SyncRun.objects.filter(state="held").update(state="discarded", resolved_by=ines, resolved_at=now)
    assert [subject for _to, subject in hear(now + MINUTE)] == ["Brackwater Mutual is synced again"]


def test_another_trouble_is_another_cause_and_no_recovery(well: Account, now: datetime, hear: Hear) -> None:
    _run(well, now, "held")
    hear(now)
    _run(well, now, "failed")
    assert [subject for _to, subject in hear(now + MINUTE)] == ["A sync of Brackwater Mutual failed"]
    _published(well, now + MINUTE)
    assert len(hear(now + 2 * MINUTE)) == 1


def test_data_older_than_twice_the_interval(well: Account, now: datetime, hear: Hear) -> None:
    Account.objects.update(published_at=now - timedelta(minutes=119))
    assert hear(now) == []
    assert [subject for _to, subject in hear(now + 2 * MINUTE)] == [
        "Brackwater Mutual has not been synced for too long"
    ]
    # Whoever switches syncs off knows that nothing is synced.
    Account.objects.update(is_sync_enabled=False)
    assert hear(now + 3 * MINUTE) == []
    assert Alert.objects.get().ended_at is not None


@pytest.fixture
def schedule(well: Account, alice: User) -> Schedule:
    return make_schedule(well, alice, alice)


def _mailed(schedule: Schedule, at: datetime, **fields: Any) -> None:
    occurrence = schedule.occurrences.create(account=schedule.account, due_at=at, created_at=at)
    recipient = schedule.recipients.get()
    values = {"state": "sent", "next_try_at": at, **fields}
    Delivery.objects.create(account=schedule.account, occurrence=occurrence, recipient=recipient, **values)


@pytest.mark.parametrize(
    "fields", [{"state": "failed"}, {"state": "unknown"}, {"state": "waiting", "first_refused_at": "now"}]
)
def test_a_schedule_that_could_not_be_mailed(
    schedule: Schedule, ines: User, now: datetime, hear: Hear, server: Inbox, fields: dict[str, Any]
) -> None:
    fields = {name: now if value == "now" else value for name, value in fields.items()}
    _mailed(schedule, now, **fields, said="The server refused it.")
    assert hear(now) == [(ines.email, "A report of Brackwater Mutual could not be mailed")]
    text = server.mails[-1].get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "Weekly figures: The server refused it." in text
    assert f"https://rollcall.example/schedules/{schedule.pk}/" in text
    assert hear(now + MINUTE) == []
    _mailed(schedule, now + MINUTE)
    assert hear(now + 2 * MINUTE) == [(ines.email, "A report of Brackwater Mutual is mailed again")]


@pytest.mark.parametrize(
    "fields", [{"state": "sent"}, {"state": "no_access"}, {"state": "waiting"}, {"state": "quiet"}]
)
def test_a_mail_that_is_not_in_trouble(schedule: Schedule, now: datetime, hear: Hear, fields: dict[str, Any]) -> None:
    _mailed(schedule, now, **fields)
    assert hear(now) == []


def test_each_is_sent_once_whatever_the_server_does(well: Account, now: datetime, server: Inbox, hear: Hear) -> None:
    _run(well, now, "failed")
    server.answers["RCPT"] = "450 later"
    assert hear(now) == []
    mail = AlertMail.objects.get()
    assert (mail.state, mail.attempts, "450" in mail.said) == ("waiting", 1, True)
    server.answers.clear()
    assert hear(now + MINUTE / 2) == []
    [(_to, subject)] = hear(now + 2 * MINUTE)
    assert subject == "A sync of Brackwater Mutual failed"
    mailing.deliver(mail.pk)
    assert len(server.mails) == 1
    AlertMail.objects.update(state="handing_over")
    mailing.deliver(mail.pk)
    assert (AlertMail.objects.get().state, len(server.mails)) == ("unknown", 1)


def test_groups_that_are_left_out_are_told_and_a_week_without_is_well(
    well: Account, now: datetime, server: Inbox, hear: Hear, ines: User
) -> None:
    fields = {"server_url": "https://id.example", "client_id": "x", "email_domains": ["brackwater.example"]}
    SingleSignOn.objects.create(account=well, name="Brackwater ID", groups_untold_at=now, **fields)
    told = (ines.email, f"Single sign-on of {well} left out somebody's groups")
    assert told in hear(now + MINUTE)
    assert "/settings/sign-on/" in server.mails[0].get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert told not in hear(now + 2 * MINUTE)
    over = (ines.email, f"Nobody's groups were left out in {well} for a week")
    assert over in hear(now + timedelta(days=7))


def test_what_was_over_before_it_could_be_told_is_not(well: Account, now: datetime, server: Inbox, hear: Hear) -> None:
    _run(well, now, "failed")
    server.answers["RCPT"] = "450 later"
    hear(now)
    server.answers.clear()
    _published(well, now + MINUTE)
    assert hear(now + 10 * MINUTE) == []
    assert AlertMail.objects.get().state == "superseded"


def test_a_mail_of_a_clock_that_was_ahead_goes_out(well: Account, now: datetime, server: Inbox, hear: Hear) -> None:
    _run(well, now, "failed")
    server.answers["RCPT"] = "450 later"
    hear(now)
    server.answers.clear()
    AlertMail.objects.update(next_try_at=now + timedelta(hours=30))
    assert len(hear(now)) == 1


def test_without_a_mail_server_the_log_says_it(well: Account, now: datetime, caplog: pytest.LogCaptureFixture) -> None:
    _run(well, now, "failed")
    assert watching.look(now) == watching.look(now + MINUTE) == []
    assert caplog.text.count("Alert: sync_failed") == 1
    assert not AlertMail.objects.exists()


def test_beat_looks_each_minute(well: Account, now: datetime, server: Inbox, queue: Queue) -> None:
    assert app.conf.beat_schedule["watch"] == {
        "task": tasks.watch.name, "schedule": 60.0, "options": {"expires": 55}
    }  # fmt: skip
    _run(well, now, "failed")
    tasks.watch()
    [(task, arguments)] = queue.tasks()
    assert task == tasks.deliver_alert.name
    tasks.deliver_alert(**arguments)
    assert len(server.mails) == 1


def test_auditors_get_the_end_of_the_log_every_week(
    well: Account, ines: User, now: datetime, hear: Hear, server: Inbox
) -> None:
    audit.record(audit.Action.EXPORTED, account=well, user=ines)
    seal()
    assert hear(now) == []
    auditor = factories.UserFactory(email="audit@outside.example")
    ends_at = now + timedelta(days=20)
    factories.MembershipFactory(user=auditor, account=well, role=Membership.Role.AUDITOR, ends_at=ends_at)
    subject = "The audit log of Brackwater Mutual, for your records"
    assert hear(now) == [(auditor.email, subject)]
    text = server.mails[-1].get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert anchor(well.pk).digest in text and "--contains" in text and "again when it is over" not in text
    # Once a week, from Monday at seven on, and only to who audits then.
    audit.record(audit.Action.EXPORTED, account=well, user=ines)
    seal()
    for later in (MINUTE, timedelta(days=3), timedelta(days=6, hours=20)):
        _published(well, now + later)
        assert hear(now + later) == []
    _published(well, now + timedelta(days=7))
    assert hear(now + timedelta(days=7)) == [(auditor.email, subject)]
    assert anchor(well.pk).digest in server.mails[-1].get_body(("plain",)).get_content()  # type: ignore[union-attr]
    _published(well, now + timedelta(days=21))
    assert hear(now + timedelta(days=21)) == []
