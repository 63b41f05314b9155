"""The states that few people see: errors, files that need help, a sync being stopped, an account without a key."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from django.template.loader import render_to_string
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from config.local import embedded
from dashboard.models import User
from sync.models import Account, ConsoleImport, SyncRun
from sync.pipeline.console import accept_import, preview_import
from tests import factories
from tests.browser.accessibility import assert_fits
from tests.browser.test_first_page import SIZES, assert_accessible
from tests.clock import MOMENT
from tests.dashboard.conftest import Queue, ines, queue

__all__ = ["ines", "queue"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

LIGHTS = ("light", "dark")
DRAW_ANEW = """() => {
    const root = document.documentElement;
    root.hidden = true;
    root.getBoundingClientRect();
    root.hidden = false;
    return Promise.allSettled(document.getAnimations().map(one => one.finished));
}"""
READING = {"person": {"title": "People", "rows": 20, "requests": 1, "expected": 60, "state": "reading", "position": 0}}


@pytest.fixture
def unwatched(browser: Browser) -> Iterator[Page]:
    """Return a page that may ask for what is not there."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


def assert_good_everywhere(page: Page, *, is_reloaded: bool = True) -> None:
    """Fail when what the page shows breaks a rule or scrolls sideways, wide and light or narrow and dark.

    It is loaded anew for each, unless that would send a form again or close what is open: then it is drawn anew, for
    Chromium leaves some colors of a drawn page behind.
    """
    for size, light in zip(SIZES.values(), LIGHTS, strict=True):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        page.emulate_media(color_scheme=light, reduced_motion="reduce")  # type: ignore[arg-type]
        if is_reloaded:
            page.reload()
        else:
            page.evaluate(DRAW_ANEW)
            page.wait_for_timeout(250)
        assert_accessible(page)
        assert_fits(page)


@pytest.mark.parametrize("template", sorted(path.stem for path in embedded.BASE_DIR.glob("templates/[45]??*.html")))
def test_error_pages_are_accessible(unwatched: Page, live_server: LiveServer, template: str) -> None:
    html = render_to_string(f"{template}.html")
    unwatched.route("**/broken/", lambda route: route.fulfill(body=html, content_type="text/html"))
    unwatched.goto(f"{live_server.url}/broken/")
    expect(unwatched.get_by_role("heading", level=1)).to_be_visible()
    expect(unwatched.get_by_role("link", name="To the overview")).to_be_visible()
    assert_good_everywhere(unwatched)


def test_nobody_is_refused_or_lost_without_a_word(unwatched: Page, live_server: LiveServer, alice: User) -> None:
    unwatched.goto(live_server.url)
    unwatched.get_by_label("Email").fill(alice.email)
    unwatched.get_by_label("Password", exact=True).fill(factories.PASSWORD)
    unwatched.get_by_role("button", name="Sign in").click()
    unwatched.wait_for_url(f"{live_server.url}/")
    for address, heading in (("/settings/accounts/", "Your role does not allow this."), ("/nowhere/", "nothing here")):
        unwatched.goto(live_server.url + address)
        expect(unwatched.get_by_role("heading", level=1)).to_contain_text(heading)


def test_the_account_form_is_accessible_with_its_errors(
    sign_in: Callable[[User], Page], live_server: LiveServer, published: SyncRun, ines: User
) -> None:
    page = sign_in(ines)
    page.goto(f"{live_server.url}/settings/accounts/new/")
    assert_good_everywhere(page)
    page.get_by_label("Name", exact=True).fill("Zephyr")
    page.get_by_label("Time zone").fill("Europe/Nowhere")
    page.get_by_role("button", name="Add the account").click()
    expect(page.get_by_text("is not a time zone")).to_be_visible()
    assert_good_everywhere(page, is_reloaded=False)


def upload(account: Account, user: User, content: str) -> ConsoleImport:
    imported = ConsoleImport.objects.create(
        account=account,
        uploaded_by=user,
        uploaded_at=MOMENT,
        name="results.csv",
        **ConsoleImport.stored(content.encode()),
    )
    return preview_import(imported.pk)


def test_an_import_is_accessible_from_its_upload_to_its_end(
    sign_in: Callable[[User], Page],
    live_server: LiveServer,
    account: Account,
    published: SyncRun,
    ines: User,
    queue: Queue,
) -> None:
    enrollment = factories.EnrollmentFactory(account=account)
    cells = (enrollment.campaign.name, enrollment.content.name, enrollment.person.email)
    row = ",".join(f'"{cell}"' for cell in cells)
    good = (
        f"Campaign,Content,Email,Extended Due Date\r\n{row},2026-12-24\r\n{row},soon\r\nx,y,z@a.example,2026-12-24\r\n"
    )
    strange = upload(account, ines, f"Was,Content,Email,Extended Due Date\r\n{row},05/11/2026\r\n")
    imported = upload(account, ines, good)
    page = sign_in(ines)
    for address in ("/sync/imports/", f"/sync/imports/{strange.pk}/", f"/sync/imports/{imported.pk}/"):
        page.goto(live_server.url + address)
        assert_good_everywhere(page)
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("The file is being imported.")).to_be_visible()
    run = accept_import(imported.pk).run
    assert run is not None
    expect(page.get_by_text("1 due date changed.")).to_be_visible()
    assert_good_everywhere(page)
    page.goto(f"{live_server.url}/sync/runs/{run.pk}/")
    assert_good_everywhere(page)


def test_a_sync_is_stopped_where_it_is_watched(
    sign_in: Callable[[User], Page],
    live_server: LiveServer,
    account: Account,
    published: SyncRun,
    alice: User,
    now: datetime,
) -> None:
    run = factories.SyncRunFactory(
        account=account,
        state="running",
        phase="fetch",
        resources=READING,
        started_at=now - timedelta(seconds=20),
        heartbeat_at=now + timedelta(seconds=60),
    )
    page = sign_in(alice)
    page.goto(f"{live_server.url}/sync/")
    assert_good_everywhere(page)
    page.get_by_role("button", name="Stop this run").click()
    expect(page.get_by_text("The sync is being stopped.")).to_be_visible()
    assert_good_everywhere(page)
    run.refresh_from_db()
    assert run.resolved_by == alice
    SyncRun.objects.filter(pk=run.pk).update(
        state="discarded", error_kind="StopAskedError", finished_at=now, message="Stopped by hand."
    )
    expect(page.get_by_text("The latest sync was stopped.")).to_be_visible()
    page.reload()
    expect(page.get_by_text("Stopped by Alice Marlow")).to_be_visible()
    assert_good_everywhere(page)


def test_an_account_without_a_key_is_accessible(
    sign_in: Callable[[User], Page], live_server: LiveServer, account: Account, ines: User
) -> None:
    account.encrypted_key = b""
    account.save()
    page = sign_in(ines)
    expect(page.get_by_role("heading", name="A plan without the Reporting API")).to_be_visible()
    assert_good_everywhere(page)
    for address in ("/sync/", "/sync/imports/", "/settings/accounts/", f"/settings/accounts/{account.pk}/"):
        page.goto(live_server.url + address)
        assert_good_everywhere(page)
