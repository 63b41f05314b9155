"""Answers of tools: to whom, with which numbers, and what they say when there is no answer."""

import json
import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from dashboard.mcp.tools import TOOLS
from dashboard.metrics import CampaignState
from dashboard.models import AuditEvent
from dashboard.services import tokens
from dashboard.services.licenses import set_license_end
from sync.models import Campaign, ContentItem
from tests.dashboard.canary import MAY_SEE, Canary
from tests.dashboard.mcp.asking import ask, marks, scope_of, told
from tests.dashboard.mcp.conftest import calls, theirs


@pytest.fixture
def canary(marked_companies: Canary, db: None) -> Canary:
    """Return the two marked companies."""
    return marked_companies


@pytest.mark.slow
@pytest.mark.parametrize("role", [role for role in MAY_SEE if role != "nobody"])
def test_no_tool_tells_about_somebody_out_of_scope(canary: Canary, role: str) -> None:
    met: set[str] = set()
    asked: set[str] = set()
    for name, arguments, answered in told(scope_of(canary.readers[role], canary.account)):
        found = marks(arguments, answered)
        assert found <= MAY_SEE[role], (name, arguments, found - MAY_SEE[role])
        assert not str(answered).startswith("500"), (name, arguments, answered)
        met |= found
        asked.add(name)
    assert met >= MAY_SEE[role]
    assert asked == set(TOOLS)


def test_figures_only_tell_of_nobody(canary: Canary) -> None:
    scope = scope_of(canary.readers["administrator"], canary.account, numbers_only=True)
    whole = scope_of(canary.readers["administrator"], canary.account)
    refused = set()
    for name, arguments in calls(canary.account):
        answered = ask(scope, name, arguments)
        if isinstance(answered, str):
            assert answered.startswith("403 Insufficient permissions. "), (name, arguments, answered)
            refused.add(name)
        else:
            assert not marks(arguments, answered), (name, arguments)
    people = {name for name, tool in TOOLS.items() if tool.tells_of_people}
    assert refused == people | {"compliance_summary"}
    assert ask(scope, "compliance_summary")["total"] == ask(whole, "compliance_summary")["total"]


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("knowbe4_training_get_campaign", {"campaign_id": 1}, "404 Campaign not found. Verify campaign_id exists"),
        ("knowbe4_training_list_enrollments", {"campaign_id": 1}, "404 Campaign not found. Verify campaign_id exists"),
        ("compliance_summary", {"campaign_id": 1}, "404 Campaign not found."),
        ("knowbe4_training_get_enrollment", {"enrollment_id": 1}, "404 Enrollment not found. Verify enrollment_id"),
        ("knowbe4_training_get_module", {"module_id": 1}, "404 Module not found."),
        ("knowbe4_training_get_store_purchase", {"store_purchase_id": 1}, "404 Store purchase not found."),
        ("knowbe4_training_get_campaign", {}, "400 Invalid request."),
        ("knowbe4_training_get_campaign", {"campaign_id": 2**80}, "400 Invalid request."),
        ("knowbe4_training_get_campaign", {"campaign_id": -1}, "400 Invalid request."),
        ("knowbe4_training_list_campaigns", {"status": "running"}, "400 Invalid request."),
        ("knowbe4_training_list_campaigns", {"per_page": 501}, "400 Invalid request."),
        ("knowbe4_training_list_campaigns", {"page": 0}, "400 Invalid request."),
        ("knowbe4_training_list_campaigns", {"offset": 3}, "400 Invalid request."),
        ("compliance_summary", {"department": "Nowhere"}, "400 Invalid request. There is no department"),
        ("compliance_summary", {"manager": "a\0b"}, "400 Invalid request."),
        ("compliance_summary", {"metrics": ["happiness"]}, "400 Invalid request. There is no metric"),
        ("compliance_summary", {"metrics": ["coverage"], "by": "campaign"}, "400 Invalid request. Coverage is not"),
        ("compliance_summary", {"as_of": "2999-01-01"}, "400 Invalid request. as_of"),
        ("compliance_summary", {"as_of": "soon"}, "400 Invalid request. as_of"),
        ("quarterly_review", {"quarter": "2026-Q5"}, "400 Invalid request. quarter"),
        ("quarterly_review", {"quarter": "2099-Q1"}, "400 Invalid request. Q1 2099 has not begun."),
        ("explain_number", {"metric": "all"}, "400 Invalid request."),
        ("explain_number", {"metric": "coverage", "quarter": "2026-Q3"}, "400 Invalid request. Coverage is not"),
        ("find_person", {"query": "\0"}, "400 Invalid request."),
        ("no_such_tool", {}, "404 Tool not found."),
    ],
)
def test_errors_say_what_to_do(canary: Canary, name: str, arguments: dict[str, Any], said: str) -> None:
    answered = ask(scope_of(canary.readers["administrator"], canary.account), name, arguments)
    assert isinstance(answered, str), answered
    assert answered.startswith(said)


