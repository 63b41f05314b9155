"""Notices about somebody's own sign-in: sent in the background, never twice, for as long as other mail is tried."""

from datetime import timedelta

import pytest
import time_machine
from celery import states
from django.db import transaction

from dashboard.models import AskedTask
from dashboard.outbox.notices import tell
from dashboard.tasks import send_notice
from tests.clock import MOMENT
from tests.dashboard.mail.server import Inbox

pytestmark = pytest.mark.django_db


def asked() -> AskedTask:
    """Have somebody told, and return the task that was written down for it."""
    with transaction.atomic():
        tell("pia@brackwater.example", "Your role has\nended", "First.", "Second <b>.", page="your_access")
    return AskedTask.objects.get()


def work(task: AskedTask) -> str:
    """Carry the task out as a worker does; return the state it ends in."""
    return str(send_notice.apply(kwargs=task.arguments, task_id=f"asked-{task.pk}").state)


def test_a_notice_goes_out_once(server: Inbox) -> None:
    task = asked()
    assert work(task) == states.SUCCESS
    work(task)
    [mail] = server.mails
    assert (mail["To"], mail["Subject"]) == ("pia@brackwater.example", "Your role has ended")
    plain, html = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))  # type: ignore[union-attr]
    assert "First." in plain
    assert "Second <b>." in plain
    assert "https://rollcall.example/you/access/" in plain
    assert "Second &lt;b&gt;." in html
    assert not AskedTask.objects.exists()


def test_a_notice_waits_for_a_server_and_is_given_up_at_last(server: Inbox) -> None:
    server.answers["RCPT"] = "450 Not now"
    task = asked()
    assert work(task) == "IGNORED"
    assert AskedTask.objects.get() == task
    with time_machine.travel(MOMENT + timedelta(days=4), tick=False):
        work(task)
    assert not AskedTask.objects.exists()
    assert not server.mails


@pytest.mark.slow
def test_of_a_notice_the_server_may_have_taken_nobody_sends_another(server: Inbox) -> None:
    server.hang = "DATA"
    task = asked()
    work(task)
    server.hang = ""
    work(task)
    assert len(server.mails) == 1


def test_without_a_mail_server_nobody_is_told() -> None:
    tell("pia@brackwater.example", "Subject", "Words.")
    assert not AskedTask.objects.exists()
