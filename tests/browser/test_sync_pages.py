"""The Sync pages and the accounts as people use them: at two sizes, in two lights, with and without scripts."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from dashboard.models import User
from sync.models import Account, ApiCheck, Change, QuarantinedRow, SyncRun
from tests import factories
from tests.browser.accessibility import assert_fits
from tests.browser.test_first_page import SIZES, assert_accessible
from tests.dashboard.conftest import Queue, ines, queue

__all__ = ["ines", "queue"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

STEPS = {
    "person": {"title": "People", "rows": 1842, "requests": 4, "state": "done", "position": 0},
    "enrollment": {
        "title": "Enrollments",
        "rows": 3,
        "rejected": 1,
        "requests": 1,
        "expected": 61204,
        "state": "done",
        "position": 1,
    },
}
PLAN = {
    "kind": "quick", "total": 41, "requests": {"people": 2, "enrollments": 39}, "campaign_ids": [1, 2], "limit": 3842,
    "used": 120, "reserve": 385, "skipped": ["the full pass waits: it needs 4,000 requests, 3,337 are left today"],
}  # fmt: skip


@pytest.fixture
def busy(account: Account, published: SyncRun, now: datetime) -> Iterator[SyncRun]:
    """Return the published run, with changes of each kind and rows set aside, and a later one that is held."""
    SyncRun.objects.filter(pk=published.pk).update(plan=PLAN, resources=STEPS)
    for field in ("completed_at", "started_at"):
        for enrollment in factories.EnrollmentFactory.create_batch(3, account=account):
            Change.objects.create(
                account=account,
                run=published,
                observed_at=published.published_at,
                subject=Change.Subject.ENROLLMENT,
                subject_id=enrollment.pk,
                field=field,
                new="2026-11-20 09:00:00+00",
            )
    person = factories.PersonFactory(account=account, removed_at=published.published_at)
    Change.objects.bulk_create(
        Change(
            account=account,
            run=published,
            observed_at=published.published_at,
            subject=Change.Subject.PERSON,
            subject_id=person.pk,
            field="job_title",
            old=f"Clerk {number}",
            new="Head of a department with a rather long name",
        )
        for number in range(55)
    )
    QuarantinedRow.objects.create(
        account=account, run=published, list_key="enrollments:1", reason="Expected `int`", raw='{"id":"' + "x" * 900
    )
    factories.SyncRunFactory(
        account=account,
        state="held",
        phase="check",
        message="Enrollments fell from 61,204 to 3.",
        resources=STEPS,
        plan=PLAN,
        started_at=now - timedelta(minutes=3),
    )
    yield published


@pytest.mark.parametrize(("size", "light"), [("desk", "light"), ("phone", "dark")])
def test_the_pages_are_accessible_and_fit(
    sign_in: Callable[[User], Page],
    watched: Page,
    live_server: LiveServer,
    busy: SyncRun,
    ines: User,
    size: str,
    light: str,
) -> None:
    watched.set_viewport_size(SIZES[size])  # type: ignore[arg-type]
    watched.emulate_media(color_scheme=light)  # type: ignore[arg-type]
    zephyr = factories.AccountFactory(name="Zephyr")
    factories.MembershipFactory(user=ines, account=zephyr, role="administrator")
    surprises = [
        {"effect": effect, "sentence": f"KnowBe4 sends {'provisioning_managed, ' * 9}twice: Rollcall takes the first."}
        for effect in ("stops", "set aside", "read")
    ]
    report = {"outcome": "read", "requests": 28, "surprises": surprises}
    ApiCheck.objects.create(account=zephyr, finished_at=busy.started_at, message="It differs.", report=report)
    page = sign_in(ines)
    for address in (
        "/sync/",
        f"/sync/runs/{busy.pk}/",
        "/sync/changes/?subject=person&field=job_title",
        "/sync/vanished/",
        "/sync/vanished/?kind=person",
        "/settings/accounts/",
        "/settings/accounts/new/",
        f"/settings/accounts/{zephyr.pk}/check/",
    ):
        page.goto(live_server.url + address)
        assert_accessible(page)
        assert_fits(page)


def test_a_number_opens_its_rows_and_the_next_page_comes_by_itself(
    sign_in: Callable[[User], Page], live_server: LiveServer, busy: SyncRun, ines: User
) -> None:
    page = sign_in(ines)
    page.goto(f"{live_server.url}/sync/")
    page.get_by_role("link", name="3 completed").click()
    expect(page.locator(".lead")).to_contain_text("3 completed")
    expect(page.get_by_role("rowheader")).to_have_count(3)
    page.get_by_role("link", name="All changes of this run").click()
    expect(page.get_by_role("status").get_by_text("1 to 50 of 61")).to_be_visible()
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_role("status").get_by_text("51 to 61 of 61")).to_be_visible()
    expect(page).to_have_url(f"{live_server.url}/sync/changes/?run={busy.pk}&page=2")
    page.go_back()
    expect(page.get_by_role("status").get_by_text("1 to 50 of 61")).to_be_visible()


def test_a_held_run_is_decided_without_scripts(
    browser: Browser, live_server: LiveServer, busy: SyncRun, ines: User, queue: Queue
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(live_server.url)
    page.get_by_label("Email").fill(ines.email)
    page.get_by_label("Password", exact=True).fill(factories.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Decide").click()
    page.get_by_role("button", name="Publish it all the same").click()
    assert queue.tasks() == []  # the browser asks for the reason first
    page.get_by_label("Reason").fill("The branch was sold.")
    page.get_by_role("button", name="Publish it all the same").click()
    expect(page.locator(".lead")).to_have_text("The held sync is being published.")
    [(task, arguments)] = queue.tasks()
    assert (task, arguments["publish"], arguments["reason"]) == ("sync.tasks.resolve_run", True, "The branch was sold.")
    context.close()


def test_a_decision_is_followed_until_a_worker_has_carried_it_out(
    sign_in: Callable[[User], Page], live_server: LiveServer, busy: SyncRun, ines: User, queue: Queue, now: datetime
) -> None:
    page = sign_in(ines)
    page.goto(f"{live_server.url}/sync/")
    page.get_by_label("Reason").fill("A fault over there.")
    page.get_by_role("button", name="Discard it").click()
    expect(page.get_by_text("The held sync is being discarded.")).to_be_visible()
    assert_accessible(page)
    SyncRun.objects.filter(state="held").update(
        state="discarded", resolved_by=ines, resolved_at=now, resolution="A fault over there."
    )
    expect(page.get_by_text("The latest sync was discarded.")).to_be_visible()
    page.reload()
    expect(page.get_by_text("Discarded by Ines Halloran")).to_be_visible()


def test_a_new_account_shows_whose_key_it_is_as_soon_as_it_is_known(
    sign_in: Callable[[User], Page],
    live_server: LiveServer,
    published: SyncRun,
    ines: User,
    queue: Queue,
    now: datetime,
) -> None:
    page = sign_in(ines)
    page.get_by_role("link", name="Accounts").first.click()
    page.get_by_role("link", name="Add an account").click()
    page.get_by_label("Name", exact=True).fill("Zephyr")
    page.get_by_label("Region").select_option("eu")
    page.get_by_label("Reporting API key").fill("a-secret-key")
    page.get_by_label("Time zone").fill("Europe/Paris")
    page.get_by_role("button", name="Add the account").click()
    expect(page.get_by_text("Asking KnowBe4 whose key this is.")).to_be_visible()
    assert_accessible(page)
    assert [task for task, _arguments in queue.tasks()] == ["sync.tasks.test_connection"]
    Account.objects.filter(name="Zephyr").update(
        is_connected=True,
        connection_message="Connected: Zephyr, Diamond, 1,842 seats.",
        connection_tested_at=now + timedelta(minutes=1),
    )
    expect(page.get_by_text("Connected: Zephyr, Diamond, 1,842 seats.")).to_be_visible()
    page.get_by_role("button", name="Switch account").click()
    page.locator("#account-menu").get_by_role("button", name="Zephyr").click()
    expect(page.locator(".rail .brand-org")).to_have_text("Zephyr")
    expect(page.get_by_text("There is no data yet.")).to_be_visible()
