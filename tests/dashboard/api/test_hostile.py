"""Whatever a program sends with a token that holds: it is understood, or refused as a problem that says why."""

import base64
import re
from typing import Any

import pytest
from django.core import signing

from dashboard.api.description import description, operations
from tests import factories
from tests.dashboard.api.conftest import Program, token_for
from tests.dashboard.canary import Canary
from tests.dashboard.test_hostile_input import HOSTILE

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


IDS = re.compile(r"\{\w+\}")


@pytest.fixture
def canary(marked_companies: Canary, db: None, settings: Any) -> Canary:
    """Return a company to ask about; nothing is asked too often."""
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"api": (1_000_000, 60)}
    return marked_companies


@pytest.fixture
def api(canary: Canary) -> Program:
    """Return an administrator's program."""
    return Program(token_for(canary.readers["administrator"], canary.account))


def judge(response: Any, what: object) -> None:
    """Fail unless the answer is one, or a problem."""
    assert response.status_code in {200, 400, 404, 414}, (what, response.status_code, response.content[:300])
    if response.status_code >= 400:
        told = response.json()
        assert response["Content-Type"] == "application/problem+json"
        assert told["status"] == response.status_code and told["detail"] and told["title"]


@pytest.mark.parametrize("share", range(3))
def test_parameters_are_understood_or_refused(api: Program, share: int) -> None:
    for path, operation in [*description()["paths"].items()][share::3]:
        address = IDS.sub("1", path.removeprefix("/api/v1"))
        names = [one["name"] for one in operation["get"]["parameters"] if one["in"] == "query"]
        for number, name in enumerate([*names, "no_such_parameter"]):
            for value in {*HOSTILE[number % 5 :: 5], "\0", "1" + "0" * 30}:
                judge(api.get(address, **{name: value}), (path, name, value))
        judge(api.get(address, **dict.fromkeys(names, "x" * 5_000)), (path, "long"))
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


def test_another_accounts_cursor_is_refused(api: Program, canary: Canary) -> None:
    reader = canary.readers["administrator"]
    other = factories.AccountFactory(name="Aardvark Assurance")
    factories.MembershipFactory(user=reader, account=other)
    cursor = api.get("/people", limit=2).json()["next_cursor"]
    assert Program(token_for(reader, other)).get("/people", cursor=cursor).status_code == 400


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


def test_names_of_parameters_are_understood_or_refused(api: Program) -> None:
    for name in (*HOSTILE, "a\0b", "ann@example.test", "x" * 300):
        judge(api.get("/people", **{name: "1"}), name)
        judge(api.get("/sync", **{name: "1"}), name)
