"""Past due as people use it: narrowing by age and filter, going down a line of managers, copying addresses."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from dashboard import rollups
from dashboard.models import User
from sync.models import Account, Person
from tests import factories
from tests.browser.accessibility import assert_fits
from tests.browser.test_first_page import SIZES, WIDTHS, assert_accessible

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


@pytest.fixture
def late(company: Account, now: datetime) -> Account:
    """Return the company with a line of managers, everybody under one of two who report to a third."""
    people = list(Person.objects.filter(account=company).order_by("pk"))
    head, *managers = people[:3]
    for place, person in enumerate(people[1:]):
        person.manager = head if person in managers else managers[place % 2]
    Person.objects.bulk_update(people, ["manager"])
    rollups.rebuild(company, at=now)
    return company


def head_of(account: Account) -> Person:
    """Return the manager whom nobody manages."""
    return Person.objects.filter(account=account).order_by("pk")[0]


def test_no_width_makes_the_list_scroll_sideways(
    sign_in: Callable[[User], Page], live_server: LiveServer, late: Account, alice: User
) -> None:
    page = sign_in(alice)
    for by in ("none", "department", "campaign"):
        page.goto(f"{live_server.url}/past-due/?by={by}")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert_fits(page)


@pytest.mark.parametrize(("size", "light"), [("desk", "light"), ("phone", "dark")])
def test_a_manager_finds_whom_to_push(
    sign_in: Callable[[User], Page],
    watched: Page,
    live_server: LiveServer,
    late: Account,
    alice: User,
    size: str,
    light: str,
) -> None:
    watched.set_viewport_size(SIZES[size])  # type: ignore[arg-type]
    watched.emulate_media(color_scheme=light)  # type: ignore[arg-type]
    page = sign_in(alice)
    page.goto(f"{live_server.url}/past-due/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Past due")
    expect(page.locator(".lead")).to_contain_text("past due")
    assert_accessible(page)
    assert_fits(page)
    # An age narrows the list, and stands in the address.
    page.locator(".ageing a").nth(2).click()
    expect(page.locator(".ageing a[aria-current]")).to_contain_text("15–30 days")
    expect(page).to_have_url(f"{live_server.url}/past-due/?age=15-30")
    # So does a filter; what is not set stays out of it.
    page.get_by_label("Department", exact=True).select_option("Claims")
    expect(page.get_by_role("link", name="Clear Department: Claims")).to_be_visible()
    assert "manager=" not in page.url
    assert_accessible(page)
    assert_fits(page)
    page.go_back()
    expect(page.get_by_role("link", name="Clear Department: Claims")).to_have_count(0)
    # A line of managers goes down and up again.
    page.goto(f"{live_server.url}/past-due/?by=manager")
    assert_accessible(page)
    assert_fits(page)
    page.goto(f"{live_server.url}/past-due/?by=manager&manager={head_of(late).pk}")
    expect(page.get_by_role("navigation", name="Line of managers")).to_contain_text(str(head_of(late)))
    page.get_by_role("link", name="All managers").click()
    page.locator(".seg a", has_text="Campaign").click()
    expect(page.locator(".seg a[aria-current]")).to_have_text("Campaign")
    assert_fits(page)


def test_addresses_are_copied_or_shown(
    sign_in: Callable[[User], Page], live_server: LiveServer, late: Account, alice: User
) -> None:
    page = sign_in(alice)
    page.context.grant_permissions(["clipboard-write"])
    page.goto(f"{live_server.url}/past-due/?by=none")
    bulk = page.get_by_role("group", name="Actions for selected people")
    expect(bulk).to_be_hidden()
    boxes = page.get_by_role("checkbox", name="Select Invented")
    boxes.nth(0).check()
    boxes.nth(1).check()
    expect(bulk).to_be_visible()
    expect(bulk.get_by_role("status")).to_have_text("2 selected")
    assert_accessible(page)
    copy = bulk.get_by_role("button", name="Copy addresses")
    boxes.nth(2).check()
    boxes.nth(2).evaluate("box => { box.dataset.email = ''; }")
    copy.click()
    expect(bulk.get_by_role("button", name="Copied; 1 without an address")).to_be_visible()
    expect(bulk.get_by_role("status")).to_have_text("Copied; 1 without an address")
    # Pages may not read what was copied; whoever copied it can paste it.
    copied = "; ".join(boxes.nth(place).get_attribute("data-email") or "" for place in (0, 1))
    search = page.locator(".bar [name=q]")
    search.focus()
    page.keyboard.press("Control+V")
    expect(search).to_have_value(copied)
    page.get_by_label("Select all people in view").check()
    expect(boxes.nth(5)).to_be_checked()
    bulk.get_by_role("button", name="Clear selection").click()
    expect(bulk).to_be_hidden()
    page.get_by_role("link", name="Addresses").click()
    expect(page.get_by_label("Email addresses")).to_contain_text("@brackwater.example; ")
    assert_accessible(page)


def test_empty_lists_say_why(
    sign_in: Callable[[User], Page], live_server: LiveServer, late: Account, alice: User, now: datetime
) -> None:
    page = sign_in(alice)
    page.goto(f"{live_server.url}/past-due/?type=Poster")
    expect(page.get_by_role("heading", name="No one matches these filters")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("link", name="Clear filters").last.click()
    expect(page.get_by_role("heading", name="No one matches these filters")).to_have_count(0)
    day = (now - timedelta(days=400)).date()
    page.goto(f"{live_server.url}/past-due/?as_of={day}")
    expect(page.get_by_text("You are looking at the past.")).to_be_visible()
    expect(page.get_by_role("heading", name="Nothing to be past due")).to_be_visible()
    assert_accessible(page)


def test_a_page_without_script_narrows_and_shows_addresses(
    watched: Page, live_server: LiveServer, late: Account, alice: User
) -> None:
    assert watched.context.browser is not None
    with watched.context.browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{live_server.url}/sign-in/?next=/past-due/%3Fby=none")
        page.get_by_label("Email").fill(alice.email)
        page.get_by_label("Password", exact=True).fill(factories.PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_label("Content", exact=True).select_option("Policy")
        page.get_by_role("button", name="Show", exact=True).first.click()
        expect(page.get_by_role("link", name="Clear Content: Policy")).to_be_visible()
        page.get_by_role("link", name="Clear Content: Policy").click()
        page.get_by_role("checkbox", name="Select Invented").first.check()
        page.get_by_role("button", name="Copy addresses").click()
        expect(page.get_by_label("Email addresses")).to_contain_text("@brackwater.example")
