"""The page that tries whether mail arrives."""

from typing import Any

import pytest
from django.core import mail
from django.test import Client

from dashboard.models import User
from tests.dashboard.conftest import as_ines, ines
from tests.dashboard.mail.server import Inbox, free_port

__all__ = ["as_ines", "ines"]
pytestmark = pytest.mark.django_db


def test_test_mail_reaches_the_reader(as_ines: Client, ines: User, server: Inbox) -> None:
    page = as_ines.get("/settings/mail/").content.decode()
    assert "Mail goes out through 127.0.0.1:" in page
    answer = as_ines.post("/settings/mail/", follow=True).content.decode()
    assert f"The mail server took the test mail to {ines.email}." in answer
    assert (server.mails[0]["To"], server.mails[0]["Subject"]) == (ines.email, "Test mail from Rollcall")


def test_what_django_sends_is_isolated_too(server: Inbox) -> None:
    for to in ("ann@rollcall.example", "ä@rollcall.example"):
        mail.get_connection("dashboard.outbox.backend.EmailBackend").send_messages(
            [mail.EmailMessage("\u202eto \u0645\u062d 1", "Dear \u202e\u0645\u062d, 2\u200b", None, [to])]
        )
    for message in server.mails:
        assert message["Subject"] == "to \u2068\u0645\u062d\u2069 1"
        assert message.get_content().strip() == "Dear \u2068\u0645\u062d\u2069, 2"


def test_server_that_is_not_there_is_said(as_ines: Client, mail_by: Any) -> None:
    mail_by(f"smtp://127.0.0.1:{free_port()}")
    answer = as_ines.post("/settings/mail/", follow=True).content.decode()
    assert "The test mail was not sent. The mail server cannot be reached." in answer


def test_without_a_server_it_is_said_that_mail_is_printed(as_ines: Client, ines: User) -> None:
    assert "No mail server is set up." in as_ines.get("/settings/mail/").content.decode()
    answer = as_ines.post("/settings/mail/", follow=True).content.decode()
    assert "The test mail was printed where Rollcall runs" in answer
    assert mail.outbox[0].to == [ines.email]


def test_password_of_the_server_is_not_shown(as_ines: Client, mail_by: Any) -> None:
    mail_by("smtp://postmaster:s3cret-word@127.0.0.1:25")
    assert "s3cret-word" not in as_ines.get("/settings/mail/").content.decode()


def test_only_administrators_try_mail(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.get("/settings/mail/").status_code == 404
    assert client.post("/settings/mail/").status_code == 404


def test_test_mails_are_limited(as_ines: Client, settings: Any) -> None:
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"test_mail": (2, 600)}
    assert [as_ines.post("/settings/mail/").status_code for _number in range(3)] == [302, 302, 429]
