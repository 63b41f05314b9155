"""Mails by a real server: who gets which figures, and that nothing is lost and nothing sent twice."""

import hashlib
import os
import socket
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from dashboard import tasks
from dashboard.access import Scope
from dashboard.figures.counts import figures
from dashboard.files.jobs import forget_expired
from dashboard.formats import percent
from dashboard.mail import composing, deliveries
from dashboard.models import AuditEvent, Delivery, Membership, Schedule, User
from dashboard.outbox import handing_over, occurrences, sending
from sync.models import Account, Department
from tests.clock import MOMENT
from tests.dashboard.conftest import Queue
from tests.dashboard.exports.reading import rows_of_csv
from tests.dashboard.mail.conftest import make_schedule
from tests.dashboard.mail.server import PASSWORD, USER, Inbox, certificate_in, free_port, serving

State = Delivery.State


def note(schedule: Schedule, **moment: int) -> list[Delivery]:
    """Let a schedule be due, and return its deliveries by recipient."""
    at = MOMENT
    occurrence = occurrences.note(schedule, due_at=at - timedelta(**moment), at=at)
    assert occurrence is not None
    return list(occurrence.deliveries.order_by("recipient__email"))


def deliver(*deliveries: Delivery) -> None:
    for one in deliveries:
        tasks.deliver_mail(delivery_id=one.pk)
        one.refresh_from_db()


def text_of(mail: Any) -> str:
    found: str = mail.get_body(("plain",)).get_content()
    return found


def test_each_recipient_gets_their_own_figures(server: Inbox, schedule: Schedule, alice: User, head: User) -> None:
    deliver(*(found := note(schedule)))
    assert [one.state for one in found] == [State.SENT, State.SENT]
    assert server.to == [alice.email, head.email]
    told = {}
    for user, mail in zip((alice, head), server.mails, strict=True):
        one = Delivery.objects.get(recipient=user)
        shown = figures(Scope.of(user), as_of=one.as_of).net
        for kind in ("plain", "html"):
            body = mail.get_body((kind,)).get_content()
            assert percent(shown.completion_rate) in body
            assert str(shown.people_past_due) in body
            assert Scope.of(user).label in body
        told[user.pk] = shown.people_past_due
    assert told[alice.pk] > told[head.pk] > 0


def test_a_mail_says_what_it_is(server: Inbox, schedule: Schedule, alice: User) -> None:
    deliver(note(schedule)[0])
    mail = server.mails[0]
    assert mail["To"] == alice.email
    assert mail["From"] == "Rollcall <reports@rollcall.example>"
    assert mail["Subject"] == "Weekly figures: Brackwater Mutual"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"].endswith("@rollcall.example>")
    assert mail.get_content_type() == "multipart/alternative"
    event = AuditEvent.objects.get(action="report_sent")
    assert (event.subject, event.subject_id, event.details["recipient"]) == ("schedule", schedule.pk, alice.pk)


@pytest.mark.parametrize("secure", ["starttls", "tls"])
def test_encrypted_and_signed_in(
    inbox: Inbox,
    schedule: Schedule,
    mail_by: Callable[[str], None],
    tmp_path: Path,
    settings: Any,
    secure: str,
    now: datetime,
) -> None:
    certificate = certificate_in(tmp_path)
    scheme = {"starttls": "smtp+tls", "tls": "smtps"}[secure]
    first, second = note(schedule)
    with serving(inbox, secure=secure, certificate=certificate, asks=True) as port:
        mail_by(f"{scheme}://{USER}:pass%3Aword%401@127.0.0.1:{port}")
        # Nobody vouches for this certificate: not a byte of ours goes to whoever shows it.
        deliver(first)
        assert (first.state, inbox.mails, inbox.signed_in) == (State.WAITING, [], [])
        assert "cannot be trusted" in first.said
        settings.EMAIL_CA_FILE = str(certificate[0])
        deliver(second)
        assert (second.state, inbox.signed_in, len(inbox.mails)) == (State.SENT, [USER], 1)
        mail_by(f"{scheme}://{USER}:wrong@127.0.0.1:{port}")
        Delivery.objects.filter(pk=first.pk).update(next_try_at=now)
        deliver(first)
    assert first.state == State.WAITING
    assert "user or password" in first.said and PASSWORD not in first.said


