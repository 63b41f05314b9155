"""The audit log in a browser: read, narrowed, and usable by everybody."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from dashboard import audit
from dashboard.models import User
from tests import factories
from tests.browser.accessibility import assert_fits, assert_no_rule_broken

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SIZES = [(1440, 900, "light"), (390, 844, "dark")]


@pytest.mark.parametrize(("width", "height", "theme"), SIZES)
def test_the_log_is_read_and_narrowed(
    live_server: LiveServer, sign_in: Callable[[User], Page], width: int, height: int, theme: Any, now: datetime
) -> None:
    account = factories.AccountFactory(name="Brackwater Mutual")
    factories.publish(factories.SyncRunFactory(account=account, started_at=now))
    ines = factories.UserFactory(email="ines@brackwater.example", first_name="Ines", last_name="Halloran")
    factories.MembershipFactory(user=ines, account=account, role="administrator")
    person = factories.PersonFactory(account=account, first_name="Wanda", last_name="Quill")
    for number in range(60):
        audit.record(
            audit.Action.VIEWED_PERSON, account=account, user=ines, subject="person", subject_id=person.pk,
            details={"as_of": "2026-09-30"} if number % 3 else None,
        )  # fmt: skip
    audit.record(
        audit.Action.EXPORTED, account=account, user=ines, subject="table",
        details={"rows": 1200, "filters": {"department": ["7"]}, "format": "csv"},
    )  # fmt: skip
    page = sign_in(ines)
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=theme)
    page.goto(f"{live_server.url}/audit/")
    expect(page.get_by_role("heading", name="Audit log")).to_be_visible()
    assert_no_rule_broken(page)
    page.get_by_role("link", name="Earlier").click()
    expect(page.get_by_role("link", name="Newest")).to_be_visible()
    page.goto(f"{live_server.url}/audit/")
    page.get_by_label("Did what").select_option("exported")
    expect(page.get_by_text("rows: 1,200")).to_be_visible()
    expect(page.locator("#audit-list tbody tr")).to_have_count(1)
    assert_fits(page)
