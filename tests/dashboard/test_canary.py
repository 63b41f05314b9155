"""No reader meets anything about somebody who is not theirs: on no address, in no fragment, in no file.

Twice: with the product as it is, and with the filtering of `access.py` taken away, when the database alone stands in
the way.
"""

import re
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from email.policy import SMTPUTF8
from html import unescape
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import pytest
from django.db import transaction
from django.test import Client
from django.urls import Resolver404, resolve
from django.utils import timezone

from dashboard import row_security, scoping
from dashboard.access import Scope, ScopedRequest
from dashboard.exports.tables import TABLES
from dashboard.mail.composing import NoAccessError, compose
from dashboard.models import Schedule
from tests.dashboard.canary import FOREIGN, MANAGER, MAY_SEE, NOWHERE, OURS, Canary, build
from tests.dashboard.routes import ROUTES, addresses, names
from tests.dashboard.signing_in import sign_in_lately

pytestmark = pytest.mark.slow
MARK = re.compile(r"zqmark[a-z]x")
LINKS = re.compile(r'(?:hx-get|href|action|src)="([^"#]+)')
TARGETS = re.compile(r'hx-target="#([a-z0-9-]+)"')
# What these are about belongs to nobody's account; signing out would end the walk.
NOT_WALKED = ("account_logout", "demo_sign_in")
# What a schedule sends: content, of what, as which kind of file.
MAILED = (("table", "past_due", "csv"), ("table", "people", "xlsx"), ("figures", "", ""), ("report", "board", "pdf"))
# Pages with a way to narrow them, by what people's own links never say.
SEARCHES = (("people", "zq"), ("people", "example"), ("exemptions", "zq"), ("request_exemption", "zq"))


def test_every_address_has_an_entry() -> None:
    assert set(names()) == set(ROUTES)


@pytest.fixture(scope="module")
def built(django_db_setup: None, django_db_blocker: Any) -> Iterator[Canary]:
    """Return the two marked companies, built once; what a test changes in them is undone with the test."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield build(timezone.now())
        transaction.set_rollback(True)


@pytest.fixture
def canary(built: Canary, db: None) -> Canary:
    """Return the two marked companies."""
    return built


@pytest.mark.parametrize("role", MAY_SEE)
def test_readers_meet_only_who_is_theirs(canary: Canary, role: str) -> None:
    client = signed_in(canary, role)
    seen = list(walk(client, canary))
    assert_nothing_leaks(seen, MAY_SEE[role])
    # The walk is worth something only if it meets everybody it may.
    assert {mark for _, _, marks in seen for mark in marks} >= MAY_SEE[role]


@pytest.mark.parametrize("role", ["department_head", "people_manager", "borrower"])
def test_people_out_of_scope_are_not_there(canary: Canary, role: str) -> None:
    client = signed_in(canary, role)
    for mark, people in canary.people.items():
        is_theirs = mark in MAY_SEE[role] and mark != MANAGER
        for person in people:
            assert client.get(f"/people/{person.pk}/").status_code == (200 if is_theirs else 404), mark


@pytest.mark.parametrize("role", ["department_head", "people_manager", "borrower", "security_manager"])
def test_the_database_alone_holds_it(canary: Canary, role: str, monkeypatch: pytest.MonkeyPatch) -> None:
    take_the_filters_away(monkeypatch)
    seen = list(walk(signed_in(canary, role), canary))
    people = OURS | {FOREIGN}
    assert_nothing_leaks([(name, address, marks & people) for name, address, marks in seen], MAY_SEE[role])
    assert {mark for _, _, marks in seen for mark in marks} >= MAY_SEE[role]


def test_without_both_walls_the_walk_would_notice(
    canary: Canary, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    take_the_filters_away(monkeypatch)
    settings.ROW_SECURITY = False
    response = signed_in(canary, "department_head").get("/people/")
    assert met("/people/", response)[2] - MAY_SEE["department_head"]


@pytest.mark.parametrize("role", MAY_SEE)
@pytest.mark.parametrize(("content", "what", "kind"), MAILED)
def test_mail_holds_only_whom_its_recipient_may_see(
    canary: Canary, tmp_path: Path, role: str, content: str, what: str, kind: str
) -> None:
    schedule = Schedule.objects.filter(account=canary.account)[0]
    schedule.content, schedule.what, schedule.format = content, what, kind
    try:
        copy = compose(schedule, canary.readers[role], at=timezone.now(), place=tmp_path / "report")
    except NoAccessError:
        assert not MAY_SEE[role]
        return
    mail = copy.message().as_bytes(policy=SMTPUTF8.clone(cte_type="8bit"))
    found = set(MARK.findall(mail.decode("utf-8", errors="replace").lower()))
    if copy.file is not None:
        found |= set(MARK.findall(text_of_file(copy.file.path.read_bytes(), kind)))
    assert found <= MAY_SEE[role]
    # A list is worth something here only if it has its people; who left, the one of no department, is in none.
    assert content != "table" or found >= MAY_SEE[role] - {MANAGER, NOWHERE}


def take_the_filters_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every page believe that its reader sees everybody; the database still knows who it is."""
    real: dict[int, Scope] = {}
    decide, show = scoping._scope, row_security._show

    def believe(request: ScopedRequest) -> Scope:
        scope = decide(request)
        if scope.account is None or scope.user is None:
            return scope
        real[scope.user.pk] = scope
        everyone = frozenset({*scope.roles, "security_manager"})
        return replace(scope, roles=everyone, department_keys=frozenset(), manager_keys=frozenset())

    def know(scope: Scope | None) -> None:
        show(real.get(scope.user.pk, scope) if scope is not None and scope.user is not None else scope)

    monkeypatch.setattr(scoping, "_scope", believe)
    monkeypatch.setattr(row_security, "_show", know)


