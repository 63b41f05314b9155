"""Trends and the quarterly review in Chromium: Plotly under a strict policy, both themes, downloads, paper."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from dashboard.models import User
from sync.models import Account, SyncRun
from tests.browser.accessibility import assert_fits
from tests.browser.test_first_page import SIZES, assert_accessible
from tests.clock import MOMENT

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

# No inline script or style, no eval, nobody else's files; pictures that are saved are drawn from a blob.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def under_policy(page: Page) -> None:
    """Send every page with the strict policy; what it refuses is an error in the console, and fails the test."""

    def answer(route: Route) -> None:
        if route.request.resource_type != "document":
            route.continue_()
            return
        response = route.fetch(max_redirects=0)
        route.fulfill(response=response, headers={**response.headers, "content-security-policy": POLICY})

    page.route("**/*", answer)


def quarter_before() -> str:
    """Return the address of a quarter in which the company's campaigns fell due."""
    day = MOMENT.date()
    number = day.year * 4 + (day.month - 1) // 3 - 1
    return f"/review/{number // 4}-q{number % 4 + 1}/"


@pytest.mark.parametrize(("size", "light"), [("desk", "light"), ("phone", "dark")])
def test_the_pages_are_drawn_and_accessible(
    sign_in: Callable[[User], Page], live_server: LiveServer, company: Account, alice: User, size: str, light: str
) -> None:
    page = sign_in(alice)
    page.set_viewport_size(SIZES[size])  # type: ignore[arg-type]
    page.emulate_media(color_scheme=light, reduced_motion="reduce")  # type: ignore[arg-type]
    under_policy(page)
    for address, charts in (("/trends/", 4), (quarter_before(), 1)):
        page.goto(live_server.url + address)
        figures = page.locator(".chart-figure")
        expect(figures).to_have_count(charts)
        for figure in figures.all():
            figure.scroll_into_view_if_needed()
            expect(figure).to_have_class(re.compile("is-live"))
        page.get_by_text("Show as table").first.click()
        assert_accessible(page)
        assert_fits(page)


def test_a_chart_changes_its_colors_with_the_theme_and_is_saved(
    sign_in: Callable[[User], Page], live_server: LiveServer, company: Account, alice: User
) -> None:
    page = sign_in(alice)
    page.emulate_media(color_scheme="light")
    under_policy(page)
    page.goto(f"{live_server.url}/trends/")
    expect(page.locator("#trend-on-time")).to_have_class(re.compile("is-live"))
    text = page.locator("#trend-on-time .ytick text").first
    before = text.evaluate("label => getComputedStyle(label).fill")
    page.locator(".rail [data-theme-toggle]").click()
    page.wait_for_function(
        "before => getComputedStyle(document.querySelector('#trend-on-time .ytick text')).fill !== before", arg=before
    )
    for name, kind in (("SVG drawing", "svg"), ("PNG picture", "png")):
        page.get_by_role("button", name="Save chart: On-time rate").click()
        with page.expect_download() as saved:
            page.locator("#trend-on-time-menu").get_by_role("button", name=name).click()
        assert saved.value.suggested_filename == f"rollcall-trend-on-time.{kind}"


def test_filters_and_measures_change_the_address(
    sign_in: Callable[[User], Page], live_server: LiveServer, company: Account, alice: User
) -> None:
    page = sign_in(alice)
    page.goto(f"{live_server.url}/trends/")
    page.get_by_label("Department", exact=True).select_option(label="Claims")
    page.wait_for_url(re.compile(r"department=\d+"))
    expect(page.locator("#heat tbody tr")).to_have_count(2)
    expect(page.locator("#trend-on-time")).to_have_class(re.compile("is-live"))
    page.get_by_role("link", name="People compliant", exact=True).click()
    page.wait_for_url(re.compile("measure=compliant"))
    expect(page.locator("#heat .what")).to_contain_text("People compliant")
    page.go_back()
    page.wait_for_url(re.compile(r"department=\d+"))
    page.get_by_role("link", name="Months").click()
    expect(page.locator("#trend-on-time-finding")).to_be_visible()
    assert "period=month" in page.url


def test_without_a_script_the_servers_drawing_stands(
    new_context: Callable[..., object], live_server: LiveServer, company: Account, alice: User
) -> None:
    page = new_context(java_script_enabled=False).new_page()  # type: ignore[attr-defined]
    page.goto(live_server.url)
    page.get_by_label("Email").fill(alice.email)
    page.get_by_label("Password", exact=True).fill("correct horse battery staple")
    page.get_by_role("button", name="Sign in").click()
    page.goto(f"{live_server.url}/trends/")
    expect(page.locator("#trend-on-time svg.chart").locator("visible=true")).to_have_count(1)
    expect(page.locator("#trend-on-time .chart-live")).to_be_hidden()
    expect(page.get_by_role("button", name="Save chart")).to_have_count(0)


def test_the_review_prints_on_a4(
    sign_in: Callable[[User], Page], live_server: LiveServer, company: Account, alice: User
) -> None:
    page = sign_in(alice)
    page.emulate_media(color_scheme="dark")
    page.goto(live_server.url + quarter_before())
    expect(page.get_by_role("button", name="Print")).to_be_visible()
    expect(page.locator("#review-rates")).to_have_class(re.compile("is-live"))
    paper = page.pdf(prefer_css_page_size=True, print_background=True)
    sizes = set(re.findall(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", paper))
    assert [(round(float(width)), round(float(height))) for width, height in sizes] == [(595, 842)]
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) <= 5
    page.emulate_media(media="print")
    expect(page.locator(".rail")).to_be_hidden()
    expect(page.locator("#review-rates svg.chart-wide")).to_be_visible()
    expect(page.locator("#review-rates .chart-live")).to_be_hidden()
    expect(page.locator(".sign-line").first).to_be_visible()


def test_pages_without_anything_due_are_accessible(
    sign_in: Callable[[User], Page], live_server: LiveServer, published: SyncRun, alice: User
) -> None:
    page = sign_in(alice)
    under_policy(page)
    for address in ("/trends/", "/trends/?department=0", quarter_before()):
        page.goto(live_server.url + address)
        assert_accessible(page)
        assert_fits(page)
