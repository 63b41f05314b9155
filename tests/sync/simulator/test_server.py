"""The API as it is served: the truth on the wire, the wire's form, every path."""

import json
import socket
from datetime import UTC, datetime, timedelta

import pytest
import requests

from sync.simulator import serve
from sync.simulator.timestamps import wire_time

from .conftest import every_page

FULL = {
    "include_campaign_id": "true",
    "include_store_purchase_id": "true",
    "include_employee_number": "true",
    "per_page": 500,
}


def expected_row(company, facts, at):
    person = company.person(facts.person_id, at)
    campaign = next(c for c in company.campaigns(at, percentages=False) if c.campaign_id == facts.campaign_id)
    policy = facts.content_kind == "Policy"
    return {
        "enrollment_id": facts.enrollment_id,
        "content_type": "Uploaded Policy" if policy else "Store Purchase",
        "module_name": facts.module_name,
        "user": {
            "id": person.person_id,
            "first_name": person.first_name,
            "last_name": person.last_name,
            "email": person.email,
            "employee_number": person.employee_number,
        },
        "campaign_name": campaign.name,
        "campaign_id": facts.campaign_id,
        "store_purchase_id": None if policy else facts.content_id,
        "enrollment_date": wire_time(facts.enrolled_at),
        "start_date": wire_time(facts.started_at),
        "completion_date": wire_time(facts.completed_at),
        "status": facts.status,
        "time_spent": facts.time_spent,
        "policy_acknowledged": facts.policy_acknowledged,
    }


def test_enrollments_on_the_wire_are_the_truth_at_any_time(company, now, simulator, ask):
    offsets = (-700, -400, -90, 0, 3, 21, 60, -200)  # forward as time goes, and back: what is kept must not show
    for days in offsets:
        at = now + timedelta(days=days, hours=days % 7)
        simulator.clock.set(at)
        rows = every_page(ask, "training/enrollments", **FULL)
        truth = list(company.enrollments(at))
        assert len(rows) == len(truth) == company.enrollment_count(at)
        people = {person.person_id: person for person in company.people(at)}
        for row, facts in zip(rows, truth, strict=True):
            assert row["enrollment_id"] == facts.enrollment_id
            assert row["user"]["email"] == people[facts.person_id].email
            found = (
                row["start_date"],
                row["completion_date"],
                row["status"],
                row["time_spent"],
                row["policy_acknowledged"],
            )
            assert found == (
                wire_time(facts.started_at), wire_time(facts.completed_at), facts.status, facts.time_spent,
                facts.policy_acknowledged,
            )  # fmt: skip
        for row, facts in list(zip(rows, truth, strict=True))[::211]:
            assert row == expected_row(company, facts, at)
            assert list(row) == list(expected_row(company, facts, at)), "in KnowBe4's order"


def test_the_short_and_the_general_way_write_the_same(company, now, simulator, ask):
    by_page = []
    page = 1
    while batch := ask("training/enrollments", page=page, **(FULL | {"include_employee_number": "false"})).json():
        by_page += batch
        page += 1
    by_cursor = every_page(ask, "training/enrollments", **FULL)
    for row in by_cursor:
        del row["user"]["employee_number"]
    assert by_page == by_cursor


def test_body_is_written_as_rails_writes_it(ask):
    body = ask("training/campaigns", per_page=500, exclude_percentages="true").body
    assert b"\\u0026" in body
    assert b"&" not in body
    assert b'": ' not in body
    assert b", " not in body.replace(b"H1 ", b"").split(b'"name"')[0]
    row = json.loads(body)[0]
    assert row["start_date"].endswith(".000Z")
    assert ask("training/enrollments", per_page=500).body.decode()  # UTF-8
    tests = ask("phishing/security_tests", per_page=500)
    assert b'"phish_prone_percentage":0.0' in tests.body


def test_headers_are_those_seen_live(ask):
    headers = ask("account").headers
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert headers["Cache-Control"] == "no-cache, no-store"
    assert headers["Transfer-Encoding"] == "chunked"
    assert len(headers["ETag"]) == len('W/""') + 32
    assert not {"Link", "Total", "Per-Page", "Retry-After", "X-RateLimit-Limit"} & set(headers)