def signed_in(canary: Canary, role: str) -> Client:
    return sign_in_lately(Client(raise_request_exception=False), canary.readers[role])


Seen = tuple[str, str, set[str]]


def assert_nothing_leaks(seen: list[Seen], allowed: frozenset[str]) -> None:
    leaks = {(name, address, mark) for name, address, marks in seen for mark in marks - allowed}
    assert not leaks, "\n".join(f"{mark} on {name}: {address}" for name, address, mark in sorted(leaks))


def walk(client: Client, canary: Canary) -> Iterator[Seen]:
    """Open every address with every key of both companies, what each page links to, and each of its fragments.

    Yields the address's name, the address, and the marks met there. Of the links between pages those are followed that
    bring a page a parameter it had not yet.
    """
    waiting = [address for name in names() if name not in NOT_WALKED for address in addresses(name, canary.keys)]
    for page, text in SEARCHES:
        answer = client.post(f"/search/{page}/", {"q": text})
        yield met(f"/search/{page}/ sent", answer)
        waiting += [answer["Location"]] if answer.has_header("Location") else []
    waiting.append("/campaigns/?name=zq")
    waiting += [f"/reports/{kind}/?subject={key}" for kind in ("department", "campaign", "person")
                for key in canary.keys[kind]]  # fmt: skip
    known = {parameter for address in waiting for parameter in parameters(address)}
    asked: set[tuple[str, str]] = set()
    while waiting:
        address = waiting.pop()
        response = client.get(address)
        yield met(address, response)
        if response.status_code == 500 or not response["Content-Type"].startswith("text/html"):
            continue
        page = response.content.decode()
        name = name_of(address)
        for target in sorted({target for target in TARGETS.findall(page) if (name, target) not in asked}):
            asked.add((name, target))
            yield met(address, client.get(address, headers={"HX-Request": "true", "HX-Target": target}))
        for link in LINKS.findall(page):
            found = urljoin(address, unescape(link))
            if found.startswith("/") and not found.startswith(("//", "/static/")) and not parameters(found) <= known:
                known |= parameters(found)
                waiting.append(found)
    yield from files(client)
    yield from posts(client, canary)


def files(client: Client) -> Iterator[Seen]:
    """Have every list as both kinds of file, with all its columns."""
    for key, table in TABLES.items():
        for kind in ("csv", "xlsx"):
            address = f"/exports/{key}/"
            form = {"format": kind, "column": [column.key for column in table.columns]}
            yield met(f"{address} as {kind}", client.post(address, form))


def posts(client: Client, canary: Canary) -> Iterator[Seen]:
    """Send an empty form to every address with keys of the second company."""
    theirs = {kind: keys[-1:] for kind, keys in canary.keys.items()}
    for name in names():
        if name not in NOT_WALKED and ROUTES[name]:
            for address in addresses(name, theirs):
                yield met(f"{address} sent", client.post(address))


def parameters(address: str) -> set[tuple[str, str]]:
    """Return the parameters that an address brings its page."""
    return {(name_of(address), key) for key, _ in parse_qsl(urlsplit(address).query)}


def name_of(address: str) -> str:
    """Return the name of an address; of one that leads nowhere, itself."""
    path = urlsplit(address).path
    try:
        return str(resolve(path).url_name)
    except Resolver404:
        return path


def met(address: str, response: Any) -> Seen:
    match = getattr(response, "resolver_match", None)
    return (match.url_name if match else "") or "", address, set(MARK.findall(text_of(response)))


def text_of(response: Any) -> str:
    """Return the text of a page or file, and where it leads."""
    content = b"".join(response.streaming_content) if response.streaming else response.content
    where = response.get("Location", "") + response.get("Content-Disposition", "")
    return where + text_of_file(content, response.get("Content-Type", ""))


def text_of_file(content: bytes, kind: str) -> str:
    """Return the text of a file, unpacked if it is packed."""
    if content.startswith(b"PK"):
        with zipfile.ZipFile(BytesIO(content)) as book:
            content = b"\n".join(book.read(name) for name in book.namelist())
    elif "pdf" in kind:
        content = subprocess.run(["pdftotext", "-", "-"], input=content, capture_output=True, check=True).stdout
    return content.decode("utf-8", errors="replace").lower()
