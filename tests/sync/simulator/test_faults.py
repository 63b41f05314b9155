"""Each fault's effect on the wire."""

import json
from datetime import datetime

import pytest
import requests

from sync.simulator import FAULTS, Fault, UnknownFaultError

from .conftest import every_page

STATUSES = {
    "rate-limited": 429,
    "rate-limited-retry-after": 429,
    "burst-limit": 429,
    "daily-limit": 429,
    "server-error": 500,
    "unavailable": 503,
}
MIDWAY = {"unauthorized-midway": 401, "forbidden-midway": 403, "not-found-midway": 404}
SHOWN = set(STATUSES) | set(MIDWAY)


@pytest.fixture
def spoiled(simulator, ask):
    """Return a function that switches a fault on and returns how to ask."""

    def switch(text):
        simulator.fault(text)
        return ask

    return switch


@pytest.mark.parametrize(("name", "status"), STATUSES.items())
def test_status_faults(spoiled, name, status):
    answer = spoiled(name)("users")
    assert answer.status == status
    assert answer.headers.get("Retry-After") == ("2" if name == "rate-limited-retry-after" else None)


@pytest.mark.parametrize(("name", "status"), MIDWAY.items())
def test_midway_faults_come_with_the_third_request(spoiled, name, status):
    ask = spoiled(f"{name}:resource=enrollments")
    assert [ask("training/enrollments").status for _ in range(3)] == [200, 200, status]
    assert ask("users").status == 200


def test_options_limit_a_fault(spoiled):
    ask = spoiled("server-error:after=1:times=2")
    assert [ask("users").status for _ in range(4)] == [200, 500, 500, 200]


def test_a_fault_can_be_switched_off(simulator, spoiled):
    ask = spoiled("unavailable")
    assert ask("account").status == 503
    simulator.faults.clear()
    assert ask("account").status == 200


def test_daily_limit_stays_on_everything(spoiled):
    ask = spoiled("daily-limit:resource=users")
    assert ask("account").status == 200
    assert ask("users").status == 429
    assert ask("account").status == 429


def test_burst_limit_passes(spoiled):
    ask = spoiled("burst-limit:seconds=0")
    assert ask("users").status == 429
    assert ask("users").status == 200


def test_slow_connect_never_answers(simulator, session):
    simulator.fault("slow-connect:seconds=30")
    with pytest.raises(requests.Timeout):
        session.get(f"{simulator.url}/v1/account", timeout=0.3)


def test_slow_connect_hangs_up_in_the_end(simulator, session):
    simulator.fault("slow-connect:seconds=0.1")
    with pytest.raises(requests.ConnectionError):
        session.get(f"{simulator.url}/v1/account", timeout=5)
    assert simulator.requests[-1].status == 0


def test_cut_body(simulator, session):
    simulator.fault("cut-body:times=1")
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        session.get(f"{simulator.url}/v1/users", timeout=5)
    assert session.get(f"{simulator.url}/v1/users", timeout=5).status_code == 200


def test_truncated_json(spoiled):
    answer = spoiled("truncated-json")("users")
    assert answer.status == 200
    with pytest.raises(json.JSONDecodeError):
        answer.json()


def test_html(spoiled):
    answer = spoiled("html")("users")
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.body.startswith(b"<!DOCTYPE html>")


def test_message_200(spoiled):
    answer = spoiled("message-200")("users")
    assert (answer.status, answer.json()) == (200, {"message": "Invalid Token"})


def test_empty_list(spoiled):
    ask = spoiled("empty-list")
    assert ask("users").json() == []
    assert ask("users", cursor="true").json()["data"] == []


def test_early_end(spoiled):
    ask = spoiled("early-end")
    answer = ask("users", cursor="true", per_page=5).json()
    assert len(answer["data"]) == 5
    assert answer["pagination"]["next_cursor"] is None
    assert ask("users", page=2, per_page=5).json() == []


def test_repeated_cursor(spoiled):
    ask = spoiled("repeated-cursor")
    cursor = ask("users", cursor="true", per_page=5).json()["pagination"]["next_cursor"]
    assert ask("users", cursor=cursor, per_page=5).json()["pagination"]["next_cursor"] == cursor


def test_page_ignored(spoiled):
    ask = spoiled("page-ignored")
    assert ask("users", page=1, per_page=5).json() == ask("users", page=3, per_page=5).json()


