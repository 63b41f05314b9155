"""Taking files along in a browser: the menu of a list, choice of columns, files being made, reports, logo and color."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from dashboard.models import Export, User
from sync.models import Account, Department
from tests import factories
from tests.browser.accessibility import assert_fits, assert_no_rule_broken
from tests.dashboard.exports.reading import rows_of_csv

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SIZES = [(1440, 900, "light"), (390, 844, "dark")]

# The name of each file and its state stand beside or below each other.
APART = """() => [...document.querySelectorAll("#exports-list tbody tr")].every(row => {
  const [name, state] = ["th", ".c-state"].map(part => row.querySelector(part).getBoundingClientRect());
  return name.right <= state.left + 1 || name.bottom <= state.top + 1;
})"""


@pytest.fixture
def ines(company: Account, now: datetime) -> User:
    """Return an administrator with files in every state."""
    user: User = factories.UserFactory(email="ines@brackwater.example", first_name="Ines", last_name="Halloran")
    factories.MembershipFactory(user=user, account=company, role="administrator")
    for number, (state, given) in enumerate(
        {
            Export.State.READY: {
                "bytes": 31_400_000, "rows_done": 218_411, "ready_at": now, "expires_at": now + timedelta(hours=20)
            },
            Export.State.FAILED: {"error": "The disk that files are made on is full. Ask again once there is room."},
            Export.State.EXPIRED: {"rows_done": 88_011, "bytes": 9_000_000},
            Export.State.WAITING: {},
            Export.State.WORKING: {"rows_done": 60_000, "begun": 1},
        }.items()
    ):  # fmt: skip
        Export.objects.create(
            account=company, user=user, table="enrollments", format="csv", state=state, rows_total=218_411,
            file_name="enrollments_brackwater-mutual_2026-11-23.csv", requested_at=now - timedelta(minutes=number),
            parameters={}, **given,
        )  # fmt: skip
    return user


@pytest.mark.parametrize(("width", "height", "theme"), SIZES)
def test_files_are_taken_along(
    live_server: LiveServer, sign_in: Callable[[User], Page], ines: User, width: int, height: int, theme: Any
) -> None:
    page = sign_in(ines)
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=theme)

    def is_sound(name: str) -> None:
        assert_no_rule_broken(page, name)
        assert_fits(page, name)

    # The menu gives the list as it is at once.
    page.goto(f"{live_server.url}/people/?standing=past_due")
    page.get_by_role("button", name="Export").click()
    is_sound("the menu")
    with page.expect_download() as taken:
        page.get_by_role("button", name="CSV", exact=True).click()
    assert taken.value.suggested_filename.startswith("people_brackwater-mutual_")
    rows = rows_of_csv(Path(taken.value.path()).read_bytes())
    assert rows[0][0] == "Person" and len(rows) > 5

    # Columns can be chosen.
    page.goto(f"{live_server.url}/exports/people/?standing=past_due")
    expect(page.get_by_role("heading", name="Export", exact=True)).to_be_visible()
    is_sound("columns")
    for box in page.get_by_role("checkbox").all():
        box.uncheck()
    page.get_by_label("Email", exact=True).check()
    with page.expect_download() as taken:
        page.get_by_role("button", name="CSV", exact=True).click()
    assert rows_of_csv(Path(taken.value.path()).read_bytes())[0] == ["Email"]

    # Files in every state.
    page.goto(f"{live_server.url}/exports/")
    expect(page.get_by_role("link", name="Download")).to_be_visible()
    for word in ("Ready", "Failed", "Expired", "Waiting", "Being made"):
        expect(page.locator("#exports-list").get_by_text(word, exact=True)).to_be_visible()
    is_sound("files")
    # Whatever is long, nothing lies over anything else.
    assert page.evaluate(APART)


@pytest.mark.parametrize(("width", "height", "theme"), SIZES)
def test_reports_are_asked_for(
    live_server: LiveServer, sign_in: Callable[[User], Page], ines: User, width: int, height: int, theme: Any
) -> None:
    page = sign_in(ines)
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=theme)
    page.goto(f"{live_server.url}/reports/")
    assert_no_rule_broken(page)
    assert_fits(page)
    page.get_by_role("combobox", name="Department").select_option(label="Claims")
    with page.expect_download() as taken:
        page.get_by_role("button", name=re.compile("^PDF.*Department report")).click()
    assert taken.value.suggested_filename.startswith("department-report-claims-")
    assert Path(taken.value.path()).read_bytes().startswith(b"%PDF-1.7")

    page.get_by_role("button", name=re.compile("^Schedule.*Department report")).click()
    expect(page.get_by_label("Department", exact=True)).to_have_value(str(Department.objects.get(name="Claims").pk))
    page.goto(f"{live_server.url}/reports/")
    page.get_by_role("link", name="Logo and color").click()
    page.wait_for_url(f"{live_server.url}/settings/**")
    assert_no_rule_broken(page)
    assert_fits(page)
