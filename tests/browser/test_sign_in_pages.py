"""Signing in, members and one's own sign-in in a browser: passkeys too, by an authenticator that Chromium makes up."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.test import Client
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from dashboard.models import Role, User
from sync.models import SyncRun
from tests import factories
from tests.browser.accessibility import assert_accessible, assert_fits
from tests.dashboard.conftest import ines

__all__ = ["ines"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("width", [1440, 390])
def test_members_can_be_invited_on_any_screen(
    sign_in: Callable[[User], Page], live_server: LiveServer, ines: User, published: SyncRun, width: int
) -> None:
    factories.DepartmentFactory(account=ines.memberships.get().account, name="Claims")
    page = sign_in(ines)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{live_server.url}/settings/members/")
    assert_accessible(page)
    page.get_by_role("link", name="Invite somebody").click()
    assert_accessible(page)
    page.get_by_label("Work email").fill("noor@brackwater.example")
    page.get_by_label("Department head").check()
    page.get_by_role("button", name="Send the invitation").click()
    page.get_by_text("A department head has at least one department.").wait_for()
    page.get_by_label("Claims").check()
    page.get_by_role("button", name="Send the invitation").click()
    page.get_by_text("The invitation is on its way to noor@brackwater.example.").wait_for()
    assert page.get_by_role("button", name="Revoke the invitation of noor@brackwater.example").is_visible()
    assert_fits(page)


def test_passkey_is_added_and_signs_in(
    sign_in: Callable[[User], Page], live_server: LiveServer, ines: User, published: SyncRun
) -> None:
    page = sign_in(ines)
    assert "localhost" in live_server.url
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    devtools.send(
        "WebAuthn.addVirtualAuthenticator",
        {"options": {**options, "isUserVerified": True, "automaticPresenceSimulation": True}},
    )
    page.goto(f"{live_server.url}/you/")
    assert_accessible(page)
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name").fill("Work laptop")
    assert_accessible(page)
    page.get_by_role("button", name="Add the passkey").click()
    page.get_by_role("heading", name="Recovery codes").wait_for()
    page.goto(f"{live_server.url}/you/")
    page.get_by_text("Work laptop").wait_for()
    page.context.clear_cookies()
    # Somebody at the same address guesses: a password waits, a passkey does not.
    for _number in range(7):
        Client().post("/sign-in/", {"login": ines.email, "password": "guess"})
    page.goto(f"{live_server.url}/sign-in/")
    page.get_by_label("Email").fill(ines.email)
    page.get_by_label("Password", exact=True).fill(factories.PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_text("Too many wrong tries").wait_for()
    page.goto(f"{live_server.url}/sign-in/?next=/you/")
    assert_accessible(page)
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(lambda url: "/sign-in" not in url)
    page.goto(f"{live_server.url}/you/")
    page.get_by_text("You sign in with a second factor.").wait_for()


def test_scope_is_lent_and_given_back(
    sign_in: Callable[[User], Page], live_server: LiveServer, ines: User, alice: User, published: SyncRun, now: datetime
) -> None:
    account = ines.memberships.get().account
    factories.MembershipFactory(user=ines, account=account, role=Role.PEOPLE_MANAGER)
    page = sign_in(ines)
    page.goto(f"{live_server.url}/you/access/")
    assert_accessible(page)
    page.get_by_label("Colleague's work email").fill(alice.email)
    page.get_by_label("Last day").fill((now + timedelta(days=5)).date().isoformat())
    page.get_by_role("button", name="Lend it").click()
    page.get_by_text("Alice Marlow sees what you see for that time.").wait_for()
    page.get_by_role("button", name="End it", exact=True).click()
    page.get_by_text("The loan is ended.").wait_for()
