"""Walk of a reader: on every address, in every fragment and file, in every mail; and the marks that are in it."""

import re
import subprocess
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.policy import SMTPUTF8
from functools import cache
from html import unescape
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

from django.core.files.storage import default_storage
from django.core.management import call_command
from django.test import Client
from django.urls import Resolver404, resolve

from dashboard.evidence import jobs as evidence
from dashboard.exports import jobs as exports
from dashboard.exports.metric_report.answers import GROUPINGS
from dashboard.exports.tables import TABLES
from dashboard.files import jobs as made
from dashboard.files.errors import NoAccessError
from dashboard.mail.composing import REPORTS, compose
from dashboard.models import EvidencePack, Export, Schedule, User
from sync.models import Account
from tests.dashboard.canary import Canary
from tests.dashboard.routes import ROUTES, addresses, names
from tests.dashboard.signing_in import sign_in_lately

MARK = re.compile(r"zqmark[a-z]x")
LINKS = re.compile(r'(?:hx-get|href|action|src)="([^"#]+)')
TARGETS = re.compile(r'hx-target="#([a-z0-9-]+)"')
# What these are about belongs to nobody's account; signing out would end the walk.
NOT_WALKED = ("account_logout", "demo_sign_in")
# Pages with a way to narrow them, by what people's own links never say.
SEARCHES = (("people", "zq"), ("people", "example"), ("exemptions", "zq"), ("request_exemption", "zq"))
# The name of an address, the address, and the marks met there.
Seen = tuple[str, str, set[str]]


def signed_in(canary: Canary, role: str) -> Client:
    """Return a client on which the reader of a role has just signed in."""
    return sign_in_lately(Client(raise_request_exception=False), canary.readers[role])


def assert_nothing_leaks(seen: list[Seen], allowed: frozenset[str]) -> None:
    """Fail with every address on which a mark is met that is not allowed."""
    leaks = {(name, address, mark) for name, address, marks in seen for mark in marks - allowed}
    assert not leaks, "\n".join(f"{mark} on {name}: {address}" for name, address, mark in sorted(leaks))


def walk(client: Client, canary: Canary) -> Iterator[Seen]:
    """Open everything there is; yield the address's name, the address, and the marks met there."""
    for address, response in answers(client, canary):
        yield met(address, response)


def answers(client: Client, canary: Canary, *, follows: bool = True) -> Iterator[tuple[str, Any]]:
    """Open every address with every key of both companies, what each page links to, and each of its fragments.

    Of the links between pages those are followed that bring a page a parameter it had not yet; with `follows` False
    none.
    """
    waiting = [address for name in names() if name not in NOT_WALKED for address in addresses(name, canary.keys)]
    for page, text in SEARCHES:
        answer = client.post(f"/search/{page}/", {"q": text})
        yield f"/search/{page}/ sent", answer
        waiting += [answer["Location"]] if answer.has_header("Location") else []
    waiting.append("/campaigns/?name=zq")
    waiting += [f"/reports/{kind}/?subject={key}" for kind in ("department", "campaign", "person")
                for key in canary.keys[kind]]  # fmt: skip
    known = {parameter for address in waiting for parameter in parameters(address)}
    asked: set[tuple[str, str]] = set()
    while waiting:
        address = waiting.pop()
        response = client.get(address)
        yield address, response
        if response.status_code == 500 or not response["Content-Type"].startswith("text/html"):
            continue
        page = response.content.decode()
        name = name_of(address)
        for target in sorted({target for target in TARGETS.findall(page) if (name, target) not in asked}):
            asked.add((name, target))
            yield f"{address} #{target}", client.get(address, headers={"HX-Request": "true", "HX-Target": target})
        for link in LINKS.findall(page) if follows else ():
            found = urljoin(address, unescape(link))
            if found.startswith("/") and not found.startswith(("//", "/static/")) and not parameters(found) <= known:
                known |= parameters(found)
                waiting.append(found)
    yield from files(client)
    yield from posts(client, canary)


def files(client: Client) -> Iterator[tuple[str, Any]]:
    """Have every list as both kinds of file, with all its columns."""
    for key, table in TABLES.items():
        for kind in ("csv", "xlsx"):
            address = f"/exports/{key}/"
            form = {"format": kind, "column": [column.key for column in table.columns]}
            yield f"{address} as {kind}", client.post(address, form)


def posts(client: Client, canary: Canary) -> Iterator[tuple[str, Any]]:
    """Send an empty form to every address with keys of the second company."""
    theirs = {kind: keys[-1:] for kind, keys in canary.keys.items()}
    for name in names():
        if name not in NOT_WALKED and ROUTES[name]:
            for address in addresses(name, theirs):
                yield f"{address} sent", client.post(address)


