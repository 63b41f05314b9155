"""Every way a list is cut into pages."""

import re

import pytest

from sync.simulator import STYLES, serve

from .conftest import asker, every_page

FULL = {"include_campaign_id": "true", "include_store_purchase_id": "true", "include_employee_number": "true"}


@pytest.fixture
def styled(company, now, session):
    """Return a function that serves in a style and returns how to ask."""
    running = []

    def start(style, **options):
        running.append(serve(company, at=now, cursor_style=style, **options))
        return asker(running[-1], session)

    yield start
    for simulator in running:
        simulator.stop()


def ids(rows):
    return [row.get("enrollment_id", row.get("id")) for row in rows]


def test_page_mode_is_a_bare_array_that_ends_empty(company, now, ask):
    found, page = [], 1
    while rows := ask("training/enrollments", page=page, per_page=500).json():
        found += ids(rows)
        page += 1
    assert found == [facts.enrollment_id for facts in company.enrollments(now)]
    assert ask("users", page=99).json() == []


def test_page_mode_in_full_form_gives_the_same_rows(company, now, ask):
    found, page = [], 1
    while rows := ask("training/enrollments", page=page, per_page=333, **FULL).json():
        found += ids(rows)
        page += 1
    assert found == [facts.enrollment_id for facts in company.enrollments(now)]


def test_page_size_defaults_to_100_and_is_clamped_to_500(ask, styled):
    assert len(ask("training/enrollments").json()) == 100
    assert len(ask("training/enrollments", per_page=9_999).json()) == 500
    assert len(ask("training/enrollments", per_page=0).json()) == 100
    assert ids(ask("training/enrollments", page=0).json()) == ids(ask("training/enrollments", page=1).json())
    assert styled("pagination", clamp=False)("users", per_page=501).status == 400


@pytest.mark.parametrize("first", ["true", "0"])
def test_cursor_is_stable_while_rows_appear(simulator, now, ask, first):
    one = ask("training/enrollments", cursor=first, per_page=500, **FULL).json()
    assert one["pagination"] == {"per_page": 500, "next_cursor": one["data"][-1]["enrollment_id"]}
    two = ask("training/enrollments", cursor=one["pagination"]["next_cursor"], per_page=500, **FULL).json()
    assert ids(two["data"])[0] > ids(one["data"])[-1]


def test_the_last_page_may_be_full(company, now, ask):
    count = len(company.groups(now))
    answer = ask("groups", cursor="true", per_page=count).json()
    assert len(answer["data"]) == count
    assert answer["pagination"]["next_cursor"] is None


def test_nonsense_for_a_cursor_is_400(ask):
    assert ask("users", cursor="x").status == 400


@pytest.mark.parametrize(
    ("style", "keys"),
    [
        ("pagination", {"pagination"}),
        ("_metadata", {"_metadata"}),
        ("both", {"pagination", "_metadata"}),
        ("string", {"pagination"}),
    ],
)
def test_envelope_styles(styled, style, keys):
    ask = styled(style)
    answer = ask("users", cursor="true", per_page=7).json()
    assert answer.keys() == {"data"} | keys
    for key in keys:
        cursor = answer[key]["next_cursor"]
        assert isinstance(cursor, str if style == "string" else int)
        assert int(cursor) == answer["data"][-1]["id"]
    assert isinstance(ask("users", per_page=7).json(), list), "without a cursor it is page mode"


def test_header_style(company, now, styled):
    ask = styled("header")
    found, cursor = [], "true"
    while cursor:
        answer = ask("users", cursor=cursor, per_page=50)
        found += ids(answer.json())
        cursor = answer.headers.get("X-Next-Cursor")
    assert found == [person.person_id for person in company.people(now)]


def test_link_style(company, now, styled, session):
    answer = styled("link")("users", cursor="true", per_page=50, status="active")
    found = ids(answer.json())
    while link := answer.headers.get("Link"):
        url = re.fullmatch(r'<(http://127\.0\.0\.1:\d+/v1/users\?[^>]+)>; rel="next"', link)[1]
        answer = session.get(url, timeout=5)
        found += ids(answer.json())
    assert found == [person.person_id for person in company.people(now) if person.status == "active"]


def test_enrollments_only_style(styled):
    ask = styled("enrollments-only")
    assert "pagination" in ask("training/enrollments", cursor="true").json()
    first, second = (ask("users", cursor="true", per_page=5, page=page).json() for page in (1, 2))
    assert isinstance(first, list)
    assert ids(first) != ids(second)


def test_page_ignored_style(styled):
    ask = styled("page-ignored")
    assert ids(ask("users", page=1, per_page=5).json()) == ids(ask("users", page=2, per_page=5).json())
    assert len(every_page(ask, "users")) > 60


def test_page_rejected_style(styled):
    ask = styled("page-rejected")
    assert ask("users", page=1).status == 400
    assert ask("users").status == 200
    assert len(every_page(ask, "users")) > 60


def test_every_style_is_described():
    assert all(STYLES.values())


def test_the_cap_holds_in_cursor_mode(ask):
    answer = ask("training/campaigns", cursor="true", per_page=500).json()
    assert len(answer["data"]) == 10
    assert answer["pagination"]["next_cursor"] == answer["data"][-1]["campaign_id"]
    assert len(every_page(ask, "training/campaigns")) > 60