def test_enrollments_add_up(canary: Canary) -> None:
    scope = scope_of(canary.readers["security_manager"], canary.account)
    campaign = {"campaign_id": theirs(canary.account)["campaign_id"]}
    whole = ask(scope, "knowbe4_training_list_enrollments", campaign)
    assert whole["total"] == len(whole["enrollments"]) > 0
    by_status = {
        status: ask(scope, "knowbe4_training_list_enrollments", campaign | {"status": status})["total"]
        for status in ("not_started", "in_progress", "completed", "past_due")
    }
    assert sum(by_status.values()) == whole["total"]
    one = ask(scope, "knowbe4_training_get_campaign", campaign)["campaign"]
    assert (one["counted"], one["past_due"]) == (whole["total"], by_status["past_due"])
    first = whole["enrollments"][0]
    assert (
        first == ask(scope, "knowbe4_training_get_enrollment", {"enrollment_id": first["enrollment_id"]})["enrollment"]
    )
    assert (first["current_module"], first["status"], first["days_past_due"]) == (None, "past_due", 9)


def test_a_license_end_fills_the_expiration_date(canary: Canary, now: datetime) -> None:
    scope = scope_of(canary.readers["auditor"], canary.account)
    item = ContentItem.objects.get(account=canary.account)
    asked = {"store_purchase_id": item.knowbe4_id}
    assert ask(scope, "knowbe4_training_get_store_purchase", asked)["store_purchase"]["expiration_date"] is None
    by = canary.readers["administrator"]
    assert set_license_end(item, date(2027, 3, 31), by=by, at=now)
    assert not set_license_end(item, date(2027, 3, 31), by=by, at=now)
    purchase = ask(scope, "knowbe4_training_get_store_purchase", asked)["store_purchase"]
    assert purchase["expiration_date"] == "2027-04-01T00:00:00+02:00"
    assert set_license_end(item, None, by=by, at=now)
    assert ask(scope, "knowbe4_training_list_store_purchases")["store_purchases"][0]["expiration_date"] is None
    assert AuditEvent.objects.filter(action="changed_setting").count() == 2


def post(secret: str, method: str, params: dict[str, Any] | None = None, path: str = "/mcp", **headers: str) -> Any:
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}}
    return Client().post(
        path,
        json.dumps(body),
        content_type="application/json",
        headers={"Authorization": f"Bearer {secret}", "Accept": "application/json, text/event-stream"} | headers,
    )


def test_a_session_is_no_way_in(canary: Canary) -> None:
    client = Client()
    client.force_login(canary.readers["administrator"])
    response = client.post("/mcp", "{}", content_type="application/json")
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")
    assert client.get("/mcp").status_code == 401


def test_other_sites_are_refused(canary: Canary, now: datetime) -> None:
    user = canary.readers["administrator"]
    secret = tokens.create(user, canary.account, "Test", expires_at=now + timedelta(days=1), at=now)[1]
    assert post(secret, "tools/list", Origin="https://elsewhere.example").status_code == 403
    response = post(secret, "tools/list", Origin="http://testserver")
    assert len(response.json()["result"]["tools"]) == len(TOOLS)


def test_too_many_calls_are_told_to_wait(canary: Canary, settings: Any, now: datetime) -> None:
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"api": (1, 60)}
    user = canary.readers["administrator"]
    secret = tokens.create(user, canary.account, "Test", expires_at=now + timedelta(days=1), at=now)[1]
    assert post(secret, "tools/list").status_code == 200
    response = post(secret, "tools/list")
    assert (response.status_code, int(response["Retry-After"]) > 0) == (429, True)
    result = post(secret, "tools/call", {"name": "compliance_summary", "arguments": {}}).json()["result"]
    assert result["isError"]
    assert result["content"][0]["text"].startswith("429 Rate limit exceeded. Wait ")