def test_a_server_without_encryption_gets_nothing(server: Inbox, schedule: Schedule, settings: Any) -> None:
    settings.EMAIL_USE_TLS = True
    deliver(one := note(schedule)[0])
    assert (one.state, server.mails) == (State.WAITING, [])
    assert "does not offer" in one.said


@pytest.mark.parametrize("command", ["RCPT", "DATA"])
def test_what_is_put_off_is_tried_again(server: Inbox, schedule: Schedule, command: str, now: datetime) -> None:
    server.answers[command] = "451 Greylisted, come back"
    deliver(one := note(schedule)[0])
    assert (one.state, one.attempts, server.mails) == (State.WAITING, 1, [])
    assert "451 Greylisted" in one.said
    assert one.next_try_at > now
    deliver(one)  # not before its time
    assert server.connections == 1
    server.answers.clear()
    Delivery.objects.filter(pk=one.pk).update(next_try_at=now)
    deliver(one)
    assert (one.state, len(server.mails), one.said) == (State.SENT, 1, "")


def test_what_is_put_off_for_days_is_given_up(server: Inbox, schedule: Schedule, now: datetime) -> None:
    server.answers["RCPT"] = "452 Mailbox full"
    one = note(schedule)[0]
    Delivery.objects.filter(pk=one.pk).update(first_refused_at=now - sending.PUT_OFF_FOR)
    deliver(one)
    assert one.state == State.FAILED
    assert "Mailbox full" in one.said


@pytest.mark.parametrize("command", ["RCPT", "DATA"])
def test_what_is_refused_is_told_to_the_owner_once(
    server: Inbox, schedule: Schedule, command: str, ines: User, as_alice: Client, now: datetime
) -> None:
    server.answers[command] = "550 No such mailbox"
    deliver(*(found := note(schedule)))
    assert {one.state for one in found} == {State.FAILED}
    page = as_alice.get(reverse("schedule", args=[schedule.pk])).content.decode()
    assert "550 No such mailbox" in page
    server.answers.clear()
    assert occurrences.note_trouble(now) == 1
    assert occurrences.note_trouble(now) == 0
    deliver(Delivery.objects.get(kind=Delivery.Kind.NOTICE))
    assert server.to == [ines.email]
    assert "550 No such mailbox" in text_of(server.mails[0])


@pytest.mark.slow
def test_silence_before_the_message_is_waited_out(server: Inbox, schedule: Schedule, now: datetime) -> None:
    server.hang = "RCPT"
    deliver(one := note(schedule)[0])
    assert one.state == State.WAITING
    assert one.said
    server.hang = ""
    Delivery.objects.filter(pk=one.pk).update(next_try_at=now)
    deliver(one)
    assert (one.state, len(server.mails)) == (State.SENT, 1)


@pytest.mark.slow
def test_silence_after_the_message_is_unknown_and_not_sent_again(
    server: Inbox, schedule: Schedule, now: datetime
) -> None:
    server.hang = "DATA"
    deliver(one := note(schedule)[0])
    assert (one.state, len(server.mails)) == (State.UNKNOWN, 1)
    assert "fell silent" in one.said
    server.hang = ""
    deliver(one)
    tasks.send_due_mail()
    deliver(one)
    assert len(server.mails) == 1
    # Unless somebody says so.
    assert sending.send_again(one, now)
    deliver(one)
    assert (one.state, len(server.mails)) == (State.SENT, 2)
    assert not sending.send_again(one, now)


