"""People and a person in Chromium: found as one types, read at two sizes in two lights, and reached by the keyboard."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from dashboard.models import User
from dashboard.rollups import rebuild
from sync.models import Account, Person
from tests import factories
from tests.browser.test_states import assert_good_everywhere

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


@pytest.fixture
def zoe(company: Account, now: datetime) -> Person:
    """Return somebody of the company who has something past due and somebody to report to her."""
    person: Person = factories.PersonFactory(account=company, first_name="Zoë", last_name="Ångström")
    factories.PersonFactory(account=company, first_name="Bo", last_name="Quist", manager=person)
    factories.EnrollmentFactory(
        account=company,
        person=person,
        due_at=now - timedelta(days=9),
        due_source="campaign_end",
        enrolled_at=now - timedelta(days=60),
    )
    rebuild(company, at=now)
    return person


def test_people_are_found_as_one_types_and_read(
    sign_in: Callable[[User], Page], live_server: LiveServer, zoe: Person, alice: User
) -> None:
    page = sign_in(alice)
    page.goto(f"{live_server.url}/people/")
    expect(page.get_by_role("status").filter(has_text="162 people")).to_be_visible()
    assert_good_everywhere(page)
    page.set_viewport_size({"width": 1440, "height": 1000})
    field = page.get_by_label("Name, email or employee number")
    field.press_sequentially("angst", delay=20)
    expect(page.locator(".count-line")).to_have_text("1 person")
    expect(field).to_be_focused()
    expect(field).to_have_value("angst")
    expect(page).to_have_url(re.compile(r"/people/\?found=[\w-]{16}$"))
    page.get_by_label("Standing").select_option("past_due")
    expect(page.get_by_role("link", name="Clear Standing: Past due")).to_be_visible()
    assert "found=" in page.url
    assert "angst" not in page.url
    field.fill("nobody")
    expect(page.get_by_text("Nobody here matches “nobody”.")).to_be_visible()
    assert "standing=past_due" in page.url
    assert_good_everywhere(page)
    field.fill("angstrom")
    page.get_by_role("link", name="Zoë Ångström").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Zoë Ångström")
    expect(page.locator(".lead")).to_contain_text("Zoë owes 1 of 1, past due for 9 days")
    assert_good_everywhere(page)
    page.go_back()
    expect(page.locator(".count-line")).to_have_text("1 person")


def test_the_list_is_ordered_and_paged_without_leaving_it(
    sign_in: Callable[[User], Page], live_server: LiveServer, zoe: Person, alice: User
) -> None:
    page = sign_in(alice)
    page.goto(f"{live_server.url}/people/")
    page.get_by_role("columnheader", name="Past due").get_by_role("link").click()
    expect(page.get_by_role("columnheader", name="Past due")).to_have_attribute("aria-sort", "descending")
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_text("51 to 100 of 162")).to_be_visible()
    assert "sort=-past_due" in page.url
    page.go_back()
    expect(page.get_by_text("1 to 50 of 162")).to_be_visible()


def test_keys_lead_everywhere_but_not_while_writing(
    sign_in: Callable[[User], Page], live_server: LiveServer, zoe: Person, alice: User
) -> None:
    page = sign_in(alice)
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("ge?/")
    expect(page.locator("#q")).to_have_value("ge?/")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.locator("#q").blur()
    page.keyboard.press("g")
    page.keyboard.press("e")
    page.wait_for_url(f"{live_server.url}/people/")
    page.keyboard.press("/")
    expect(page.get_by_label("Name, email or employee number")).to_be_focused()
    page.get_by_role("heading", level=1).click()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_be_visible()
    assert_good_everywhere(page, is_reloaded=False)
    dialog.get_by_label("Use these keys in this browser").uncheck()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.keyboard.press("g")
    page.keyboard.press("o")
    page.keyboard.press("?")
    expect(dialog).to_be_hidden()
    page.set_viewport_size({"width": 1440, "height": 1000})
    page.get_by_role("button", name="Alice Marlow: your account").click()
    page.get_by_role("button", name="Keyboard shortcuts").click()
    dialog.get_by_label("Use these keys in this browser").check()
    dialog.get_by_role("button", name="Close").click()
    page.keyboard.press("g")
    page.keyboard.press("o")
    page.wait_for_url(f"{live_server.url}/")


def test_people_are_found_without_javascript(
    new_context: Callable[..., object], live_server: LiveServer, zoe: Person, alice: User, redis_url: str
) -> None:
    page = new_context(java_script_enabled=False).new_page()  # type: ignore[attr-defined]
    page.goto(live_server.url)
    page.get_by_label("Email").fill(alice.email)
    page.get_by_label("Password", exact=True).fill(factories.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.goto(f"{live_server.url}/people/?standing=past_due")
    page.get_by_label("Name, email or employee number").fill("angst")
    page.get_by_role("button", name="Find").click()
    expect(page.locator(".count-line")).to_have_text("1 person")
    assert "standing=past_due" in page.url
    assert "found=" in page.url
    assert "angst" not in page.url
