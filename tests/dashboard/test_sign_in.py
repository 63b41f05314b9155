"""Signing in: guessing is locked out, second factors are asked for, sessions end, demos exist in their place only."""

from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client

from config.processes import SIMULATOR_KEY
from dashboard.audit import Action, AuditEvent
from dashboard.identity import demo
from dashboard.models import Membership, Role, User
from dashboard.pages.profile import browser_in_words
from sync.models import Account, SyncRun
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Forget earlier attempts: they are counted in Redis, by address, and all tests come from one."""
    cache.clear()
    yield
    cache.clear()


def attempt(client: Client, email: str, password: str, address: str = "192.0.2.1") -> Any:
    """Try to sign in from an address."""
    return client.post("/sign-in/", {"login": email, "password": password}, REMOTE_ADDR=address)


def code_now(secret: str) -> str:
    """Return what an authenticator app shows now."""
    counter = next(iter(yield_hotp_counters_from_time()))
    return format_hotp_value(hotp_value(secret, counter))


def test_guessing_many_emails_from_one_address_is_locked_out(client: Client, alice: User) -> None:
    for number in range(20):
        attempt(client, f"guess{number}@brackwater.example", "guess")
    assert "_auth_user_id" not in attempt(client, alice.email, factories.PASSWORD).wsgi_request.session
    assert attempt(client, alice.email, factories.PASSWORD, "198.51.100.9").status_code == 302


def test_an_unknown_email_is_answered_as_a_known_one(client: Client, alice: User) -> None:
    known = attempt(client, alice.email, "guess").content.decode()
    unknown = attempt(client, "nobody@brackwater.example", "guess").content.decode()
    says = "email address and/or password"
    assert says in known
    assert says in unknown


def test_authenticator_app_is_added_and_asked_for(client: Client, alice: User, published: SyncRun) -> None:
    attempt(client, alice.email, factories.PASSWORD)
    page = client.get("/you/app/")
    secret = page.context["form"].secret
    assert secret in page.content.decode()
    assert client.post("/you/app/", {"code": "000000"}).status_code == 200
    assert client.post("/you/app/", {"code": code_now(secret)})["Location"] == "/you/codes/"
    stored = Authenticator.objects.get(type="totp").data["secret"]
    assert secret not in stored
    codes = client.get("/you/codes/").context["unused_codes"]
    assert len(codes) == 10
    assert client.get("/you/codes/download/").content.decode().split() == codes

    other = Client()
    assert attempt(other, alice.email, factories.PASSWORD)["Location"] == "/second-factor/"
    assert "_auth_user_id" not in other.session
    assert other.get("/").status_code == 302
    assert "Incorrect code" in other.post("/second-factor/", {"code": "000000"}).content.decode()
    cache.clear()
    assert other.post("/second-factor/", {"code": codes[0]}).status_code == 302
    assert other.get("/").status_code == 200
    assert "9 are left" in other.get("/you/").content.decode()


def test_guessing_codes_is_locked_out(client: Client, alice: User) -> None:
    secret = generate_totp_secret()
    TOTP.activate(alice, secret)
    RecoveryCodes.activate(alice)
    attempt(client, alice.email, factories.PASSWORD)
    for _number in range(5):
        client.post("/second-factor/", {"code": "000000"})
    client.post("/second-factor/", {"code": code_now(secret)})
    assert "_auth_user_id" not in client.session


def test_passwords_are_kept_by_argon2(alice: User) -> None:
    assert alice.password.startswith("argon2$argon2id$")


def test_profile_says_how_one_signs_in(client: Client, alice: User, published: SyncRun) -> None:
    attempt(client, alice.email, factories.PASSWORD)
    text = client.get("/you/").content.decode()
    assert "You sign in with a password alone" in text
    assert "This browser" in text


def test_other_sessions_can_be_ended(client: Client, alice: User, published: SyncRun) -> None:
    attempt(client, alice.email, factories.PASSWORD)
    others = [Client(), Client(), Client()]
    for other in others:
        attempt(other, alice.email, factories.PASSWORD)
    sessions = client.get("/you/").context["sessions"]
    assert len(sessions) == 4
    assert client.post(f"/you/sessions/{sessions[1].pk}/end/").status_code == 302
    assert sorted(other.get("/you/").status_code for other in others) == [200, 200, 302]
    client.post("/you/sessions/end/")
    assert [other.get("/you/").status_code for other in others] == [302, 302, 302]
    assert client.get("/you/").status_code == 200
    assert AuditEvent.objects.filter(action=Action.SESSION_ENDED).count() == 2


def test_nobody_ends_somebody_elses_session(client: Client, alice: User, ines: User, published: SyncRun) -> None:
    attempt(client, alice.email, factories.PASSWORD)
    pk = client.get("/you/").context["sessions"][0].pk
    other = Client()
    attempt(other, ines.email, factories.PASSWORD)
    assert other.post(f"/you/sessions/{pk}/end/").status_code == 404
    assert client.get("/you/").status_code == 200


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/131.0 Safari/537.36 Edg/131.0", "Edge on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14_7) Version/18.1 Safari/605.1.15", "Safari on macOS"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0", "Firefox on Linux"),
        ("curl/8.0", "Another program"),
    ],
)
def test_browsers_are_named(header: str, words: str) -> None:
    assert browser_in_words(header) == words


@pytest.fixture
def demo_account(settings: Any, tmp_path: Any, db: None) -> Account:
    """Return the simulator's account, set up as `bin/run` does."""
    settings.DEMO_SIGN_INS, settings.LOCAL_MODE = True, True
    settings.KNOWBE4_BASE_URL, settings.PUBLIC_URL = "http://127.0.0.1:8900", "http://127.0.0.1:8000"
    settings.KNOWBE4_API_KEY = SIMULATOR_KEY
    account = factories.AccountFactory(name="Demo", base_url="http://127.0.0.1:8900", is_demo=True)
    factories.publish(factories.SyncRunFactory(account=account))
    top = factories.PersonFactory(account=account, email="top@brackwater.example")
    lead = factories.PersonFactory(account=account, manager=top, department=top.department)
    factories.PersonFactory.create_batch(3, account=account, manager=lead, department=top.department)
    other = factories.PersonFactory(account=account, manager=top)
    factories.PersonFactory(account=account, manager=other)
    demo.make_up(account, password=factories.PASSWORD)
    return account


