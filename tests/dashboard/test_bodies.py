"""Requests whose body comes in chunks, through the real gunicorn; and what it leaves to the site to refuse."""

import re
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import requests
from django.test import Client, RequestFactory

from dashboard.models import User
from dashboard.web.bodies import BodyMiddleware
from sync.models import Account, ConsoleImport
from tests import factories
from tests.dashboard.api.conftest import token_for
from tests.dashboard.served import served
from tests.dashboard.signing_in import sign_in_lately

pytestmark = pytest.mark.django_db(transaction=True)
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def site(django_db_setup: None, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of the site behind gunicorn."""
    with served(tmp_path_factory.mktemp("web") / "log") as address:
        yield address


def pieces(body: bytes, size: int = 20) -> Iterator[bytes]:
    """Cut a body up: requests sends what it cannot measure in chunks."""
    for start in range(0, len(body), size):
        yield body[start : start + size]


def both(session: requests.Session, address: str, body: bytes, headers: dict[str, str]) -> list[requests.Response]:
    """Send a body with its length, and in chunks."""
    return [
        session.post(address, data=data, headers=headers, allow_redirects=False, timeout=30)
        for data in (body, pieces(body, max(20, len(body) // 50)))
    ]


def test_a_form_in_chunks_is_read_like_any_other(site: str, alice: User) -> None:
    for password, status in (("wrong", 200), (factories.PASSWORD, 302)):
        for kind in (bytes, pieces):
            session = requests.Session()
            token = TOKEN.search(session.get(f"{site}/sign-in/", timeout=30).text)[1]  # type: ignore[index]
            form = urlencode({"csrfmiddlewaretoken": token, "login": alice.email, "password": password}).encode()
            answer = session.post(f"{site}/sign-in/", data=kind(form), headers=FORM, allow_redirects=False, timeout=30)
            assert answer.status_code == status, (password, kind)


def test_a_message_in_chunks_is_answered_and_a_long_one_refused(site: str, account: Account, alice: User) -> None:
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    headers["Authorization"] = f"Bearer {token_for(alice, account)}"
    session = requests.Session()
    short = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
    assert [answer.json() for answer in both(session, f"{site}/mcp", short, headers)] == [
        {"jsonrpc": "2.0", "id": 1, "result": {}}
    ] * 2
    for size in (300_000, 4_000_000):
        long = pieces(b" " * size, 50_000)
        answer = session.post(f"{site}/mcp", data=long, headers=headers, timeout=30)
        assert answer.status_code == 413


def test_a_file_in_chunks_arrives_whole(site: str, ines: User) -> None:
    client = sign_in_lately(Client(), ines)
    session = requests.Session()
    session.cookies.update({name: cookie.value for name, cookie in client.cookies.items()})
    content = b"Campaign,Content,Email\r\n" + b"Autumn,Spotting a phish,ada@brackwater.example\r\n" * 60_000
    for kind in (bytes, lambda body: pieces(body, 60_000)):
        token = TOKEN.search(session.get(f"{site}/sync/imports/", timeout=30).text)[1]  # type: ignore[index]
        made = requests.Request(
            "POST", f"{site}/sync/imports/", data={"csrfmiddlewaretoken": token}, files={"file": ("a.csv", content)}
        ).prepare()
        answer = session.post(
            made.url or "",
            data=kind(made.body),
            headers={"Content-Type": made.headers["Content-Type"]},
            allow_redirects=False,
            timeout=30,
        )
        assert answer.status_code == 302
    assert len(content) > 2_500_000
    kept = list(ConsoleImport.objects.order_by("pk"))
    assert len({one.sha256 for one in kept}) == 1
    assert len(kept) == 2


def test_a_form_in_chunks_that_is_too_long_is_refused_as_such(site: str) -> None:
    session = requests.Session()
    session.get(f"{site}/sign-in/", timeout=30)
    long = pieces(b"a=" + b"x" * 4_000_000, 50_000)
    answer = session.post(f"{site}/sign-in/", data=long, headers=FORM, timeout=30)
    assert answer.status_code == 413
    assert "more than Rollcall takes" in answer.text


def test_a_broken_body_is_refused_and_no_error_of_ours(site: str) -> None:
    head = "POST /sign-in/ HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\nContent-Type: {}\r\n\r\n"
    for kind, status in ((FORM["Content-Type"], 400), ("multipart/form-data; boundary=x", 403)):
        with socket.create_connection((urlsplit(site).hostname, urlsplit(site).port), timeout=30) as line:
            line.sendall(head.format(kind).encode() + b"5\r\na=1&b\r\nnonsense\r\n")
            assert line.recv(100).split()[1] == str(status).encode()


def test_an_address_that_is_too_long_is_refused_in_the_readers_kind(site: str) -> None:
    for size in (33_000, 60_000):
        told = requests.get(f"{site}/api/v1/people", {"fields": "x" * size}, timeout=30)
        assert (told.status_code, told.json()["status"]) == (414, 414)
        assert told.headers["Content-Type"] == "application/problem+json"
        page = requests.get(f"{site}/people/", {"q": "x" * size}, timeout=30)
        assert (page.status_code, "The address is too long." in page.text) == (414, True)


def test_head_has_no_body_and_the_headers_of_get(site: str, account: Account, alice: User) -> None:
    headers = {"Authorization": f"Bearer {token_for(alice, account)}"}
    with socket.create_connection((urlsplit(site).hostname, urlsplit(site).port), timeout=30) as line:
        line.sendall(
            f"HEAD /api/v1/people HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
            f"Authorization: {headers['Authorization']}\r\n\r\n".encode()
        )
        answer = b"".join(iter(lambda: line.recv(4096), b""))
    head, _end, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert body == b""
    asked = requests.get(f"{site}/api/v1/people", headers=headers, timeout=30)
    assert f"ETag: {asked.headers['ETag']}" in head.decode()


def test_where_the_server_marks_no_end_a_length_is_asked_for() -> None:
    def unreached(request: Any) -> Any:
        raise AssertionError("the view was asked")

    for address, words in (("/sign-in/", "did not say how long"), ("/mcp", "Content-Length")):
        request = RequestFactory().post(address, headers={"Transfer-Encoding": "chunked"})
        del request.META["CONTENT_LENGTH"]
        answer = BodyMiddleware(unreached)(request)
        assert answer.status_code == 411
        assert words in answer.content.decode()
