"""Forms in a browser: two clicks are one act, a button shows that it works, and what was typed outlives the session."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from dashboard.models import EvidencePack, Membership, User
from sync.models import Account
from tests import factories

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_button_shows_that_it_works_and_three_clicks_are_one(
    sign_in: Callable[[User], Page], live_server: LiveServer, company: Account, alice: User
) -> None:
    page = sign_in(alice)
    page.goto(f"{live_server.url}/evidence/")
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    shown = page.get_by_role("button", name="Make the pack").evaluate(
        """button => {
            for (let click = 0; click < 3; click++) button.click();
            return [button.getAttribute("aria-busy"), document.querySelector(".loading-line").hidden];
        }"""
    )
    assert shown == ["true", False]
    expect(page.get_by_role("table")).to_be_visible()
    expect(page.get_by_role("button", name="Make the pack")).not_to_have_attribute("aria-busy", "true")
    assert len(posts) == 1
    assert EvidencePack.objects.count() == 1


def test_what_was_typed_is_back_after_signing_in(
    sign_in: Callable[[User], Page], live_server: LiveServer, company: Account, alice: User
) -> None:
    factories.MembershipFactory(user=alice, account=company, role=Membership.Role.ADMINISTRATOR)
    page = sign_in(alice)
    page.goto(f"{live_server.url}/schedules/new/?report=board")
    page.get_by_label("Name").fill("Board, each month")
    page.context.clear_cookies(name="sessionid")
    page.locator("main form button[type=submit]").last.click()
    expect(page.get_by_text("You were signed out.")).to_be_visible()
    page.get_by_label("Email").fill(alice.email)
    page.get_by_label("Password", exact=True).fill(factories.PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_text("Nothing was done with what you sent")).to_be_in_viewport()
    expect(page.get_by_label("Name")).to_have_value("Board, each month")
