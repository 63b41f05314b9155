"""Whatever somebody writes into an address or a form: it is understood, or refused, and never shown as markup.

What a page reads of its address is found out by watching it read, so that a new parameter is tried from its first day.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import transaction
from django.http import QueryDict
from django.test import Client

from tests.dashboard.canary import Canary, build
from tests.dashboard.routes import ROUTES, addresses, names
from tests.dashboard.signing_in import sign_in_lately

pytestmark = pytest.mark.slow
SCRIPT = "<script>zqalert(1)</script>"
HOSTILE = (
    "-1", "0", str(2**63), "1" + "0" * 30, "1e9", "NaN", "٣", "", " ", "\0", "a\0b", "'", "' OR 1=1--",
    "1; DROP TABLE sync_person", "../../../etc/passwd", "%2e%2e%2f", "%s%n", "{{7*7}}", "=1+1", "@SUM(1)",
    SCRIPT, '"><img src=x onerror=zqalert(1)>', "\u202etxt", "𝔘" * 40, "x" * 5_000, "2026-13-45",
    "9999-12-31", "0001-01-01", "[]", "null",
)  # fmt: skip
# Tried on every parameter; of the others each parameter gets every sixth, each form every second.
ALWAYS = (SCRIPT, "\0", "1" + "0" * 30, "-1")
SHARES = range(6)
KEY = re.compile(r"\d+|no-such-[a-z]+|(?<=/)(completion_rate|board|people)(?=/$)")
KEYS = ("0", "-1", str(2**31), str(2**63 - 1), str(2**63), "1" + "0" * 30, "٣", "%00", "..%2f..", "x" * 900)
BODIES = (
    (b"\xff\xfe\x00", "application/json"),
    (b"{" * 5_000, "application/json"),
    (b"--x", "multipart/form-data; boundary=x"),
)
REFUSALS = frozenset({200, 204, 302, 303, 400, 401, 403, 404, 405, 409, 422, 429})
NOT_SENT = frozenset({"account_logout", "demo_sign_in"})


@pytest.fixture
def canary(db: None, now: datetime) -> Canary:
    """Return a company to ask about."""
    return build(now)


@pytest.fixture
def problems(settings: Any) -> Iterator[list[str]]:
    """Return a list for what is wrong; the test fails with all of it. Nothing that is sent is too often."""
    settings.RATE_LIMITS = dict.fromkeys(settings.RATE_LIMITS, (1_000_000, 60))
    found: list[str] = []
    yield found
    assert not found, "\n".join(found)


def of_share(share: int, canary: Canary) -> Iterator[tuple[str, str, Client]]:
    """Yield some of the addresses, each with its first key and an administrator's client, who is refused least.

    What the requests did is undone before the next address.
    """
    for name in [name for name in names() if name not in NOT_SENT][share :: len(SHARES)]:
        with transaction.atomic():
            client = Client(raise_request_exception=False)
            sign_in_lately(client, canary.readers["administrator"])
            yield name, next(addresses(name, canary.keys)), client
            transaction.set_rollback(True)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Return what has been read of addresses and forms so far: it grows as pages read."""
    seen: set[str] = set()
    for method in ("get", "getlist", "__getitem__", "__contains__"):
        original = getattr(QueryDict, method)

        def watched(self: QueryDict, key: str, *rest: object, _original: object = original) -> object:
            seen.add(key)
            return _original(self, key, *rest)  # type: ignore[operator]

        monkeypatch.setattr(QueryDict, method, watched)
    return seen


@pytest.mark.parametrize("share", SHARES)
def test_parameters_are_understood_or_refused(canary: Canary, problems: list[str], read: set[str], share: int) -> None:
    for _name, own, client in of_share(share, canary):
        read.clear()
        client.get(own)
        tried: list[str] = []
        while left := read - {*tried, "csrfmiddlewaretoken"}:
            for parameter in sorted(left):
                tried.append(parameter)
                for value in {*ALWAYS, *HOSTILE[len(tried) % 6 :: 6]}:
                    ask(client, f"{own}?{encoded(parameter, value)}", problems)
        ask(client, f"{own}?" + "&".join(encoded(parameter, SCRIPT) for parameter in tried), problems)
        ask(client, f"{own}?" + "&".join(f"department={n}" for n in range(900)), problems)
        ask(client, f"{own}?" + urlencode([("department" + "[d]" * 200, "1")]), problems)


@pytest.mark.parametrize("share", SHARES)
def test_keys_are_understood_or_refused(canary: Canary, problems: list[str], share: int) -> None:
    for name, own, client in of_share(share, canary):
        for value in KEYS if ROUTES[name] else ():
            address = KEY.sub(value, own, count=1)
            judge(f"GET {address[:200]}", client.get(address), problems)
            judge(f"POST {address[:200]}", client.post(address), problems)


@pytest.mark.parametrize("share", SHARES)
def test_forms_are_understood_or_refused(canary: Canary, problems: list[str], read: set[str], share: int) -> None:
    for place, (_name, own, client) in enumerate(of_share(share, canary)):
        read.clear()
        client.post(own, {})
        fields = sorted(read - {"csrfmiddlewaretoken"}) or ["x"]
        for value in {*ALWAYS, *HOSTILE[place % 2 :: 2]}:
            judge(f"POST {own} {value[:40]!r}", client.post(own, dict.fromkeys(fields, value)), problems)
        for body, kind in BODIES:
            judge(f"POST {own} {body[:9]!r}", client.post(own, body, content_type=kind), problems)


def ask(client: Client, address: str, problems: list[str]) -> None:
    judge(f"GET {address[:300]}", client.get(address), problems)


def encoded(parameter: str, value: str) -> str:
    """Return a parameter as it stands in an address."""
    return urlencode([(parameter, value)])


def judge(what: str, response: Any, problems: list[str]) -> None:
    """Note what is wrong with an answer."""
    if response.status_code not in REFUSALS:
        problems.append(f"{response.status_code}: {what}")
    text = "".join(parts(response))
    if "<script>zqalert" in text or "<img src=x" in text:
        problems.append(f"shown as markup: {what}")


def parts(response: Any) -> Iterator[str]:
    """Return the text of a page; files are not markup."""
    kind = response.get("Content-Type", "")
    if kind.startswith("text/html"):
        yield response.content.decode("utf-8", errors="replace")