def test_account_and_trial_account(company, now, session, ask):
    assert list(ask("account").json()) == [
        "name", "type", "domains", "admins", "subscription_level", "subscription_end_date", "number_of_seats",
        "current_risk_score",
    ]  # fmt: skip
    with serve(company, at=now, trial=True) as running:
        trial = session.get(f"{running.url}/v1/account", timeout=5).json()
    assert trial["type"] == "trial"
    assert not {"subscription_level", "subscription_end_date", "number_of_seats"} & trial.keys()


FIELDS = {
    "users": "id employee_number first_name last_name job_title email phish_prone_percentage phone_number "
    "extension mobile_phone_number location division manager_name manager_email provisioning_managed "
    "provisioning_guid groups current_risk_score aliases joined_on last_sign_in status organization "
    "department language comment employee_start_date archived_at custom_field_1 custom_field_2 "
    "custom_field_3 custom_field_4 custom_date_1 custom_date_2",
    "groups": "id name group_type provisioning_guid member_count current_risk_score status",
    "phishing/campaigns": "campaign_id name groups last_phish_prone_percentage last_run status hidden send_duration "
    "track_duration frequency difficulty_filter create_date psts_count psts",
    "phishing/security_tests": "campaign_id pst_id status name groups phish_prone_percentage started_at duration "
    "categories template landing_page scheduled_count delivered_count opened_count clicked_count replied_count "
    "attachment_open_count macro_enabled_count data_entered_count qr_code_scanned_count reported_count "
    "bounced_count",
    "training/store_purchases": "store_purchase_id content_type name description type duration retired retirement_date "
    "publish_date publisher purchase_date policy_url",
    "training/policies": "policy_id content_type name minimum_time default_language status",
    "training/campaigns": "campaign_id name groups status content duration_type start_date end_date relative_duration "
    "auto_enroll allow_multiple_enrollments completion_percentage",
    "training/enrollments": "enrollment_id content_type module_name user campaign_name enrollment_date start_date "
    "completion_date status time_spent policy_acknowledged",
    "account/risk_score_history": "risk_score date",
}


@pytest.mark.parametrize("path", FIELDS)
def test_fields_of_a_list(ask, path):
    rows = ask(path).json()
    assert all(" ".join(row) == FIELDS[path] for row in rows)


def test_single_things(company, now, ask):
    user = ask("users", per_page=1).json()[0]
    assert ask(f"users/{user['id']}").json() == user
    group = ask("groups").json()[0]
    assert ask(f"groups/{group['id']}").json() == group
    assert len(ask(f"groups/{group['id']}/members", per_page=500).json()) == group["member_count"]
    campaign = ask("training/campaigns").json()[0]
    assert ask(f"training/campaigns/{campaign['campaign_id']}").json() == campaign
    bought = ask("training/store_purchases").json()[3]
    assert ask(f"training/store_purchases/{bought['store_purchase_id']}").json() == bought
    policy = ask("training/policies").json()[0]
    assert ask(f"training/policies/{policy['policy_id']}").json() == policy
    row = ask("training/enrollments", per_page=1).json()[0]
    assert ask(f"training/enrollments/{row['enrollment_id']}").json() == row
    flagged = ask(f"training/enrollments/{row['enrollment_id']}", include_campaign_id="true").json()
    assert flagged["campaign_id"] == company.enrollment(row["enrollment_id"], now).campaign_id


def test_single_phishing_things_are_arrays_of_one(ask):
    campaign = ask("phishing/campaigns").json()[0]
    assert ask(f"phishing/campaigns/{campaign['campaign_id']}").json() == [campaign]
    tests = ask(f"phishing/campaigns/{campaign['campaign_id']}/security_tests").json()
    assert [test["pst_id"] for test in tests] == [entry["pst_id"] for entry in campaign["psts"]]
    path = f"phishing/security_tests/{tests[0]['pst_id']}"
    assert ask(path).json() == [tests[0]]
    recipient = ask(f"{path}/recipients", per_page=1).json()[0]
    assert ask(f"{path}/recipients/{recipient['recipient_id']}").json() == [recipient]
    assert "qr_code_scanned" in recipient
    assert ask(f"{path}/recipients/1").status == 404


