"""Whatever somebody writes into an address or a form: it is understood, or refused, and never shown as markup.

What a page reads of its address is found out by watching it read, so that a new parameter is tried from its first day.
A function that reads a parameter meets many values on the first address that calls it; on the others, where what it
returns is used for something else, one more each, in turn, and two in all parameters at once. The soak lane sends
every value in every parameter of every address.
"""

import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from itertools import cycle
from typing import Any
from urllib.parse import unquote, urlencode

import pytest
from django.core.exceptions import BadRequest
from django.db import transaction
from django.http import QueryDict
from django.test import Client, RequestFactory
from django.urls import Resolver404, resolve

from dashboard.access import Scope
from dashboard.requests import filters
from tests.dashboard.canary import Canary
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
# Whatever reads a parameter or a field gets these, and every twelfth of the others.
ALWAYS = (SCRIPT, "\0", "1" + "0" * 30, "-1")
SHARES = range(2)
# Of the soak lane, which ends when its time is up: at most a minute each.
SMALL_SHARES = range(16)
KEY = re.compile(r"\d+|no-such-[a-z]+|(?<=/)(completion_rate|board|people)(?=/$)")
KEYS = ("0", "-1", str(2**31), str(2**63 - 1), str(2**63), "1" + "0" * 30, "٣", "%00", "..%2f..", "x" * 900)
BODIES = (
    (b"\xff\xfe\x00", "application/json"),
    (b"{" * 5_000, "application/json"),
    (b"--x", "multipart/form-data; boundary=x"),
)
REFUSALS = frozenset({200, 204, 301, 302, 303, 400, 401, 403, 404, 405, 409, 422, 429})
NOT_SENT = frozenset({"account_logout", "demo_sign_in"})


@pytest.fixture
def canary(marked_companies: Canary, db: None) -> Canary:
    """Return the two marked companies to ask about."""
    return marked_companies


@pytest.fixture
def problems(settings: Any) -> Iterator[list[str]]:
    """Return a list for what is wrong; the test fails with all of it. Nothing that is sent is too often."""
    settings.RATE_LIMITS = dict.fromkeys(settings.RATE_LIMITS, (1_000_000, 60))
    found: list[str] = []
    yield found
    assert not found, "\n".join(found)


def of_share(share: int, canary: Canary, *, of: range = SHARES) -> Iterator[tuple[str, str, Client]]:
    """Yield some of the addresses, each with its first key and an administrator's client, who is refused least.

    What the requests did is undone before the next address.
    """
    for name in [name for name in names() if name not in NOT_SENT][share :: len(of)]:
        with transaction.atomic():
            client = Client(raise_request_exception=False)
            sign_in_lately(client, canary.readers["administrator"])
            yield name, next(addresses(name, canary.keys)), client
            transaction.set_rollback(True)


class Read:
    """Values read of addresses and forms: by parameter, the functions of ours that read it."""

    def __init__(self) -> None:
        self.now: dict[str, set[str]] = defaultdict(set)
        self.before: set[tuple[str, str]] = set()

    def note(self, parameter: str) -> None:
        """Note that our innermost function, of those that are running, reads a parameter."""
        frame = sys._getframe(2)
        while frame.f_back is not None and not frame.f_globals.get("__name__", "").startswith("dashboard."):
            frame = frame.f_back
        self.now[parameter].add(f"{frame.f_globals.get('__name__')}.{frame.f_code.co_qualname}")

    def is_new(self, parameter: str) -> bool:
        """Return whether a function reads the parameter that was not known to; it is known from now on."""
        pairs = {(reader, parameter) for reader in self.now[parameter]}
        is_new = not pairs <= self.before
        self.before |= pairs
        return is_new


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Read:
    """Return what is read of addresses and forms: it grows as pages read."""
    seen = Read()
    for method in ("get", "getlist", "__getitem__", "__contains__"):
        original = getattr(QueryDict, method)

        def watched(self: QueryDict, key: str, *rest: object, _original: object = original) -> object:
            seen.note(key)
            return _original(self, key, *rest)  # type: ignore[operator]

        monkeypatch.setattr(QueryDict, method, watched)
    return seen


def parameters(client: Client, own: str, read: Read) -> Iterator[str]:
    """Yield what the address reads of its query; whoever is told sends something, and more may be read for it."""
    read.now.clear()
    client.get(own)
    told = {"csrfmiddlewaretoken"}
    while left := sorted(read.now.keys() - told):
        told.update(left)
        yield from left


