"""Domains of single sign-on, and two tabs with two accounts, in a browser."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import FloatRect, Locator, Page
from pytest_django.live_server_helper import LiveServer

from dashboard.models import EmailDomain, Invitation, Role, SingleSignOn, User
from sync.models import SyncRun
from tests import factories
from tests.browser.accessibility import assert_accessible, assert_fits
from tests.clock import MOMENT
from tests.dashboard.conftest import ines

__all__ = ["ines"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_domains_are_shown_on_any_screen(
    sign_in_by_the_form: Callable[[User], Page], live_server: LiveServer, ines: User, published: SyncRun
) -> None:
    account = ines.memberships.get().account
    SingleSignOn.objects.create(
        account=account,
        name="Brackwater ID",
        email_domains=["brackwater.example"],
        server_url="https://id.example",
        client_id="rollcall",
    )
    for name in ("brackwater.example", "claims-and-everything-else.brackwater.example", "elsewhere.example"):
        EmailDomain.objects.create(account=account, name=name)
    EmailDomain.objects.filter(name="brackwater.example").update(proof="dns", proven_at=MOMENT)
    other = factories.AccountFactory(name="Northwind Bank")
    EmailDomain.objects.create(account=other, name="elsewhere.example", proof="operator", proven_at=MOMENT)
    page = sign_in_by_the_form(ines)
    page.goto(f"{live_server.url}/settings/sign-on/")
    for width in (1440, 1024, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.get_by_role("heading", name="2 email domains are not proven").wait_for()
        assert_accessible(page)
        assert_fits(page)
    # On a phone buttons leave what they belong to its room: an address its line, the banner of a view its words.
    Invitation.objects.create(
        account=account,
        email="noor.el-amrani@brackwater.example",
        role=Role.SECURITY_MANAGER,
        token_digest="0" * 64,
        invited_by=ines,
        invited_at=MOMENT,
        expires_at=MOMENT + timedelta(days=7),
    )
    member = factories.MembershipFactory(account=account, role=Role.SECURITY_MANAGER)
    page.goto(f"{live_server.url}/settings/members/")
    assert _box(page.locator(".member-list .med").first)["height"] < 30
    page.goto(f"{live_server.url}/settings/members/{member.pk}/")
    page.get_by_role("button", name="View as").click()
    banner = page.locator(".notice-new", has_text="sees Rollcall as")
    assert _box(banner.get_by_role("button", name="Stop"))["x"] == _box(banner.locator("p"))["x"]
    assert _box(banner.locator("p"))["x"] - _box(banner)["x"] < 48
    assert_fits(page)


def _box(element: Locator) -> FloatRect:
    box = element.bounding_box()
    assert box is not None
    return box


def test_form_of_an_earlier_account_is_refused_and_there_again(
    sign_in_by_the_form: Callable[[User], Page], live_server: LiveServer, ines: User, published: SyncRun
) -> None:
    account, other = ines.memberships.get().account, factories.AccountFactory(name="Northwind Bank")
    first = sign_in_by_the_form(ines)
    factories.MembershipFactory(user=ines, account=other, role=Role.ADMINISTRATOR)
    first.goto(f"{live_server.url}/settings/members/invite/")
    assert f"/account-{account.pk}/settings/members/invite/" in first.url
    first.get_by_label("Work email").fill("noor@brackwater.example")
    first.get_by_label("Security manager").check()
    second = first.context.new_page()
    second.goto(live_server.url)
    second.get_by_role("button", name="Switch account").click()
    second.get_by_role("button", name="Northwind Bank").click()
    second.wait_for_url(f"{live_server.url}/account-{other.pk}/")
    first.get_by_role("button", name="Send the invitation").click()
    first.get_by_text(f"That page shows {account}, but you look at Northwind Bank now: nothing was done.").wait_for()
    assert_accessible(first)
    assert not Invitation.objects.exists()
    first.get_by_role("button", name=f"Look at {account} again").click()
    first.wait_for_url(f"{live_server.url}/account-{account.pk}/settings/members/invite/")
    first.wait_for_function("document.querySelector('[name=email]').value === 'noor@brackwater.example'")
    first.get_by_role("button", name="Send the invitation").click()
    first.get_by_text("The invitation is on its way to noor@brackwater.example.").wait_for()
    assert Invitation.objects.get().account == account
    # What the other tab follows by itself says why it stands still.
    second.evaluate("htmx.trigger(document.getElementById('sync-status'), 'load')")
    second.evaluate("htmx.ajax('GET', document.getElementById('sync-status').getAttribute('hx-get'), '#sync-status')")
    second.get_by_text(f"This page shows Northwind Bank, but you look at {account} now.").wait_for()