def test_callback_tests_are_apart(ask):
    plain = {test["pst_id"] for test in ask("phishing/security_tests", per_page=500).json()}
    callback = ask("phishing/security_tests", campaign_type="callback", per_page=500).json()
    assert callback
    assert not plain & {test["pst_id"] for test in callback}
    path = f"phishing/security_tests/{callback[0]['pst_id']}"
    assert ask(path).status == 404
    assert ask(path, campaign_type="callback").status == 200


def test_a_failed_test_has_nulls(ask):
    broken = [test for test in ask("phishing/security_tests", per_page=500).json() if test["status"] == "Error"]
    assert broken
    assert all(test["scheduled_count"] is None and test["template"]["id"] is None for test in broken)


def test_users_by_status_group_and_expanded(company, now, ask):
    active = every_page(ask, "users", status="active")
    archived = every_page(ask, "users", status="archived")
    assert len(active) + len(archived) == len(company.people(now)) == len(every_page(ask, "users"))
    assert {user["status"] for user in archived} == {"archived"}
    group = ask("groups", status="active").json()[0]
    assert len(every_page(ask, "users", group_id=group["id"])) == group["member_count"]
    expanded = ask("users", expand="group", per_page=1).json()[0]
    assert [entry["id"] for entry in expanded["groups"]] == ask("users", per_page=1).json()[0]["groups"]
    assert [group["status"] for group in ask("groups", status="archived").json()] == ["archived"]