def test_a_server_that_is_down_for_an_hour_gets_it_later(
    inbox: Inbox, schedule: Schedule, mail_by: Callable[[str], None], as_alice: Client, now: datetime
) -> None:
    port, one = free_port(), note(schedule)[0]
    mail_by(f"smtp://127.0.0.1:{port}")
    began, waits = time.monotonic(), []
    while sum(waits, timedelta()) < timedelta(hours=1):
        Delivery.objects.filter(pk=one.pk).update(next_try_at=now)
        deliver(one)
        assert one.state == State.WAITING
        waits.append(one.next_try_at - now)
    assert waits == sorted(waits) or waits[-1] - waits[-2] < timedelta(seconds=2)
    assert len(waits) < 12
    assert time.monotonic() - began < 20
    assert "cannot be reached" in as_alice.get(reverse("schedule", args=[schedule.pk])).content.decode()
    assert "waits for the mail server" in as_alice.get(reverse("schedules")).content.decode()
    Delivery.objects.filter(pk=one.pk).update(next_try_at=now)
    with serving(inbox, port=port):
        deliver(one)
    assert (one.state, len(inbox.mails)) == (State.SENT, 1)


def test_without_a_mail_server_it_stays_due(
    schedule: Schedule, queue: Queue, as_alice: Client, inbox: Inbox, mail_by: Callable[[str], None], now: datetime
) -> None:
    Schedule.objects.update(since=now - timedelta(days=8))
    tasks.send_due_mail()
    assert queue.tasks() == []
    assert set(Delivery.objects.values_list("state", flat=True)) == {State.WAITING}
    page = as_alice.get(reverse("schedules")).content.decode()
    assert "Mail is not set up" in page and "2 mails wait" in page
    with serving(inbox) as port:
        mail_by(f"smtp://127.0.0.1:{port}")
        tasks.send_due_mail()
        assert len(queue.tasks()) == 2
        deliver(*Delivery.objects.all())
    assert len(inbox.mails) == 2


def test_what_is_due_is_noted_once(schedule: Schedule, server: Inbox, queue: Queue, now: datetime) -> None:
    Schedule.objects.update(since=now - timedelta(days=30))
    for _minute in range(3):
        tasks.send_due_mail()
    # Four Mondays passed: the last of them is made up for, and queued once.
    assert schedule.occurrences.count() == 1
    assert len(queue.tasks()) == 2
    Delivery.objects.update(queued_at=now - timedelta(minutes=6))
    tasks.send_due_mail()
    assert len(queue.tasks()) == 4
    for _task, arguments in queue.tasks():
        tasks.deliver_mail(**arguments)
    assert len(server.mails) == 2


def test_a_newer_one_replaces_what_waits(schedule: Schedule) -> None:
    old, new = note(schedule, days=7), note(schedule)
    for one in old:
        one.refresh_from_db()
    assert {one.state for one in old} == {State.SUPERSEDED}
    assert {one.state for one in new} == {State.WAITING}


def test_whoever_lost_access_gets_nothing_and_the_owner_is_told(
    server: Inbox, schedule: Schedule, head: User, ines: User, now: datetime
) -> None:
    found = note(schedule)
    Membership.objects.filter(user=head).delete()
    deliver(*found)
    assert {one.recipient.email: one.state for one in found} == {
        "alice@brackwater.example": State.SENT,
        head.email: State.NO_ACCESS,
    }
    occurrences.note_trouble(now)
    deliver(Delivery.objects.get(kind=Delivery.Kind.NOTICE))
    assert server.to == ["alice@brackwater.example", ines.email]
    assert head.email in text_of(server.mails[1])


@pytest.mark.parametrize(("choice", "state", "mails"), [("skip", State.QUIET, 0), ("note", State.SENT, 1)])
def test_nothing_to_report(
    server: Inbox, company: Account, ines: User, alice: User, choice: str, state: str, mails: int
) -> None:
    schedule = make_schedule(
        company, ines, alice, content="table", what="past_due", format="xlsx", when_quiet=choice,
        query="department=999999",
    )  # fmt: skip
    deliver(one := note(schedule)[0])
    assert (one.state, len(server.mails), one.file_name) == (state, mails, "")
    if mails:
        assert "nothing to report" in text_of(server.mails[0])
        assert not list(server.mails[0].iter_attachments())