def parameters(address: str) -> set[tuple[str, str]]:
    """Return the parameters that an address brings its page."""
    return {(name_of(address), key) for key, _ in parse_qsl(urlsplit(address).query)}


def name_of(address: str) -> str:
    """Return the name of an address; of one that leads nowhere, itself."""
    return _name_of(urlsplit(address).path)


@cache
def _name_of(path: str) -> str:
    try:
        return str(resolve(path).url_name)
    except Resolver404:
        return path


def met(address: str, response: Any) -> Seen:
    """Return what is met in an answer."""
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
            return "\n".join(text_of_file(book.read(name), name) for name in book.namelist())
    if "pdf" in kind:
        content = subprocess.run(["pdftotext", "-", "-"], input=content, capture_output=True, check=True).stdout
    return content.decode("utf-8", errors="replace").lower()


def mails(canary: Canary, recipient: User, *, account: Account, at: datetime, place: Path) -> Iterator[Seen]:
    """Compose everything that a schedule of the account can send; yield what, about what, and the marks in it."""
    for content, about, text in mailed(canary, recipient, account=account, at=at, place=place):
        yield content, about, set(MARK.findall(text))


def mailed(
    canary: Canary, recipient: User, *, account: Account, at: datetime, place: Path
) -> Iterator[tuple[str, str, str]]:
    """Compose everything that a schedule of the account can send, about anything of both companies.

    Yields what it is, about what, and its text with its file's. Nothing for what the recipient may not have.
    """
    schedule = Schedule.objects.filter(account=account).order_by("pk")[0]
    for number, (content, what, kind, subject, query) in enumerate(sendable(canary)):
        schedule.content, schedule.what, schedule.format = content, what, kind
        schedule.subject_id, schedule.query = subject, query
        try:
            copy = compose(schedule, recipient, at=at, place=place / f"report-{number}")
        except NoAccessError:
            continue
        mail = copy.message().as_bytes(policy=SMTPUTF8.clone(cte_type="8bit")).decode(errors="replace").lower()
        file = text_of_file(copy.file.path.read_bytes(), kind) if copy.file is not None else ""
        yield content, f"{what} {kind} {subject or query}", mail + file


def stored(name: str) -> bytes:
    """Return the content of a made file."""
    with default_storage.open(name) as file:
        return file.read()


def made_files(canary: Canary, reader: User, *, account: Account, at: datetime) -> Iterator[Seen]:
    """Have workers make every list as a file, and a pack of evidence, for the reader."""
    asked: dict[str, Any] = {"account": account, "user": reader, "requested_at": at}
    for key, table in TABLES.items():
        columns = [column.key for column in table.columns]
        for query in queries_of(key, canary):
            parameters = {"query": query, "as_of": at.isoformat(), "columns": columns}
            export = Export.objects.create(table=key, format="csv", parameters=parameters, **asked)
            exports.make_export(export.pk)
            export.refresh_from_db()
            if export.state == Export.State.READY:
                yield key, query, set(MARK.findall(text_of_file(stored(made.name_of(export)), "csv")))
    first_day = (at - timedelta(days=80)).date()
    pack = EvidencePack.objects.create(first_day=first_day, last_day=at.date(), sample_seed="1", **asked)
    evidence.make_pack(pack.pk)
    pack.refresh_from_db()
    if pack.state == EvidencePack.State.READY:
        yield "evidence", "", set(MARK.findall(text_of_file(stored(made.name_of(pack)), "zip")))


def reports(reader: User, account: Account) -> Iterator[Seen]:
    """Have the command tell everything in the reader's scope; yield the marks in it."""
    for name, by, told in reported(reader, account):
        yield name, by, set(MARK.findall(told))


def reported(reader: User, account: Account) -> Iterator[tuple[str, str, str]]:
    """Have the command tell everything in the reader's scope."""
    for by in GROUPINGS:
        out, metric = StringIO(), "past_due" if by == "age" else "completion_rate"
        call_command("report", metric, by=by, account=account.name, reader=reader.email, format="json", stdout=out)
        yield "report", by, out.getvalue().replace(f'"{reader.email}"', "")


def queries_of(table: str, canary: Canary) -> list[str]:
    """Return the filters without which there is no such list; there is one that needs some."""
    return [f"campaign={pk}" for pk in canary.keys["campaign"]] if table == "campaign_people" else [""]


def sendable(canary: Canary) -> Iterator[tuple[str, str, str, int | None, str]]:
    """Return what schedules can send: content, of what, as which kind of file, about what, with which filters."""
    yield "figures", "", "", None, ""
    for key in TABLES:
        for query in queries_of(key, canary):
            yield "table", key, "csv", None, query
    yield "table", "people", "xlsx", None, ""
    for report in REPORTS:
        for subject in canary.keys.get(report, [None]):
            yield "report", report, "pdf", subject, ""
