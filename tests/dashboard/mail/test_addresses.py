"""Recipients whose address has letters beyond ASCII, and servers that take them or do not."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.test import Client

from config.email_addresses import on_the_wire, validate_address
from dashboard.mail import deliveries
from dashboard.mail.trying import send_test_mail
from dashboard.models import Delivery, Invitation, User
from dashboard.outbox import occurrences
from dashboard.outbox.sending import PUT_OFF_FOR
from sync.models import Account
from tests import factories
from tests.clock import MOMENT
from tests.dashboard.mail.conftest import make_schedule
from tests.dashboard.mail.server import Inbox, serving

State = Delivery.State
ANNA, JUERGEN = "anna@bücher.example", "jürgen@x.example"
SMTP_BACKEND = "dashboard.outbox.backend.EmailBackend"


@pytest.fixture
def plain(inbox: Inbox, mail_by: Callable[[str], None]) -> Iterator[Inbox]:
    """Return the inbox of a server without SMTPUTF8, as many relays are."""
    with serving(inbox, takes_any_letters=False) as port:
        mail_by(f"smtp://127.0.0.1:{port}")
        yield inbox


def delivered(company: Account, owner: User, email: str) -> Delivery:
    """Have a report of figures sent to somebody new with that address, as far as that goes."""
    reader = factories.UserFactory(email=email)
    factories.MembershipFactory(user=reader, account=company)
    schedule = make_schedule(company, owner, reader)
    occurrences.note_due(MOMENT + timedelta(days=7))
    delivery = Delivery.objects.get(occurrence__schedule=schedule, recipient=reader)
    with time_machine.travel(MOMENT + timedelta(days=7)):
        deliveries.deliver(delivery.pk)
    delivery.refresh_from_db()
    return delivery


def test_a_domain_with_an_umlaut_goes_out_in_ascii(plain: Inbox, company: Account, ines: User) -> None:
    assert delivered(company, ines, ANNA).state == State.SENT
    assert plain.to == ["anna@xn--bcher-kva.example"]
    assert plain.mails[0]["To"] == "anna@xn--bcher-kva.example"


def test_a_local_part_goes_to_who_takes_it(server: Inbox, company: Account, ines: User) -> None:
    assert delivered(company, ines, "jürgen@bücher.example").state == State.SENT
    assert server.to == ["jürgen@xn--bcher-kva.example"]


def test_a_server_that_cannot_take_it_fails_it_for_good_and_says_why(
    plain: Inbox, company: Account, ines: User
) -> None:
    delivery = delivered(company, ines, JUERGEN)
    assert (delivery.state, delivery.said) == (State.FAILED, "The mail server cannot take addresses like jürgen@.")
    assert plain.mails == []


def test_a_domain_that_is_none_fails_for_good(plain: Inbox, company: Account, ines: User) -> None:
    delivery = delivered(company, ines, f"anna@{'ü' * 70}.example")
    assert (delivery.state, plain.mails) == (State.FAILED, [])
    assert delivery.said.startswith("There is no mail domain ü")


@pytest.mark.parametrize("answer", ["450 not now", "451 greylisted"])
def test_trouble_with_one_recipient_ends_and_is_told_of(
    server: Inbox, company: Account, ines: User, answer: str
) -> None:
    server.answers["RCPT"] = answer
    delivery = delivered(company, ines, "later@x.example")
    assert (delivery.state, delivery.first_refused_at is not None) == (State.WAITING, True)
    with time_machine.travel(MOMENT + timedelta(days=7) + PUT_OFF_FOR + timedelta(hours=1)):
        deliveries.deliver(delivery.pk)
    delivery.refresh_from_db()
    assert delivery.state == State.FAILED


def test_an_invitation_reaches_such_addresses_or_says_why_not(
    as_ines: Client, account: Account, server: Inbox, settings: object, redis_url: str,
    django_capture_on_commit_callbacks: Callable[..., object],
) -> None:  # fmt: skip
    settings.EMAIL_BACKEND = SMTP_BACKEND  # type: ignore[attr-defined]
    for email in (ANNA, JUERGEN):
        form = {"email": email, "role": "security_manager", "last_day": ""}
        with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
            assert as_ines.post("/settings/members/invite/", form).status_code == 302
    assert server.to == ["anna@xn--bcher-kva.example", JUERGEN]
    assert set(Invitation.objects.values_list("email", flat=True)) == {ANNA, JUERGEN}
    assert "invitation/" in server.mails[1].get_content()


def test_a_server_without_such_letters_takes_no_invitation_for_them(plain: Inbox, settings: object) -> None:
    settings.EMAIL_BACKEND = SMTP_BACKEND  # type: ignore[attr-defined]
    with pytest.raises(OSError, match="cannot take addresses like jürgen@"):
        send_mail("Subject", "Text", None, [JUERGEN])
    assert send_test_mail(JUERGEN) == "The mail server cannot take addresses like jürgen@."
    assert send_test_mail(ANNA) == ""
    assert plain.to == ["anna@xn--bcher-kva.example"]


def test_whoever_has_such_an_address_signs_in_with_it(client: Client, account: Account) -> None:
    user = factories.UserFactory(email=JUERGEN)
    factories.MembershipFactory(user=user, account=account)
    answer = client.post("/sign-in/", {"login": "ju\u0308rgen@x.example", "password": factories.PASSWORD})
    assert answer.status_code == 302


@pytest.mark.parametrize(
    "address", ["ann", "a b@x.example", "a@b@x.example", "ann@", "@x.example", "ju\u0308rgen@x.example"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValidationError):
        validate_address(address)


def test_addresses_on_the_wire() -> None:
    assert on_the_wire("ann@x.example") == "ann@x.example"
    assert on_the_wire("李@例え.jp") == "李@xn--r8jz45g.jp"
    for address in ("jürgen@x.example", "o'neil+x@bücher.example"):
        validate_address(address)
