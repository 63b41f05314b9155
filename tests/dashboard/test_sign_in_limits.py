"""Guessing locks out whoever guesses, never the person, who is told; a clock that was ahead locks out nobody."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core import mail
from django.core.cache import cache
from django.test import Client

from dashboard.models import AskedTask, User
from tests import factories
from tests.clock import MOMENT
from tests.dashboard.test_sign_in import attempt, code_now

pytestmark = pytest.mark.django_db
STRANGER, OFFICE = "203.0.113.7", "192.0.2.1"
LOCKED = "Too many wrong tries"


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Forget earlier attempts, which are counted in Redis."""
    cache.clear()
    yield
    cache.clear()


def guess(email: str, times: int = 7, address: str = STRANGER) -> None:
    """Guess at a password from a browser that is known to nobody."""
    for number in range(times):
        attempt(Client(), email, f"guess {number}", address)


def is_in(client: Client, email: str, address: str = OFFICE) -> bool:
    """Return whether the right password gets in."""
    return attempt(client, email, factories.PASSWORD, address).status_code == 302


def known(user: User, address: str = OFFICE) -> Client:
    """Return a browser that signed in to the user once."""
    browser = Client()
    assert is_in(browser, user.email, address)
    browser.post("/sign-out/")
    return browser


def test_whoever_guesses_is_locked_out_and_nobody_else(alice: User) -> None:
    guess(alice.email)
    assert is_in(Client(), alice.email)
    answer = attempt(Client(), alice.email, factories.PASSWORD, STRANGER)
    assert LOCKED in answer.content.decode()


def test_a_known_browser_gets_in_from_the_very_address_of_the_guesses(alice: User) -> None:
    browser = known(alice)
    guess(alice.email, 19, OFFICE)
    assert not is_in(Client(), alice.email)
    assert is_in(browser, alice.email)
    # It is known for itself: its own wrong guesses end, too.
    browser.post("/sign-out/")
    for number in range(5):
        attempt(browser, alice.email, f"guess {number}", OFFICE)
    assert not is_in(browser, alice.email)


def test_many_addresses_together_lock_out_unknown_browsers_alone(alice: User, settings: Any) -> None:
    browser = known(alice)
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"login_failed": "20/m/ip,5/5m/client,9/h/key"}
    for number in range(9):
        guess(alice.email, 1, f"203.0.113.{number}")
    assert not is_in(Client(), alice.email)
    assert is_in(browser, alice.email)


def test_a_browser_is_known_to_whom_it_signed_in_for_90_days(alice: User, ines: User) -> None:
    browser = known(ines)
    guess(alice.email, 5, OFFICE)
    assert not is_in(browser, alice.email)
    assert is_in(browser, ines.email)
    browser = known(alice, "192.0.2.2")
    with time_machine.travel(MOMENT + timedelta(days=89), tick=False):
        guess(alice.email, 5, OFFICE)
        assert is_in(browser, alice.email)
    cache.clear()
    cookie = known(alice, "192.0.2.3").cookies["known"].value
    with time_machine.travel(MOMENT + timedelta(days=91), tick=False):
        old = Client()
        old.cookies["known"] = cookie
        guess(alice.email, 5, OFFICE)
        assert not is_in(old, alice.email)


@pytest.mark.parametrize("cookie", ["", "x", "x" * 3000, "eyJ1c2VycyI6e319:1abc:def"])
def test_a_cookie_of_ones_own_making_is_none(alice: User, cookie: str) -> None:
    guess(alice.email, 5, OFFICE)
    browser = Client()
    browser.cookies["known"] = cookie
    assert not is_in(browser, alice.email)


def test_the_cookie_is_for_nobody_else_to_read(alice: User) -> None:
    browser = Client()
    attempt(browser, alice.email, factories.PASSWORD)
    cookie = browser.cookies["known"]
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", 90 * 24 * 60 * 60)
    assert alice.email not in cookie.value


def test_guesses_of_a_clock_that_was_ahead_do_not_count(alice: User) -> None:
    with time_machine.travel(MOMENT + timedelta(hours=30), tick=False):
        guess(alice.email, 5, OFFICE)
        assert not is_in(Client(), alice.email)
    assert is_in(Client(), alice.email)


def test_a_sign_in_of_a_clock_that_was_ahead_is_no_recent_one(ines: User, published: Any) -> None:
    with time_machine.travel(MOMENT + timedelta(hours=11), tick=False):
        browser = Client()
        attempt(browser, ines.email, factories.PASSWORD)
        assert browser.get("/settings/members/invite/").status_code == 200
    assert browser.get("/settings/members/invite/")["Location"].startswith("/confirm/")
    browser.post("/confirm/", {"password": factories.PASSWORD})
    assert browser.get("/settings/members/invite/").status_code == 200


def test_wrong_codes_lock_out_no_known_browser(alice: User, settings: Any) -> None:
    secret = generate_totp_secret()
    browser = known(alice)
    TOTP.activate(alice, secret)
    RecoveryCodes.activate(alice)
    settings.HAS_MAIL_SERVER = True
    thief = Client()
    attempt(thief, alice.email, factories.PASSWORD, OFFICE)
    for _number in range(6):
        thief.post("/second-factor/", {"code": "000000"}, REMOTE_ADDR=OFFICE)
    thief.post("/second-factor/", {"code": code_now(secret)}, REMOTE_ADDR=OFFICE)
    assert "_auth_user_id" not in thief.session
    assert [task.arguments["subject"] for task in AskedTask.objects.all()] == [
        "Somebody has your password for Rollcall"
    ]
    attempt(browser, alice.email, factories.PASSWORD, OFFICE)
    browser.post("/second-factor/", {"code": code_now(secret)}, REMOTE_ADDR=OFFICE)
    assert "_auth_user_id" in browser.session


def test_the_person_is_told_once_a_day_and_when_they_are_in(alice: User, published: Any, settings: Any) -> None:
    settings.HAS_MAIL_SERVER = True
    browser = known(alice)
    guess(alice.email, 4)
    assert not AskedTask.objects.exists()
    for number in range(3):
        guess(alice.email, 4, f"203.0.113.{number}")
    [task] = AskedTask.objects.all()
    assert task.arguments["to"] == alice.email
    assert task.arguments["subject"] == "Somebody guesses at your password for Rollcall"
    # Whoever guesses right at last keeps it from nobody.
    thief = Client()
    assert is_in(thief, alice.email)
    thief.get("/you/")
    assert is_in(browser, alice.email)
    words = "16 wrong passwords or codes were tried for your email"
    assert words in browser.get("/you/").content.decode()
    assert words not in browser.get("/you/").content.decode()
    browser.post("/sign-out/")
    assert is_in(browser, alice.email)
    assert words not in browser.get("/you/").content.decode()
    # Who mistypes in their own browser is told nothing.
    browser.post("/sign-out/")
    for _number in range(5):
        attempt(browser, alice.email, "mistyped")
    assert AskedTask.objects.count() == 1


def test_a_new_password_by_mail_ends_the_wait_of_its_browser(alice: User) -> None:
    guess(alice.email, 5, OFFICE)
    browser = Client(REMOTE_ADDR=OFFICE)
    browser.post("/password/reset/", {"email": alice.email})
    link = next(word for word in str(mail.outbox[0].body).split() if "/password/reset/" in word)
    path = "/" + link.split("/", 3)[3]
    form = browser.get(path, follow=True).redirect_chain[-1][0]
    browser.post(form, {"password1": "a new password 26", "password2": "a new password 26"})
    assert attempt(browser, alice.email, "a new password 26", OFFICE).status_code == 302