@pytest.mark.parametrize(("kind", "separator"), [("csv", ","), ("csv_semicolons", ";")])
def test_a_list_is_attached_in_the_recipient_s_scope(
    server: Inbox, company: Account, ines: User, alice: User, head: User, kind: str, separator: str
) -> None:
    schedule = make_schedule(company, ines, alice, head, content="table", what="past_due", format=kind)
    deliver(*(found := note(schedule)))
    for one, mail in zip(found, server.mails, strict=True):
        (attached,) = mail.iter_attachments()
        content = attached.get_payload(decode=True)
        assert hashlib.sha256(content).hexdigest() == one.sha256
        shown = figures(Scope.of(one.recipient), as_of=one.as_of).net.people_past_due
        assert attached.get_filename().endswith(".csv")
        assert len(rows_of_csv(content, separator)) - 1 == one.rows == shown > 0
    assert found[0].rows > found[1].rows  # type: ignore[operator]


@pytest.mark.parametrize("kind", composing.REPORTS)
def test_every_report_goes_as_pdf(server: Inbox, company: Account, ines: User, alice: User, kind: str) -> None:
    subjects = {
        "department": Department.objects.get(account=company, name="Claims").pk,
        "campaign": company.campaign_set.get(name="Payment fraud awareness").pk,
    }
    schedule = make_schedule(
        company, ines, alice, content="report", what=kind, format="pdf", subject_id=subjects.get(kind)
    )
    deliver(one := note(schedule)[0])
    assert one.state == State.SENT, one.said
    (attached,) = server.mails[0].iter_attachments()
    content = attached.get_payload(decode=True)
    assert content.startswith(b"%PDF-")
    assert attached.get_filename() == one.file_name
    assert hashlib.sha256(content).hexdigest() == one.sha256


def test_a_department_out_of_scope_is_not_reported(server: Inbox, company: Account, ines: User, head: User) -> None:
    sales = Department.objects.get(account=company, name="Sales")
    schedule = make_schedule(
        company, ines, head, content="report", what="department", format="pdf", subject_id=sales.pk
    )
    deliver(one := note(schedule)[0])
    assert (one.state, server.mails) == (State.NO_ACCESS, [])


def test_a_place_that_cannot_be_written_to_puts_a_mail_off(
    server: Inbox, company: Account, ines: User, alice: User, tmp_path: Path, settings: Any, now: datetime
) -> None:
    schedule = make_schedule(company, ines, alice, content="table", what="people", format="csv", way="link")
    one = note(schedule)[0]
    (tmp_path / "no-folder").write_text("")
    for place in ("no-folder", "half"):
        # Nothing can be written at all; or the file can be made, and not be stored.
        settings.MEDIA_ROOT = tmp_path / place
        if place == "half":
            (tmp_path / "half").mkdir()
            (tmp_path / "half" / "mail").write_text("")
        Delivery.objects.filter(pk=one.pk).update(next_try_at=now)
        deliver(one)
        assert (one.state, server.mails) == (State.WAITING, [])
        assert one.said.startswith("The file could not be written")
    (tmp_path / "half" / "mail").unlink()
    assert forget_expired(Delivery, now) == 0
    Delivery.objects.filter(pk=one.pk).update(next_try_at=now)
    deliver(one)
    assert (one.state, len(server.mails)) == (State.SENT, 1)


def test_a_link_holds_for_its_recipient_and_their_scope(
    server: Inbox, company: Account, ines: User, alice: User, head: User, room: Path, now: datetime
) -> None:
    schedule = make_schedule(company, ines, alice, head, content="table", what="people", format="csv", way="link")
    first, second = note(schedule)
    deliver(first, second)
    address = reverse("delivery_file", args=[second.key])
    assert f"https://rollcall.example{address}" in text_of(server.mails[1])
    assert not list(server.mails[1].iter_attachments())
    clients = {}
    for user in (alice, head):
        clients[user.pk] = Client()
        clients[user.pk].force_login(user)
    response = clients[head.pk].get(address)
    content = b"".join(response.streaming_content)  # type: ignore[arg-type]
    assert hashlib.sha256(content).hexdigest() == second.sha256
    assert clients[alice.pk].get(address).status_code == 404
    assert Client().get(address).status_code == 302
    # Claims is not theirs any more.
    member = Membership.objects.get(user=head)
    member.departments.set([Department.objects.get(account=company, name="Sales")])
    assert clients[head.pk].get(address).status_code == 404
    member.departments.set([Department.objects.get(account=company, name="Claims")])
    again = clients[head.pk].get(address)
    assert again.status_code == 200
    assert b"".join(again.streaming_content) == content  # type: ignore[arg-type]
    Delivery.objects.update(expires_at=now)
    assert clients[head.pk].get(address).status_code == 404
    assert forget_expired(Delivery, now + timedelta(seconds=1)) == 2
    assert not list(room.iterdir())