def test_rows_moving(ask, simulator):
    whole = [row["id"] for row in ask("users", per_page=40).json()]
    simulator.fault("rows-moving")
    moved = [row["id"] for page in range(1, 5) for row in ask("users", per_page=10, page=page).json()]
    assert len(set(moved)) < len(moved) == len(whole)
    assert set(whole) - set(moved)


@pytest.mark.parametrize(
    "flags",
    [{}, {"include_campaign_id": "true", "include_store_purchase_id": "true", "include_employee_number": "true"}],
)
def test_duplicate_ids(spoiled, flags):
    rows = spoiled("duplicate-ids")("training/enrollments", per_page=5, **flags).json()
    assert rows[0] == rows[1] != rows[2]


def test_null_user(spoiled):
    rows = spoiled("null-user")("training/enrollments", per_page=3).json()
    assert rows[0]["user"] is None
    assert rows[1]["user"] is not None


@pytest.mark.parametrize("path", ["training/enrollments", "users", "training/campaigns", "phishing/security_tests"])
def test_unknown_status(spoiled, path):
    rows = spoiled("unknown-status")(path).json()
    assert rows[0]["status"] == "Exempted" != rows[1]["status"]


def test_unknown_field(spoiled):
    ask = spoiled("unknown-field")
    assert all("quantum_score" in row for row in ask("users").json())
    assert "quantum_score" in ask("account").json()


def test_unknown_type(spoiled):
    ask = spoiled("unknown-type")
    assert ask("training/store_purchases").json()[0]["type"] == "Hologram"
    assert ask("training/enrollments").json()[0]["content_type"] == "Hologram"
    assert ask("training/campaigns").json()[0]["duration_type"] == "Hologram"


@pytest.mark.parametrize(("name", "bits"), [("int33", 33), ("int65", 65)])
def test_large_ids(spoiled, name, bits):
    row = spoiled(name)("training/enrollments", include_campaign_id="true").json()[0]
    assert min(row["enrollment_id"], row["campaign_id"], row["user"]["id"]) > 1 << bits


def test_dates_both_forms(spoiled):
    ask = spoiled("dates-both-forms")
    rows = ask("training/enrollments").json()
    assert len(rows[1]["enrollment_date"]) == 10
    assert len(rows[2]["enrollment_date"]) == 24
    history = ask("account/risk_score_history").json()
    assert history[1]["date"].endswith("T00:00:00.000Z")
    assert len(history[0]["date"]) == 10


def test_impossible_date(spoiled):
    row = spoiled("impossible-date")("training/enrollments").json()[0]
    with pytest.raises(ValueError, match="day"):
        datetime.fromisoformat(row["enrollment_date"])


def test_percentage_minus_one(spoiled):
    assert {row["completion_percentage"] for row in spoiled("percentage-minus-one")("training/campaigns").json()} == {
        -1
    }


def test_nested_content(spoiled):
    ask = spoiled("nested-content")
    row = ask("training/campaigns").json()[0]
    assert isinstance(row["content"][0], list)
    assert isinstance(ask(f"training/campaigns/{row['campaign_id']}").json()["content"][0], list)


def test_campaign_gone(spoiled):
    ask = spoiled("campaign-gone")
    listed = [row["campaign_id"] for row in every_page(ask, "training/campaigns", exclude_percentages="true")]
    gone = [number for number in listed if ask(f"training/campaigns/{number}").status == 404]
    assert len(gone) == 1
    assert ask("training/enrollments", campaign_id=gone[0]).status == 404
    rows = every_page(ask, "training/enrollments", include_campaign_id="true", per_page=500)
    assert gone[0] not in {row["campaign_id"] for row in rows}


def test_undecodable_rows(spoiled):
    rows = spoiled("undecodable-rows:share=0.3")("training/enrollments", per_page=500).json()
    bad = [row for row in rows if row["enrollment_id"] == "not a number"]
    assert 0.2 < len(bad) / len(rows) < 0.4


def test_shrink(spoiled):
    ask = spoiled("shrink:rows=4")
    assert len(ask("users").json()) == 4
    assert ask("users", page=2).json() == []
    assert ask("users", cursor="true").json()["pagination"]["next_cursor"] is None


def test_every_fault_is_described():
    assert all(FAULTS.values())


@pytest.mark.parametrize(
    "text", ["nonsense", "server-error:colour=red", "server-error:times=often", "server-error:resource=moon"]
)
def test_unknown_faults_and_options_are_named(text):
    with pytest.raises(UnknownFaultError, match=r"no fault|no option|needs a number|no resource"):
        Fault.parse(text)