@pytest.mark.parametrize("name", filters.NAMES)
@pytest.mark.parametrize("value", HOSTILE)
def test_filters_are_understood_or_refused(name: str, value: str) -> None:
    request = RequestFactory().get("/", {name: value})
    request.scope = Scope()  # type: ignore[attr-defined]
    try:
        found = filters.asked(request)  # type: ignore[arg-type]
    except BadRequest as error:
        assert str(error)
        return
    # What was understood can be written again, and is understood the same.
    again = RequestFactory().get("/", filters.parameters(found.filters, found.basis))
    again.scope = request.scope  # type: ignore[attr-defined]
    assert filters.asked(again) == found  # type: ignore[arg-type]


@pytest.mark.parametrize("share", SHARES)
def test_parameters_are_understood_or_refused(canary: Canary, problems: list[str], read: Read, share: int) -> None:
    turn, start, together = cycle(HOSTILE), cycle(range(12)), cycle(ALWAYS[1:])
    for _name, own, client in of_share(share, canary):
        tried = []
        for parameter in parameters(client, own, read):
            tried.append(parameter)
            values = {*ALWAYS, *HOSTILE[next(start) :: 12]} if read.is_new(parameter) else {next(turn)}
            for value in values:
                ask(client, f"{own}?{encoded(parameter, value)}", problems)
        for value in (SCRIPT, next(together)):
            ask(client, f"{own}?" + "&".join(encoded(parameter, value) for parameter in tried or ["x"]), problems)
        if "department" in tried:
            ask(client, f"{own}?" + "&".join(f"department={n}" for n in range(900)), problems)


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize("share", SMALL_SHARES)
def test_every_value_in_every_parameter(canary: Canary, problems: list[str], read: Read, share: int) -> None:
    for _name, own, client in of_share(share, canary, of=SMALL_SHARES):
        for parameter in parameters(client, own, read):
            for value in HOSTILE:
                ask(client, f"{own}?{encoded(parameter, value)}", problems)
        ask(client, f"{own}?" + urlencode([("department" + "[d]" * 200, "1")]), problems)


@pytest.mark.parametrize("share", SHARES)
def test_keys_are_understood_or_refused(canary: Canary, problems: list[str], share: int) -> None:
    for name, own, client in of_share(share, canary):
        for value in KEYS if ROUTES[name] else ():
            address = KEY.sub(value, own, count=1)
            if leads_somewhere(address):
                judge(f"GET {address[:200]}", client.get(address), problems)
                judge(f"POST {address[:200]}", client.post(address), problems)


@pytest.mark.parametrize("value", KEYS)
def test_an_address_that_leads_nowhere_is_not_there(canary: Canary, problems: list[str], value: str) -> None:
    client = sign_in_lately(Client(raise_request_exception=False), canary.readers["administrator"])
    for address in (f"/no-such-page/{value}/", f"/people/{value}"):
        judge(f"GET {address[:200]}", client.get(address), problems)


@pytest.mark.parametrize("share", SHARES)
def test_forms_are_understood_or_refused(canary: Canary, problems: list[str], read: Read, share: int) -> None:
    start, together = cycle(range(12)), cycle(ALWAYS[1:])
    for _name, own, client in of_share(share, canary):
        read.now.clear()
        if client.post(own, {}).status_code == 405:
            continue
        fields = sorted(read.now.keys() - {"csrfmiddlewaretoken"}) or ["x"]
        has_new = bool({field for field in fields if read.is_new(field)})
        for value in {*ALWAYS, *HOSTILE[next(start) :: 12]} if has_new else (SCRIPT, next(together)):
            judge(f"POST {own} {value[:40]!r}", client.post(own, dict.fromkeys(fields, value)), problems)
        for body, kind in BODIES:
            judge(f"POST {own} {body[:9]!r}", client.post(own, body, content_type=kind), problems)


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize("share", SMALL_SHARES)
def test_every_value_in_every_field(canary: Canary, problems: list[str], read: Read, share: int) -> None:
    for _name, own, client in of_share(share, canary, of=SMALL_SHARES):
        read.now.clear()
        client.post(own, {})
        fields = sorted(read.now.keys() - {"csrfmiddlewaretoken"}) or ["x"]
        for value in HOSTILE:
            judge(f"POST {own} {value[:40]!r}", client.post(own, dict.fromkeys(fields, value)), problems)
            for field in fields:
                judge(f"POST {own} {field} {value[:40]!r}", client.post(own, {field: value}), problems)


def leads_somewhere(address: str) -> bool:
    """Return whether an address is one of a page: what is none, is answered alike wherever it stands."""
    try:
        resolve(unquote(address))
    except Resolver404:
        return False
    return True


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
