"""The first page as people use it: at two sizes, in two lights, by keyboard, while a sync runs."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from dashboard.models import EmailDomain, SingleSignOn, User
from sync.models import Account, SyncRun
from tests import factories
from tests.browser.accessibility import assert_fits, assert_no_rule_broken
from tests.dashboard.conftest import ines
from tests.dashboard.routes import ROUTES

__all__ = ["ines"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

# The texts of the bar's pills that take more than one line.
BROKEN_LABELS = """() => [...document.querySelectorAll(".bar-context :is(.chip, .btn, .chip time, .scope-name)")]
  .flatMap((pill) => [...pill.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE && node.data.trim()))
  .filter((text) => {
    const range = document.createRange();
    range.selectNodeContents(text);
    return new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size > 1;
  })
  .map((text) => text.data)"""
WIDTHS = (360, 730, 760, 900, 970, 1024, 1100, 1200, 2560)
# The ways in have tests of their own; the others are for programs.
ELSEWHERE = ("account_", "mfa_", "api_", "mcp", "healthz")
SIZES = {"desk": {"width": 1440, "height": 1200}, "phone": {"width": 390, "height": 844}}


def assert_accessible(page: Page) -> None:
    """Fail with axe's own report when a page breaks a WCAG 2.2 AA rule."""
    # As tall as the page: what scrolls beneath a bar that stays is not covered for the reader, who scrolls.
    size, height = page.viewport_size, page.evaluate("document.documentElement.scrollHeight")
    if size is not None:
        page.set_viewport_size({"width": size["width"], "height": max(size["height"], height)})
    assert_no_rule_broken(page)
    if size is not None:
        page.set_viewport_size(size)


@pytest.mark.parametrize(("size", "light"), [("desk", "light"), ("phone", "dark")])
def test_reader_signs_in_and_sees_the_figures(
    sign_in_by_the_form: Callable[[User], Page],
    watched: Page,
    live_server: LiveServer,
    company: Account,
    alice: User,
    size: str,
    light: str,
) -> None:
    watched.set_viewport_size(SIZES[size])  # type: ignore[arg-type]
    watched.emulate_media(color_scheme=light)  # type: ignore[arg-type]
    watched.goto(live_server.url)
    assert_accessible(watched)
    page = sign_in_by_the_form(alice)
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    expect(page.locator(".lead")).to_contain_text("past due")
    expect(page.get_by_text("Data as of")).to_be_visible()
    expect(page.get_by_role("rowheader", name="Autumn awareness 2026")).to_be_visible()
    page.get_by_text("Show as table").click()
    assert_accessible(page)
    assert_fits(page)
    page.goto(f"{live_server.url}/sync/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sync")
    assert_accessible(page)
    assert_fits(page)


def test_no_width_makes_the_page_scroll_sideways(
    sign_in: Callable[[User], Page], company: Account, alice: User
) -> None:
    page = sign_in(alice)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert_fits(page)
        assert page.evaluate(BROKEN_LABELS) == [], f"at {width}"


def test_sync_now_is_followed_until_the_page_offers_the_new_data(
    sign_in: Callable[[User], Page], account: Account, published: SyncRun, alice: User, redis_url: str, now: datetime
) -> None:
    page = sign_in(alice)
    # Whatever a worker does comes after what was asked for.
    now += timedelta(minutes=1)
    page.get_by_role("button", name="Sync now").click()
    expect(page.get_by_text("Waiting for a worker to start the sync.")).to_be_visible()
    run = factories.SyncRunFactory(
        account=account,
        state=SyncRun.State.RUNNING,
        phase=SyncRun.Phase.FETCH,
        started_at=now,
        heartbeat_at=now,
        resources={
            "enrollment": {
                "title": "Enrollments",
                "rows": 50,
                "rejected": 0,
                "requests": 2,
                "expected": 100,
                "state": "reading",
                "position": 0,
            }
        },
    )
    expect(page.get_by_text("Reading enrollments.")).to_be_visible()
    expect(page.get_by_role("progressbar", name="Sync progress")).to_have_attribute("value", "46")
    expect(page.get_by_role("link", name="Syncing, 46%")).to_be_visible()
    assert_accessible(page)
    run.state, run.phase = SyncRun.State.PUBLISHED, SyncRun.Phase.DONE
    run.finished_at = run.published_at = now
    run.save()
    factories.publish(run)
    offer = page.get_by_role("link", name="Show it")
    expect(offer).to_be_visible()
    expect(page.get_by_text("New data of")).to_be_visible()
    expect(page.get_by_role("button", name="Sync now")).to_be_visible()
    assert_accessible(page)
    offer.click()
    expect(offer).to_have_count(0)