def test_enrollment_filters(company, now, ask):
    truth = list(company.enrollments(now))
    people = {person.person_id: person for person in company.people(now)}
    campaign = truth[len(truth) // 2].campaign_id
    by_campaign = every_page(ask, "training/enrollments", campaign_id=campaign, include_campaign_id="true")
    assert [row["enrollment_id"] for row in by_campaign] == [
        f.enrollment_id for f in truth if f.campaign_id == campaign
    ]
    person = truth[10].person_id
    by_user = every_page(ask, "training/enrollments", user_id=person)
    assert [row["enrollment_id"] for row in by_user] == [f.enrollment_id for f in truth if f.person_id == person]
    bought = next(f.content_id for f in truth if f.content_kind == "Video")
    by_purchase = every_page(ask, "training/enrollments", store_purchase_id=bought, per_page=500)
    wanted = [f.enrollment_id for f in truth if f.content_id == bought and f.content_kind != "Policy"]
    assert [row["enrollment_id"] for row in by_purchase] == wanted
    active = every_page(ask, "training/enrollments", exclude_archived_users="true", per_page=500)
    wanted = [f.enrollment_id for f in truth if people[f.person_id].status == "active"]
    assert [row["enrollment_id"] for row in active] == wanted
    assert ask("training/enrollments", campaign_id=1).json() == []


def test_score_comes_only_with_the_campaign_filter(company, now, ask):
    scored = next(facts for facts in company.enrollments(now) if facts.score is not None)
    rows = ask("training/enrollments", campaign_id=scored.campaign_id, per_page=500).json()
    assert next(row for row in rows if row["enrollment_id"] == scored.enrollment_id)["score"] == scored.score
    assert "score" not in ask("training/enrollments", user_id=scored.person_id).json()[0]


def test_percentages_and_the_cap_of_ten(ask):
    capped = ask("training/campaigns", per_page=500).json()
    assert len(capped) == 10
    assert all(isinstance(campaign["completion_percentage"], int) for campaign in capped)
    assert len(ask("training/campaigns", per_page=500, exclude_percentages="True").json()) == 10
    full = ask("training/campaigns", per_page=500, exclude_percentages="true").json()
    assert len(full) > 60
    assert all("completion_percentage" not in campaign for campaign in full)
    second = ask("training/campaigns", per_page=500, page=2).json()
    assert [campaign["campaign_id"] for campaign in second] == [campaign["campaign_id"] for campaign in full[10:20]]


def test_a_policy_in_a_campaign_has_published_instead_of_status(ask):
    campaigns = ask("training/campaigns", per_page=500, exclude_percentages="true").json()
    policies = [
        item for campaign in campaigns for item in campaign["content"] if item["content_type"] == "Uploaded Policy"
    ]
    assert policies
    assert all(item["published"] is True and "status" not in item for item in policies)
    assert ask("training/policies").json()[0]["status"] == 1


def test_risk_histories(company, now, ask):
    short = every_page(ask, "account/risk_score_history", per_page=500)
    full = every_page(ask, "account/risk_score_history", per_page=500, full="true")
    assert len(short) == 184
    assert full[: len(short)] == short
    assert len(full) == 1000
    user = ask("users", per_page=1).json()[0]["id"]
    assert len(ask(f"users/{user}/risk_score_history", full="true", per_page=5, cursor="true").json()) == 1000
    group = ask("groups").json()[0]["id"]
    assert len(ask(f"groups/{group}/risk_score_history", per_page=5).json()) == 5


@pytest.mark.parametrize(
    "path",
    "nothing users/1 users/abc groups/0 groups/1/members training/campaigns/1 training/enrollments/1 "
    "training/policies/9 "
    "training/store_purchases/9 phishing/campaigns/1 phishing/security_tests/1/recipients risk_score_history".split(),
)
def test_unknown_things_are_404(ask, path):
    answer = ask(path)
    assert answer.status == 404
    assert answer.json() == {"message": "Not Found"}


@pytest.mark.parametrize("header", ["Bearer wrong", "Bearer: simulator-key", "simulator-key", None])
def test_another_token_is_401(simulator, header):
    headers = {"Authorization": header} if header else {}
    answer = requests.get(f"{simulator.url}/v1/account", headers=headers, timeout=5)
    assert answer.status_code == 401
    assert answer.json() == {"message": "Invalid Token"}


def test_only_get_and_only_json(simulator, session, ask):
    assert session.post(f"{simulator.url}/v1/users", data=b"x" * 100_000, timeout=5).status_code == 405
    assert ask("account").status == 200, "the connection survives the body"
    assert ask("account", headers={"Accept": "text/csv"}).status == 406
    assert ask("account", headers={"Accept": "application/json"}).status == 200


def test_texts_of_errors_can_be_set(company, now, session):
    with serve(company, at=now, messages={404: "Gone fishing"}) as running:
        assert session.get(f"{running.url}/v1/nothing", timeout=5).json() == {"message": "Gone fishing"}


def test_requests_are_logged(simulator, ask):
    ask("users", status="active")
    ask("nothing")
    first, second = simulator.requests
    assert first == ("GET", "/v1/users", {"status": "active"}, 200)
    assert second.status == 404


def test_before_the_founding_lists_are_empty(simulator, ask):
    simulator.clock.set(datetime(2023, 1, 1, tzinfo=UTC))
    assert ask("account").status == 200
    for path in FIELDS:
        assert ask(path, cursor="true").json()["data"] == []


def test_the_clock_runs_when_told_to(company, now):
    with serve(company, at=now, speed=1_000_000.0) as running:
        first = running.clock.now()
        running.clock.advance(timedelta(days=1))
        assert running.clock.now() >= first + timedelta(days=1)
    with serve(company, at=now) as running:
        assert running.clock.now() == running.clock.now() == now


def test_a_nonsense_request_is_refused_and_hung_up_on(simulator):
    with socket.create_connection(("127.0.0.1", simulator.port), timeout=5) as raw:
        raw.sendall(b"HELLO\r\n\r\n")
        assert raw.recv(1_000).startswith(b"HTTP/1.1 400")
        assert raw.recv(1_000) == b""


def test_two_requests_in_one_packet_get_two_answers(simulator):
    line = b"GET /v1/account HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer simulator-key\r\n"
    with socket.create_connection(("127.0.0.1", simulator.port), timeout=5) as raw:
        raw.sendall(line + b"\r\n" + line + b"Connection: close\r\n\r\n")
        received = b""
        while chunk := raw.recv(65_536):
            received += chunk
    assert received.count(b"HTTP/1.1 200 OK") == 2


def test_stopping_frees_the_port_and_wakes_who_waits(company, now):
    running = serve(company, at=now, faults=["slow-connect:seconds=30"])
    with socket.create_connection(("127.0.0.1", running.port), timeout=5) as raw:
        raw.sendall(b"GET /v1/account HTTP/1.1\r\nAuthorization: Bearer simulator-key\r\n\r\n")
        running.stop()
        running.stop()
    with serve(company, port=running.port, at=now) as again:
        assert again.port == running.port
        with pytest.raises(OSError, match="in use"):
            serve(company, port=again.port)
