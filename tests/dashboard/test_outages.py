"""While Postgres cannot answer, for whatever reason, every address says 503 and when to try again; never 500."""

import json
import logging
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse

from dashboard.access import Scope
from dashboard.mcp.answering import answer
from dashboard.mcp.reading import Reader
from dashboard.models import User
from dashboard.web.outages import FOR_ASSISTANTS, RETRY_AFTER, InShort
from sync.models import Account
from tests.dashboard.api.conftest import token_for
from tests.dashboard.signing_in import sign_in_lately

# How Postgres is made not to answer: by settings of the connection, each a real refusal of the real server.
REFUSALS: dict[str, dict[str, Any]] = {
    "away": {"HOST": "/nowhere"},
    "no such role": {"USER": "nobody_at_all"},
    "no such database": {"NAME": "nothing_at_all"},
}
READ_ONLY: dict[str, Any] = {"OPTIONS": {"options": "-c default_transaction_read_only=on"}}


@pytest.fixture
def refuse(transactional_db: None) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Return a way to have Postgres refuse, from the next question on."""
    before = connection.settings_dict

    def refuse_as(changed: dict[str, Any]) -> None:
        connection.close()
        connection.settings_dict = {**before, **changed}

    yield refuse_as
    connection.close()
    connection.settings_dict = before


@pytest.fixture
def reader(transactional_db: None, ines: User) -> Client:
    return sign_in_lately(Client(raise_request_exception=False), ines)


def _assert_told(response: Any) -> str:
    assert response.status_code == 503
    assert response["Retry-After"] == str(RETRY_AFTER)
    return response.content.decode()


@pytest.mark.parametrize("refusal", REFUSALS)
def test_every_door_says_when_to_try_again(
    refusal: str, reader: Client, ines: User, account: Account, refuse: Callable[[dict[str, Any]], None]
) -> None:
    secret = {"Authorization": f"Bearer {token_for(ines, account)}"}
    refuse(REFUSALS[refusal])
    for name in ("overview", "people", "sync"):
        text = _assert_told(reader.get(reverse(name)))
        assert "Rollcall is back in a moment." in text
        assert "Traceback" not in text and account.name not in text
    _assert_told(reader.post(reverse("sync_start")))
    _assert_told(reader.post("/sign-in/", {"login": ines.email, "password": "x"}))
    api = reader.get("/api/v1/campaigns", headers=secret)
    problem = json.loads(_assert_told(api))
    assert (api["Content-Type"], problem["status"]) == ("application/problem+json", 503)
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    mcp = reader.post("/mcp", call, content_type="application/json", headers=secret)
    assert json.loads(_assert_told(mcp))["error"]["message"].startswith("503 Unavailable.")
    refuse({})
    assert reader.get(reverse("overview")).status_code == 200


def test_a_read_only_postgres_shows_pages_and_takes_nothing(
    reader: Client, refuse: Callable[[dict[str, Any]], None]
) -> None:
    refuse(READ_ONLY)
    assert reader.get(reverse("sync")).status_code == 200
    _assert_told(reader.post(reverse("sync_start")))


def test_a_tool_tells_the_assistant(
    account: Account, ines: User, monkeypatch: pytest.MonkeyPatch, now: datetime
) -> None:
    def lost(_name: str) -> None:
        raise OperationalError("the connection is lost")

    monkeypatch.setattr("dashboard.mcp.answering.find", lost)
    reader = Reader(Scope.of(ines, at=now), now)
    assert answer(reader, "list_campaigns", {}, note=lambda _name, _details: None) == FOR_ASSISTANTS


def test_another_error_is_a_fault_of_ours(reader: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object, **_named: object) -> None:
        raise ValueError("ours")

    monkeypatch.setattr("dashboard.pages.sync.recent_runs", fail)
    assert reader.get(reverse("sync")).status_code == 500


def test_the_log_says_an_outage_in_one_line() -> None:
    try:
        raise OperationalError("connection refused\nIs the server running?")
    except OperationalError as error:
        record = logging.LogRecord(
            "django.request", 40, "x", 1, "Internal Server Error: %s", ("/sync/",), (type(error), error, None)
        )
    assert InShort().filter(record)
    assert record.getMessage() == "Internal Server Error: /sync/ (OperationalError: connection refused)"
    assert record.exc_info is None


def test_the_log_says_a_bad_address_in_one_line(reader: Client, caplog: pytest.LogCaptureFixture) -> None:
    assert reader.get(reverse("past_due"), {"as_of": "soon"}).status_code == 400
    (record,) = (record for record in caplog.records if record.name == "django.request")
    assert record.getMessage() == "as_of is not a day like 2026-09-30: /past-due/"
    assert record.exc_info is None