def test_sync_page_follows_a_run_and_shows_why_it_was_held(
    sign_in: Callable[[User], Page],
    live_server: LiveServer,
    account: Account,
    published: SyncRun,
    alice: User,
    now: datetime,
) -> None:
    page = sign_in(alice)
    run = factories.SyncRunFactory(
        account=account,
        state=SyncRun.State.RUNNING,
        phase=SyncRun.Phase.CHECK,
        started_at=now - timedelta(seconds=40),
        heartbeat_at=now,
    )
    page.goto(f"{live_server.url}/sync/")
    expect(page.get_by_text("Checking what was read")).to_be_visible()
    assert_accessible(page)
    run.state, run.message, run.finished_at = SyncRun.State.HELD, "Enrollments fell from 61,204 to 3.", now
    run.save()
    expect(page.locator("#sync-progress .notice").get_by_text("enrollments fell from 61,204 to 3.")).to_be_visible()
    assert_accessible(page)


@pytest.mark.parametrize("light", ["light", "dark"])
def test_the_states_without_data_or_access_are_accessible(
    sign_in: Callable[[User], Page], watched: Page, live_server: LiveServer, account: Account, alice: User, light: str
) -> None:
    watched.emulate_media(color_scheme=light)  # type: ignore[arg-type]
    page = sign_in(alice)
    expect(page.get_by_role("button", name="Start the first sync")).to_be_visible()
    assert_accessible(page)
    account.encrypted_key = b""
    account.save()
    page.reload()
    expect(page.get_by_role("heading", name="Make a key in KnowBe4")).to_be_visible()
    assert_accessible(page)
    for address in ("/password/", "/sign-out/", "/confirm/"):
        page.goto(live_server.url + address)
        assert_accessible(page)


def test_a_wrong_password_says_so_without_saying_which_part_was_wrong(
    watched: Page, live_server: LiveServer, alice: User
) -> None:
    watched.goto(live_server.url)
    watched.get_by_label("Email").fill(alice.email)
    watched.get_by_label("Password", exact=True).fill("not it at all")
    watched.get_by_role("button", name="Sign in").click()
    expect(watched.get_by_role("alert")).to_contain_text("are not correct")
    assert_accessible(watched)


def test_the_theme_is_chosen_kept_and_given_back_to_the_system(
    sign_in: Callable[[User], Page], watched: Page, account: Account, alice: User
) -> None:
    watched.emulate_media(color_scheme="light")
    page = sign_in(alice)
    root, toggle = page.locator("html"), page.locator(".rail [data-theme-toggle]")
    expect(toggle).to_have_attribute("aria-pressed", "false")
    toggle.click()
    page.reload()
    expect(root).to_have_attribute("data-theme", "dark")
    expect(toggle).to_have_attribute("aria-pressed", "true")
    toggle.click()
    expect(root).not_to_have_attribute("data-theme", "dark")
    page.emulate_media(color_scheme="dark")
    expect(toggle).to_have_attribute("aria-pressed", "true")


def test_the_keyboard_reaches_the_content_first(
    sign_in: Callable[[User], Page], account: Account, published: SyncRun, alice: User
) -> None:
    page = sign_in(alice)
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_the_reader_signs_out_by_the_menu(
    sign_in: Callable[[User], Page], live_server: LiveServer, account: Account, alice: User
) -> None:
    page = sign_in(alice)
    page.get_by_role("button", name="Alice Marlow: your account").click()
    page.locator("#reader-menu").get_by_role("button", name="Sign out").click()
    page.goto(live_server.url)
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in to Rollcall")


def test_it_works_without_javascript(
    new_context: Callable[..., object], live_server: LiveServer, company: Account, alice: User, redis_url: str
) -> None:
    page = new_context(java_script_enabled=False).new_page()  # type: ignore[attr-defined]
    page.goto(live_server.url)
    page.get_by_label("Email").fill(alice.email)
    page.get_by_label("Password", exact=True).fill(factories.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(".lead")).to_contain_text("past due")
    page.get_by_role("button", name="Sync now").click()
    expect(page.get_by_text("A sync is on its way.")).to_be_visible()


def test_no_page_of_an_administrator_scrolls_sideways_on_a_phone(
    sign_in: Callable[[User], Page], live_server: LiveServer, company: Account, ines: User
) -> None:
    factories.ContentItemFactory(account=company, name="Privacy, Data Protection & Records Retention")
    domains = ["brackwater-underwriting-services.example"]
    SingleSignOn.objects.create(
        account=company, name="Directory", server_url="https://id.example", client_id="rollcall", email_domains=domains
    )
    EmailDomain.objects.create(account=company, name=domains[0])
    page = sign_in(ines)
    page.set_viewport_size({"width": 390, "height": 844})
    seen = []
    for name in sorted(name for name, keys in ROUTES.items() if not keys and not name.startswith(ELSEWHERE)):
        answer = page.request.get(f"{live_server.url}{reverse(name)}", max_redirects=0)
        if answer.status == 200 and answer.headers["content-type"].startswith("text/html"):
            page.goto(f"{live_server.url}{reverse(name)}")
            assert_fits(page)
            seen.append(name)
    assert {"overview", "settings_licenses", "tokens", "members", "audit_log"} <= set(seen)