def test_what_is_too_large_to_attach_goes_by_link(
    server: Inbox, company: Account, ines: User, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(composing, "MOST_ATTACHED", 100)
    schedule = make_schedule(company, ines, alice, content="table", what="people", format="xlsx")
    deliver(one := note(schedule)[0])
    assert one.state == State.SENT and one.expires_at is not None
    assert not list(server.mails[0].iter_attachments())


def test_hostile_names_stay_names(server: Inbox, company: Account, ines: User, alice: User) -> None:
    schedule = make_schedule(company, ines, alice, name="<b>x</b>\r\nBcc: all@brackwater.example\r\n\r\n. =1+1")
    deliver(note(schedule)[0])
    assert server.mails[0]["Bcc"] is None
    assert server.to == [alice.email]
    assert "<b>x</b>" not in server.mails[0].get_body(("html",)).get_content()  # type: ignore[union-attr]


# Workers that die -----------------------------------------------------------------------------------------------


def test_two_workers_hand_it_over_once(server: Inbox, schedule: Schedule) -> None:
    one, other = note(schedule)[0], connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [f"delivery {one.pk}"])
            deliver(one)
            assert (one.state, server.mails) == (State.WAITING, [])
            cursor.execute("SELECT pg_advisory_unlock_all()")
    finally:
        other.close()
    deliver(one)
    assert (one.state, len(server.mails)) == (State.SENT, 1)


def test_who_lost_the_claim_sends_nothing(server: Inbox, schedule: Schedule, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its connection broke, its lock was gone, another worker was quicker: the claim decides."""
    one, announce = note(schedule)[0], handing_over._announce

    def slow(*arguments: Any) -> None:
        announce(*arguments)
        Delivery.objects.filter(pk=one.pk).update(state=State.HANDING_OVER)

    monkeypatch.setattr(handing_over, "_announce", slow)
    deliver(one)
    assert server.mails == []


def test_a_report_that_cannot_be_made_is_told(
    server: Inbox, schedule: Schedule, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: Any, **_more: Any) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(deliveries, "compose", full)
    deliver(one := note(schedule)[0])
    assert (one.state, server.mails) == (State.WAITING, [])
    assert "full" in one.said


def test_a_failure_after_the_claim_is_never_a_second_mail(
    server: Inbox, schedule: Schedule, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: Any, **_more: Any) -> None:
        raise TypeError("no such thing")

    monkeypatch.setattr(sending.audit, "record", broken)
    deliver(one := note(schedule)[0])
    assert (one.state, len(server.mails)) == (State.UNKNOWN, 1)


def test_a_server_that_hangs_up_in_the_middle(schedule: Schedule, mail_by: Callable[[str], None]) -> None:
    """It takes the whole message and goes without a word."""
    listener = socket.create_server(("127.0.0.1", 0))
    heard: list[bytes] = []

    def talk() -> None:
        peer, _address = listener.accept()
        with peer, peer.makefile("rb") as lines:
            peer.sendall(b"220 mail.example\r\n")
            for answer in (b"250 mail.example", b"250 OK", b"250 OK", b"354 Go on"):
                lines.readline()
                peer.sendall(answer + b"\r\n")
            while (line := lines.readline()) not in {b".\r\n", b""}:
                heard.append(line)

    thread = threading.Thread(target=talk)
    thread.start()
    mail_by(f"smtp://127.0.0.1:{listener.getsockname()[1]}")
    deliver(one := note(schedule)[0])
    thread.join(10)
    listener.close()
    assert one.state == State.UNKNOWN
    assert any(line.startswith(b"Subject: Weekly figures") for line in heard)
