"""The first administrator's way in, from the printed link to the product, and the way back in, in a browser."""

import re
from typing import Any

import pytest
from django.core.management import call_command
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from dashboard.models import User
from sync.models import Account
from tests.browser.accessibility import assert_accessible
from tests.dashboard.conftest import ines

__all__ = ["ines"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "an orchard of seven quiet pears"


@pytest.fixture
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """Let the browser be in a zone of its own."""
    return browser_context_args | {"timezone_id": "Europe/Madrid"}


def link(live_server: LiveServer, settings: Any, capsys: Any, *command: str) -> str:
    """Run a command that prints a link, and return it."""
    settings.PUBLIC_URL = live_server.url
    call_command(*command)
    (found,) = re.findall(r"http\S+/invitation/\S+/", capsys.readouterr().out)
    return str(found)


def assert_holds(page: Page) -> None:
    """Fail where a rule of accessibility is broken or a page is wider than a screen, at a desk and on a phone."""
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def choose(page: Page) -> None:
    """Type a password twice."""
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password again").fill(PASSWORD)


@pytest.mark.parametrize("key", ["", "a-key"])
def test_first_administrator_sets_rollcall_up(
    watched: Page, live_server: LiveServer, settings: Any, capsys: Any, key: str
) -> None:
    settings.KNOWBE4_API_KEY, settings.ADMIN_EMAIL, settings.HAS_MAIL_SERVER = key, "ann@brackwater.example", False
    address = link(live_server, settings, capsys, "prepare")
    watched.goto(address)
    assert_holds(watched)
    watched.get_by_label("First name").fill("Ann")
    watched.get_by_label("Last name").fill("Marlow")
    choose(watched)
    assert watched.get_by_label("Time zone").input_value() == "Europe/Madrid"
    watched.get_by_role("button", name="Go on").click()
    watched.get_by_role("heading", name="Check mail").wait_for()
    assert_holds(watched)
    watched.get_by_role("button", name="Send a test mail").click()
    watched.get_by_text("The test mail was printed where Rollcall runs").wait_for()
    if key:
        watched.get_by_role("link", name="To the overview").click()
        watched.get_by_role("button", name="Start the first sync").wait_for()
    else:
        watched.get_by_role("link", name="Import a CSV").click()
        watched.wait_for_url("**/sync/imports/")
        watched.get_by_role("heading", name="Import").first.wait_for()
    assert Account.objects.get().time_zone == "Europe/Madrid"


def test_locked_out_administrator_comes_back(
    page: Page, live_server: LiveServer, settings: Any, capsys: Any, ines: User
) -> None:
    address = link(live_server, settings, capsys, "invite", ines.email, "--role", "administrator")
    page.goto(address)
    page.get_by_role("heading", name="Choose a password").wait_for()
    assert_holds(page)
    choose(page)
    page.get_by_role("button", name="Set it and sign in").click()
    page.wait_for_url(f"{live_server.url}/")
    # The link is used up.
    page.context.clear_cookies()
    page.goto(address)
    page.get_by_role("heading", name="This link no longer works").wait_for()
    page.get_by_text("manage.py invite EMAIL --role administrator").wait_for()
    assert_holds(page)
    page.close()
