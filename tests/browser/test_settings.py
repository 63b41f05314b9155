"""Settings in Chromium: deciding about campaigns, departments and exemptions, and the way to the first data."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from dashboard.models import Exemption, User
from dashboard.services import exemptions
from dashboard.services.exemptions import Excuse
from sync.models import Account, Campaign, Department, Person
from tests import factories
from tests.browser.accessibility import assert_fits
from tests.browser.test_first_page import SIZES, assert_accessible
from tests.browser.test_states import LIGHTS, assert_good_everywhere
from tests.dashboard.conftest import ines

__all__ = ["ines"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


def test_a_campaign_is_left_out_and_a_department_merged(
    sign_in: Callable[[User], Page], live_server: LiveServer, company: Account, ines: User
) -> None:
    page = sign_in(ines)
    page.goto(f"{live_server.url}/settings/")
    assert_good_everywhere(page)
    page.locator("#main").get_by_role("link", name="Campaigns", exact=True).click()
    expect(page.locator(".lead")).to_contain_text("All 6 campaigns count for compliance.")
    assert_good_everywhere(page)
    page.get_by_label("Search by name").fill("autumn")
    page.get_by_label("Search by name").press("Enter")
    expect(page.locator("#settings-campaigns tbody tr")).to_have_count(1)
    expect(page).to_have_url(f"{live_server.url}/settings/campaigns/?name=autumn")
    page.get_by_role("link", name="Autumn awareness 2026").click()
    expect(page.locator(".lead")).to_contain_text("160 enrollments count")
    assert_good_everywhere(page)
    page.get_by_label("Optional").check()
    section = page.locator("#requirement")
    section.get_by_label("Reason").fill("An offer, not a duty.")
    section.get_by_role("button", name="Save").click()
    expect(page.get_by_text("every figure is recounted without it")).to_be_visible()
    expect(page.locator(".log-table")).to_contain_text("An offer, not a duty.")

    claims = Department.objects.get(account=company, name="Claims")
    page.goto(f"{live_server.url}/settings/departments/")
    assert_good_everywhere(page)
    page.goto(f"{live_server.url}/settings/departments/{claims.pk}/")
    page.get_by_label("Into", exact=True).select_option(label="Sales (21)")
    page.get_by_role("button", name="See what changes").click()
    expect(page.get_by_role("heading", name="Merge Claims into Sales")).to_be_visible()
    assert_good_everywhere(page)
    page.get_by_label("Reason").fill("One since May.")
    page.get_by_role("button", name="Merge").click()
    expect(page.locator(".lead")).to_contain_text("Counted as part of Sales.")
    page.goto(f"{live_server.url}/settings/log/")
    assert_good_everywhere(page)


def test_an_exemption_is_asked_for_by_one_and_approved_by_another(
    sign_in: Callable[[User], Page], live_server: LiveServer, company: Account, alice: User, ines: User, now: datetime
) -> None:
    person = Person.objects.filter(account=company).order_by("pk")[0]
    page = sign_in(alice)
    page.goto(f"{live_server.url}/settings/exemptions/")
    assert_good_everywhere(page)
    page.get_by_role("link", name="Request an exemption").click()
    page.wait_for_url("**/settings/exemptions/new/")
    page.get_by_label("Name").press_sequentially(person.email)
    page.get_by_role("link", name=person.email).click()
    assert_good_everywhere(page)
    page.get_by_label("Reason").select_option("other")
    page.get_by_role("button", name="Ask for it").click()
    expect(page.get_by_text("For another reason, a note must say which.")).to_be_visible()
    assert_accessible(page)
    page.get_by_label("Note").fill("On loan to another company.")
    page.get_by_role("button", name="Ask for it").click()
    expect(page.get_by_text("Somebody else must approve it.")).to_be_visible()
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    assert_good_everywhere(page)

    today = now.date()
    other = Person.objects.filter(account=company).order_by("pk")[1]
    excuse = Excuse(Exemption.Reason.LEAVE, today, today + timedelta(days=9), person=other)
    exemptions.request(company, excuse, by=ines, at=now)
    page.goto(f"{live_server.url}/settings/exemptions/")
    assert_good_everywhere(page)
    page.get_by_label(f"Choose {other}").check()
    page.get_by_label("Reason for the decision").fill("Seen the letter.")
    page.get_by_role("button", name="Approve the chosen").click()
    expect(page.get_by_text("1 exemption was approved.")).to_be_visible()
    page.get_by_role("link", name="Ending soon").click()
    expect(page.get_by_role("link", name=str(other), exact=True)).to_be_visible()
    expect(page).to_have_url(f"{live_server.url}/settings/exemptions/?state=expiring")


def test_a_file_of_exemptions_is_shown_before_it_is_imported(
    sign_in: Callable[[User], Page], live_server: LiveServer, company: Account, alice: User
) -> None:
    person = Person.objects.filter(account=company).order_by("pk")[0]
    campaign = Campaign.objects.filter(account=company).order_by("pk")[0]
    content = (
        "email,campaign,reason,from,until\r\n"
        f'{person.email},"{campaign.name}",Leave,2026-12-01,2027-02-28\r\n'
        "nobody@brackwater.example,,Leave,2026-12-01,\r\n"
    )
    page = sign_in(alice)
    page.goto(f"{live_server.url}/settings/exemptions/import/")
    assert_good_everywhere(page)
    # A preview cannot be loaded anew, so each light gets its own.
    for size, light in zip(SIZES.values(), LIGHTS, strict=True):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        page.emulate_media(color_scheme=light)  # type: ignore[arg-type]
        page.goto(f"{live_server.url}/settings/exemptions/import/")
        page.get_by_label("CSV file").set_input_files(
            {"name": "leave.csv", "mimeType": "text/csv", "buffer": content.encode()}
        )
        page.get_by_role("button", name="Show what it asks for").click()
        expect(page.get_by_role("heading", name="1 row cannot be used")).to_be_visible()
        assert_accessible(page)
        assert_fits(page)
    page.get_by_role("button", name="Ask for 1 exemption").click()
    expect(page.get_by_text("1 exemption is requested.")).to_be_visible()
    assert Exemption.objects.get().person == person


def test_the_first_step_to_data_is_ready_to_do(
    sign_in_by_the_form: Callable[[User], Page],
    live_server: LiveServer,
    account: Account,
    ines: User,
    redis_url: str,
    now: datetime,
) -> None:
    account.encrypted_key = b""
    account.save()
    # A key is changed only by who has just shown who they are.
    page = sign_in_by_the_form(ines)
    assert_good_everywhere(page)
    page.get_by_label("Region").select_option("eu")
    page.get_by_label("Reporting API key").fill("a-typed-key")
    page.get_by_role("button", name="Connect").click()
    page.wait_for_url(f"{live_server.url}/settings/accounts/")
    account.refresh_from_db()
    assert (account.region, account.api_key) == ("eu", "a-typed-key")
    Account.objects.filter(pk=account.pk).update(is_connected=False, connection_message="KnowBe4 refuses the key.")
    page.goto(live_server.url)
    expect(page.get_by_text("KnowBe4 refuses the key.")).to_be_visible()
    assert_good_everywhere(page)
    factories.SyncRunFactory(account=account, state="running", started_at=now, heartbeat_at=now)
    Account.objects.filter(pk=account.pk).update(is_connected=True, connection_message="Connected: Northwind.")
    page.goto(live_server.url)
    expect(page.get_by_role("link", name="Follow it")).to_be_visible()
    assert_good_everywhere(page)
