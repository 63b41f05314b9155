"""The page API and assistants: tokens made, shown once and revoked; a call tried; the reference."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from dashboard.models import ApiToken, AuditEvent, Membership, User
from dashboard.services import tokens
from sync.models import Account, Department
from tests.dashboard.api.conftest import Program, token_for

pytestmark = pytest.mark.django_db
SECRET = re.compile(r"rollcall_[A-Za-z0-9_-]{43}")


@pytest.fixture
def sure(as_alice: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
    """Return Alice's client, a moment after she proved who she is."""
    monkeypatch.setattr("dashboard.identity.recently.signed_in_lately", lambda request: True)
    return as_alice


def test_a_token_is_made_and_shown_once(company: Account, sure: Client, now: datetime) -> None:
    form = {"name": "Power BI", "lasts": "30", "numbers_only": "on"}
    response = sure.post("/you/tokens/new/", form)
    found = SECRET.findall(response.content.decode())
    assert response.status_code == 200 and len(found) == 1 and "no-store" in response["Cache-Control"]
    token = ApiToken.objects.get()
    assert token.numbers_only and abs(token.expires_at - now - timedelta(days=30)) < timedelta(minutes=1)
    page = sure.get("/you/tokens/").content.decode()
    assert not SECRET.search(page) and "Power BI" in page and f"{token.prefix}…" in page and "never used" in page
    assert Program(found[0]).get("/metrics").status_code == 200
    assert "last used" in sure.get("/you/tokens/").content.decode()
    assert AuditEvent.objects.filter(action="token_created", subject_id=token.pk).exists()


def test_making_one_asks_who_it_is(company: Account, as_alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.identity.recently.signed_in_lately", lambda request: False)
    response = as_alice.post("/you/tokens/new/", {"name": "x", "lasts": "30"})
    assert response.status_code == 302 and not ApiToken.objects.exists()


@pytest.mark.parametrize("form", [{}, {"name": " ", "lasts": "30"}, {"name": "x", "lasts": "3000"}])
def test_what_is_no_token_is_not_made(company: Account, sure: Client, form: dict[str, str]) -> None:
    assert sure.post("/you/tokens/new/", form).status_code == 422
    assert not ApiToken.objects.exists()


def test_only_ones_own_can_be_seen_and_revoked(
    company: Account, as_alice: Client, alice: User, ines: User, now: datetime
) -> None:
    theirs, own = (
        tokens.create(user, company, f"Of {user.first_name}", at=now,
                      expires_at=now + timedelta(days=3))[0]
        for user in (ines, alice)
    )  # fmt: skip
    page = as_alice.get("/you/tokens/").content.decode()
    assert "Of Alice" in page and "Of Ines" not in page
    assert as_alice.post(f"/you/tokens/{theirs.pk}/revoke/").status_code == 404
    assert as_alice.post(f"/you/tokens/{own.pk}/revoke/").status_code == 302
    assert list(ApiToken.objects.exclude(revoked_at=None)) == [own]
    page = as_alice.get("/you/tokens/").content.decode()
    assert "is revoked" in page and "1 token that is over" in page
    assert as_alice.post(f"/you/tokens/{own.pk}/revoke/").status_code == 302


def test_who_has_no_account_has_no_page(client: Client, charlie: User) -> None:
    client.force_login(charlie)
    assert client.get("/you/tokens/").status_code == 403


def test_a_call_can_be_tried(company: Account, as_alice: Client) -> None:
    page = as_alice.get("/you/tokens/try/", {"route": "people", "query": "department=Claims&fields=email"})
    text = page.content.decode()
    assert page.status_code == 200 and "Answered with 200" in text and text.count("@brackwater.example&quot;") == 3
    refused = as_alice.get(
        "/you/tokens/try/", {"route": "people", "query": "?departmnt=<b>Claims</b>"}
    ).content.decode()
    assert "Answered with 400" in refused and "<b>Claims" not in refused
    events = AuditEvent.objects.filter(action="api_call")
    assert [(event.through, event.subject) for event in events] == [("page", ""), ("page", "")]


def test_what_is_tried_is_in_the_readers_scope(company: Account, client: Client, charlie: User) -> None:
    membership = Membership.objects.create(user=charlie, account=company, role=Membership.Role.DEPARTMENT_HEAD)
    membership.departments.add(Department.objects.get(account=company, name="Claims"))
    client.force_login(charlie)
    text = client.get("/you/tokens/try/", {"route": "people", "query": "limit=1000&fields=department"}).content.decode()
    assert text.count("&quot;Claims&quot;") >= 21 and "Sales" not in text


def test_the_reference_has_every_address(company: Account, as_alice: Client) -> None:
    page = as_alice.get("/you/tokens/reference/").content.decode()
    for path in ("/api/v1/metrics", "/api/v1/enrollments/{enrollment_id}", "/api/v1/sync/runs"):
        assert f"GET {path}" in page
    assert "KnowBe4&#x27;s id of the enrollment." in page


def test_a_page_costs_few_questions(
    company: Account, as_alice: Client, alice: User, django_assert_max_num_queries: Any
) -> None:
    for _ in range(3):
        token_for(alice, company)
    as_alice.get("/you/tokens/")
    with django_assert_max_num_queries(10):
        as_alice.get("/you/tokens/")
