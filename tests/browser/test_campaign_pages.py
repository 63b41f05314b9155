"""Campaigns as people use them: found, narrowed, looked into, at two sizes and in two lights."""

from collections.abc import Callable
from datetime import datetime

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from dashboard.models import User
from sync.models import Account, Campaign
from tests.browser.accessibility import assert_fits
from tests.browser.test_first_page import SIZES, assert_accessible

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


@pytest.mark.parametrize(("size", "light"), [("desk", "light"), ("phone", "dark")])
def test_a_campaign_is_found_and_looked_into(
    sign_in: Callable[[User], Page],
    watched: Page,
    live_server: LiveServer,
    company: Account,
    alice: User,
    size: str,
    light: str,
    now: datetime,
) -> None:
    Campaign.objects.filter(name="Autumn awareness 2026").update(completion_percentage=90)
    watched.set_viewport_size(SIZES[size])  # type: ignore[arg-type]
    watched.emulate_media(color_scheme=light)  # type: ignore[arg-type]
    page = sign_in(alice)
    page.goto(f"{live_server.url}/campaigns/")
    expect(page.locator(".lead")).to_contain_text("3 of 6 campaigns are active.")
    assert_accessible(page)
    assert_fits(page)
    page.get_by_label("State").select_option("closed")
    expect(page.locator("[data-campaign]")).to_have_count(1)
    expect(page).to_have_url(f"{live_server.url}/campaigns/?campaign_state=closed")
    page.get_by_role("searchbox", name="Find a campaign").fill("nothing of the kind")
    page.keyboard.press("Enter")
    expect(page.get_by_text("No campaign matches.")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("link", name="Show all campaigns").click()
    expect(page.locator("[data-campaign]")).to_have_count(6)
    page.get_by_role("link", name="Autumn awareness 2026").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Autumn awareness 2026")
    expect(page.locator(".lead")).to_contain_text("after the deadline")
    page.locator("#burn-up").scroll_into_view_if_needed()
    expect(page.locator("[data-chart-live] svg.main-svg").first).to_be_visible(timeout=15_000)
    page.get_by_text("Show as table").click()
    assert_accessible(page)
    assert_fits(page)
    page.locator(".tabs").get_by_role("link", name="Past due").click()
    expect(page.locator("#campaign-people .status-done")).to_have_count(0)
    expect(page.locator("#campaign-people .status-due").first).to_be_visible()
    assert "state=past_due" in page.url
    page.go_back()
    expect(page.locator("#campaign-people .tabs [aria-current]")).to_contain_text("All")
    page.get_by_role("link", name="Beside Rollcall’s figure").click()
    expect(page.locator(".lead")).to_contain_text("KnowBe4 says 90%")
    assert_accessible(page)
    assert_fits(page)


@pytest.mark.parametrize("light", ["light", "dark"])
def test_campaigns_without_anything_to_show_are_accessible(
    sign_in: Callable[[User], Page],
    watched: Page,
    live_server: LiveServer,
    company: Account,
    alice: User,
    light: str,
    now: datetime,
) -> None:
    watched.emulate_media(color_scheme=light)  # type: ignore[arg-type]
    page = sign_in(alice)
    for name, said in (("Code of conduct policy 2027", "It starts in"), ("Withdrawn pilot", "no figure counts it")):
        page.goto(f"{live_server.url}/campaigns/{Campaign.objects.get(name=name).pk}/")
        expect(page.locator(".lead")).to_contain_text(said)
        assert_accessible(page)


def test_no_width_makes_campaigns_scroll_sideways(
    sign_in: Callable[[User], Page], live_server: LiveServer, company: Account, alice: User, now: datetime
) -> None:
    page = sign_in(alice)
    autumn = Campaign.objects.get(name="Autumn awareness 2026")
    for address in ("/campaigns/", f"/campaigns/{autumn.pk}/"):
        page.goto(live_server.url + address)
        for width in (360, 730, 900, 970, 2560):
            page.set_viewport_size({"width": width, "height": 900})
            assert_fits(page)
