"""Whatever a program sends with a token that holds: it is understood, or refused as a problem that says why."""

import base64
from typing import Any

import pytest
from django.core import signing

from dashboard.api.description import description, operations
from dashboard.models import User
from sync.models import Account
from tests import factories
from tests.dashboard.api.conftest import Program, token_for
from tests.dashboard.test_hostile_input import HOSTILE

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture
def api(company: Account, alice: User, settings: Any) -> Program:
    """Return Alice's program, which may ask as often as it likes."""
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"api": (1_000_000, 60)}
    return Program(token_for(alice, company))


def judge(response: Any, what: object) -> None:
    """Fail unless the answer is one, or a problem."""
    assert response.status_code in {200, 400, 404}, (what, response.status_code, response.content[:300])
    if response.status_code >= 400:
        told = response.json()
        assert response["Content-Type"] == "application/problem+json"
        assert told["status"] == response.status_code and told["detail"] and told["title"]


@pytest.mark.parametrize("path", [path.removeprefix("/api/v1") for path in description()["paths"]])
def test_parameters_are_understood_or_refused(api: Program, path: str) -> None:
    address = path.replace("{campaign_id}", "1").replace("{enrollment_id}", "1").replace("{person_id}", "1")
    operation = description()["paths"][f"/api/v1{path}"]["get"]
    names = [one["name"] for one in operation["parameters"] if one["in"] == "query"]
    for number, name in enumerate([*names, "no_such_parameter"]):
        for value in {*HOSTILE[number % 3 :: 3], "\0", "1" + "0" * 30}:
            judge(api.get(address, **{name: value}), (name, value))
    judge(api.get(address, **dict.fromkeys(names, "x" * 5_000)), "long")
    assert api.get(address, no_such_parameter="1").status_code == 400


@pytest.mark.parametrize("key", ["-1", str(2**63), "1" + "0" * 40, "٣", "x", "%00", "..%2f.."])
def test_keys_are_understood_or_refused(api: Program, key: str) -> None:
    for noun in ("campaigns", "enrollments", "people"):
        response = api.get(f"/{noun}/{key}")
        assert response.status_code == 404 and response["Content-Type"] == "application/problem+json"


def test_cursors_are_good_for_their_question_alone(api: Program) -> None:
    cursor = api.get("/people", limit=2).json()["next_cursor"]
    assert api.get("/people", limit=7, cursor=cursor).status_code == 200
    for path, query in (("/people", {"status": "any"}), ("/enrollments", {}), ("/people", {"fields": "email"})):
        refused = api.get(path, cursor=cursor, **query)
        assert refused.status_code == 400 and refused.json()["errors"][0]["parameter"] == "cursor"
    forged = [
        cursor[:-1] + ("A" if cursor[-1] != "A" else "B"),
        cursor.split(":")[0],
        base64.urlsafe_b64encode(b'[0,"2026-01-01T00:00:00+00:00","x"]').decode(),
        signing.dumps([1, "2026-01-01", "x"], salt="another"),
        signing.dumps({"a": 1}, salt="dashboard.api.cursor"),
        "a:b:c", "::", "%", "\ud7ff", "0",
    ]  # fmt: skip
    for text in forged:
        judge(api.get("/people", cursor=text), text)
        assert api.get("/people", cursor=text).status_code == 400, text


def test_another_accounts_cursor_is_refused(api: Program, alice: User) -> None:
    other = factories.AccountFactory(name="Aardvark Assurance")
    factories.MembershipFactory(user=alice, account=other)
    cursor = api.get("/people", limit=2).json()["next_cursor"]
    assert Program(token_for(alice, other)).get("/people", cursor=cursor).status_code == 400


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nothing_can_be_sent(api: Program, method: str) -> None:
    for path in ("/people", "/metrics", "/people/1"):
        response = getattr(api.client, method)(f"/api/v1{path}", b"{}", "application/json", headers=api.headers)
        assert response.status_code == 405 and "GET" in response["Allow"]


def test_moments_are_of_the_past(api: Program) -> None:
    for text in ("2999-01-01", "1999-12-31", "2026-02-30", "0001-01-01T00:00+14:00", "9999-12-31T23:59-14:00", "soon"):
        assert api.get("/people", as_of=text).status_code == 400, text
    for text in ("2026-01-31", "2026-01-31T12:00", "2026-01-31T12:00+02:00", "2026-01-31T12:00Z"):
        assert api.get("/people", as_of=text, limit=1).status_code == 200, text


def test_every_operation_is_named_once() -> None:
    names = [operation["operationId"] for operation in operations(description())]
    assert len(names) == len(set(names)) == 15