def test_nothing_typed_is_in_the_audit_log(canary: Canary, now: datetime) -> None:
    user = canary.readers["administrator"]
    secret = tokens.create(user, canary.account, "Test", expires_at=now + timedelta(days=1), at=now)[1]
    post(secret, "tools/call", {"name": "find_person", "arguments": {"query": "ann"}})
    post(secret, "tools/call", {"name": "compliance_summary", "arguments": {"by": "department"}})
    first, second = AuditEvent.objects.filter(action="api_call").order_by("pk")
    assert first.details == {"call": "tool find_person", "asked": {"query": "(typed)"}}
    assert second.details == {"call": "tool compliance_summary", "asked": {"by": "department"}}


def test_null_is_an_optional_argument_that_was_not_given(canary: Canary) -> None:
    scope = scope_of(canary.readers["administrator"], canary.account)
    asked = {}
    for name, arguments in calls(canary.account):
        schema = TOOLS[name].input_schema
        needed = {key: arguments[key] for key in schema.get("required", ())}
        asked[name] = (needed, {**dict.fromkeys(schema["properties"]), **needed})
    assert set(asked) == set(TOOLS)
    for name, (without, nulls) in asked.items():
        assert ask(scope, name, nulls) == ask(scope, name, without), name
        assert isinstance(ask(scope, name, nulls), dict), name
    assert ask(scope, "find_person", {"query": None}).startswith("400 Invalid request. ")
    assert ask(scope, "find_person", {"query": "x", "no_such_argument": None}).startswith("400 Invalid request. ")


def test_campaigns_of_every_status_add_up(canary: Canary) -> None:
    scope = scope_of(canary.readers["administrator"], canary.account)
    Campaign.objects.filter(pk=Campaign.objects.filter(account=canary.account).order_by("pk")[0].pk).update(
        reported_status="Simmering"
    )
    by_status = {
        status: ask(scope, "knowbe4_training_list_campaigns", {"status": status})
        for status in TOOLS["knowbe4_training_list_campaigns"].input_schema["properties"]["status"]["enum"]
    }
    whole = ask(scope, "knowbe4_training_list_campaigns")
    assert set(by_status) == set(CampaignState.values)
    assert sum(told["total"] for told in by_status.values()) == whole["total"]
    (other,) = by_status["other"]["campaigns"]
    assert (other["status"], other["reported_status"]) == ("other", "Simmering")


def test_every_link_opens(canary: Canary) -> None:
    user = canary.readers["administrator"]
    scope = scope_of(user, canary.account)
    links = set()
    for name, arguments in calls(canary.account):
        links |= set(_links(ask(scope, name, arguments)))
    links.add(ask(scope, "knowbe4_training_list_campaigns", {"status": "other"})["about"]["link"])
    client = Client()
    client.force_login(user)
    for link in sorted(links):
        assert link.startswith(settings.PUBLIC_URL)
        assert client.get(link.removeprefix(settings.PUBLIC_URL)).status_code == 200, link


def _links(told: Any) -> Iterator[str]:
    if isinstance(told, dict):
        for name, value in told.items():
            yield from [value] if name == "link" else _links(value)
    elif isinstance(told, list):
        for value in told:
            yield from _links(value)


def test_a_caller_without_a_token_is_sent_to_the_page_that_helps(canary: Canary) -> None:
    told = Client().post("/mcp", "{}", content_type="application/json").json()["error"]["message"]
    (link,) = re.findall(r"https?://\S+[^\s.]", told)
    client = Client()
    client.force_login(canary.readers["department_head"])
    page = client.get(link.removeprefix(settings.PUBLIC_URL))
    assert page.status_code == 200 and "/mcp" in page.content.decode()


def test_a_slash_at_the_end_is_the_same_address(canary: Canary, now: datetime) -> None:
    user = canary.readers["administrator"]
    secret = tokens.create(user, canary.account, "Test", expires_at=now + timedelta(days=1), at=now)[1]
    plain, slashed = post(secret, "tools/list"), post(secret, "tools/list", path="/mcp/")
    assert (slashed.status_code, slashed.content) == (200, plain.content)
    assert Client().post("/mcp/", "{}", content_type="application/json").status_code == 401
    assert reverse("mcp") == "/mcp"


def test_names_that_no_text_of_the_database_holds_are_refused(canary: Canary, now: datetime) -> None:
    user = canary.readers["administrator"]
    secret = tokens.create(user, canary.account, "Test", expires_at=now + timedelta(days=1), at=now)[1]
    # Half a pair of UTF-16 is no JSON to the SDK.
    for name in ("a\0b", "ann@example.test"):
        asked = {"name": "compliance_summary", "arguments": {name: "x"}}
        result = post(secret, "tools/call", asked).json()["result"]
        assert result["content"][0]["text"].startswith("400 Invalid request. "), name