@pytest.mark.parametrize("role", [*Role.values, "nobody"])
def test_demo_takes_one_click(client: Client, demo_account: Account, role: str) -> None:
    assert f"/demo/{role}/" in client.get("/sign-in/").content.decode()
    assert client.get(f"/demo/{role}/").status_code == 405
    assert client.post(f"/demo/{role}/")["Location"] == "/"
    held = set(Membership.objects.filter(user=client.session["_auth_user_id"]).values_list("role", flat=True))
    assert held == (set() if role == "nobody" else {role})
    assert client.get("/").status_code == (403 if role == "nobody" else 200)


def test_demo_wants_a_csrf_token(demo_account: Account) -> None:
    assert Client(enforce_csrf_checks=True).post("/demo/administrator/").status_code == 403


def test_demo_head_and_manager_are_people_of_the_company(demo_account: Account) -> None:
    head = Membership.objects.get(role=Role.DEPARTMENT_HEAD)
    manager = Membership.objects.get(role=Role.PEOPLE_MANAGER)
    assert head.departments.count() == 1
    # Not the top of the company: their line is a part of it.
    assert manager.user.email != "top@brackwater.example"
    before = User.objects.count()
    demo.make_up(demo_account, password=factories.PASSWORD)
    assert User.objects.count() == before


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEMO_SIGN_INS", False),
        ("LOCAL_MODE", False),
        ("KNOWBE4_API_KEY", "of-real-people"),
        ("KNOWBE4_BASE_URL", ""),
        ("KNOWBE4_BASE_URL", "https://us.api.knowbe4.com"),
        ("PUBLIC_URL", "https://rollcall.brackwater.example"),
        ("OUTSIDE_HOSTS", ["rollcall.brackwater.example"]),
    ],
)
def test_demo_exists_nowhere_else(client: Client, demo_account: Account, settings: Any, name: str, value: Any) -> None:
    setattr(settings, name, value)
    assert client.post("/demo/administrator/").status_code == 404
    assert "/demo/" not in client.get("/sign-in/").content.decode()
    assert bool(demo.check_demo_sign_ins()) == (name != "DEMO_SIGN_INS")


def test_prepare_prints_the_demos_sign_ins(demo_account: Account, settings: Any, tmp_path: Any, capsys: Any) -> None:
    settings.VAR_DIR = tmp_path
    call_command("prepare")
    printed = capsys.readouterr().out
    assert [line.split(":")[0] for line in printed.splitlines()] == [
        *("Administrator", "Security manager", "Department head", "People manager", "Auditor", "Nobody")
    ]
