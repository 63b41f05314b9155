"""The Overview as people use it: from a figure to its passport and to its rows, and new data that does not jump."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from dashboard.models import User
from sync.models import Account, SyncRun
from tests import factories
from tests.browser.accessibility import assert_fits
from tests.browser.test_first_page import assert_accessible

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

LOOKS = {"desk, light": (1440, 1000, "light"), "phone, dark": (390, 844, "dark")}


@pytest.mark.parametrize("look", LOOKS)
def test_a_figure_opens_its_passport_beside_it(
    sign_in: Callable[[User], Page], watched: Page, live_server: LiveServer, company: Account, alice: User, look: str
) -> None:
    width, height, light = LOOKS[look]
    watched.set_viewport_size({"width": width, "height": height})
    watched.emulate_media(color_scheme=light)  # type: ignore[arg-type]
    page = sign_in(alice)
    assert_fits(page)
    figure = page.locator(".metrics").get_by_role("link", name="Completion rate")
    figure.click()
    panel = page.locator("#passport")
    expect(panel.get_by_role("heading", name="Completion rate")).to_be_focused()
    expect(panel).to_contain_text("Enrollments completed, out of all that count.")
    assert_accessible(page)
    assert_fits(page)
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(figure).to_be_focused()
    page.goto(f"{live_server.url}/numbers/completion_rate/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Completion rate")
    assert_accessible(page)
    assert_fits(page)


def test_a_past_day_is_accessible_and_kept_on_the_way_to_the_rows(
    sign_in: Callable[[User], Page], live_server: LiveServer, company: Account, alice: User, now: datetime
) -> None:
    page = sign_in(alice)
    day = (now - timedelta(days=20)).date().isoformat()
    page.goto(f"{live_server.url}/?as_of={day}")
    expect(page.get_by_text("You are looking at the past.")).to_be_visible()
    assert_accessible(page)
    page.locator(".lead a").first.click()
    page.wait_for_url(f"{live_server.url}/past-due/?as_of={day}")


def test_new_data_is_offered_and_nothing_moves(
    sign_in: Callable[[User], Page], account: Account, company: Account, alice: User, now: datetime
) -> None:
    page = sign_in(alice)
    title = page.get_by_role("heading", level=1)
    before = title.bounding_box()
    factories.publish(factories.SyncRunFactory(account=account, started_at=now - timedelta(minutes=3)))
    page.evaluate("htmx.ajax('GET', document.getElementById('sync-status').getAttribute('hx-get'), '#sync-status')")
    expect(page.get_by_role("link", name="Show it")).to_be_visible()
    assert title.bounding_box() == before
    assert_accessible(page)
    page.get_by_role("link", name="Show it").click()
    expect(page.get_by_role("link", name="Show it")).to_have_count(0)


def test_waiting_dims_what_is_asked_for_and_draws_a_line(
    sign_in: Callable[[User], Page], company: Account, published: SyncRun, alice: User
) -> None:
    page = sign_in(alice)
    held: list[Route] = []
    page.route("**/numbers/**", lambda route: held.append(route))
    page.locator(".metrics").get_by_role("link", name="On-time rate").click()
    line = page.locator(".loading-line")
    expect(line).to_be_visible()
    expect(page.locator("#passport")).to_have_attribute("aria-busy", "true")
    held[0].continue_()
    expect(page.locator("#passport").get_by_role("heading", name="On-time rate")).to_be_visible()
    expect(line).to_be_hidden()
    expect(page.locator("#passport")).not_to_have_attribute("aria-busy", "true")
