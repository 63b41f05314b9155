"""Every error status has its page or its problem, HEAD is answered wherever GET is, and OPTIONS says what is."""

import re
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client

from dashboard.models import User
from dashboard.web.refusals import is_for_programs
from sync.models import Account
from tests.dashboard.api.conftest import token_for
from tests.dashboard.canary import Canary
from tests.dashboard.routes import ROUTES, addresses, names
from tests.dashboard.signing_in import sign_in_lately

# Signing out, or in as somebody else, would end the walk.
NOT_WALKED = {"account_logout", "demo_sign_in"}
STATUSES = (400, 403, 404, 405, 411, 413, 414, 429, 500)


def is_told(address: str, answer: Any) -> bool:
    """Return whether an answer that refuses says so in words, to programs as a problem."""
    if address.startswith("/api/"):
        return answer["Content-Type"] == "application/problem+json" and answer.json()["status"] == answer.status_code
    return bool(re.search(rb"<h1|<template|\S+", answer.content))


def test_every_status_has_a_page() -> None:
    pages = {path.stem for path in (settings.BASE_DIR / "templates").glob("[45]??.html")}
    assert {str(status) for status in STATUSES} <= pages


@pytest.mark.slow
def test_every_address_answers_head_as_get_and_refuses_other_methods_in_words(marked_companies: Canary) -> None:
    canary = marked_companies
    client = sign_in_lately(Client(raise_request_exception=False), canary.readers["administrator"])
    ours = {kind: keys[:1] for kind, keys in canary.keys.items()}
    secret = token_for(canary.readers["administrator"], canary.account)
    wrong = []
    for name in names():
        if name in NOT_WALKED:
            continue
        address = next(iter(addresses(name, ours)))
        headers = {"Authorization": f"Bearer {secret}"} if address.startswith("/api/") else {}
        cache.clear()
        head = client.head(address, headers=headers)
        if head.content or (head.status_code == 405 and client.get(address, headers=headers).status_code != 405):
            wrong.append(("HEAD", address, head.status_code))
        answer = client.put(address, headers=headers)
        if answer.status_code >= 500 or (answer.status_code >= 400 and not is_told(address, answer)):
            wrong.append(("PUT", address, answer.status_code))
        if answer.status_code == 405 and not answer["Allow"]:
            wrong.append(("Allow", address, answer.status_code))
    assert wrong == []


@pytest.mark.parametrize("address", ["/sync/start/", "/stop-viewing/", "/people/"])
def test_a_wrong_method_has_a_page_and_options_tells_the_right_ones(as_ines: Client, address: str) -> None:
    refused = as_ines.get(address) if address != "/people/" else as_ines.post(address)
    assert refused.status_code == 405
    assert "This address takes no such request." in refused.content.decode()
    told = as_ines.options(address)
    assert (told.status_code, told.content) == (204, b"")
    assert told["Allow"] == refused["Allow"] + ", OPTIONS"


def test_the_api_says_what_went_wrong_as_a_problem(
    client: Client, account: Account, alice: User, monkeypatch: Any
) -> None:
    headers = {"Authorization": f"Bearer {token_for(alice, account)}"}
    client.raise_request_exception = False
    assert client.head("/api/v1/people", headers=headers).status_code == 200
    told = client.options("/api/v1/people")
    assert (told.status_code, told["Allow"]) == (204, "GET, HEAD, OPTIONS")
    found = {
        405: client.post("/api/v1/people", headers=headers),
        404: client.get("/api/v1/nothing"),
        414: client.get("/api/v1/people", {"fields": "x" * 33_000}),
    }
    assert is_for_programs(found[405].wsgi_request)
    monkeypatch.setattr("dashboard.api.calls.wants_csv", lambda *arguments: 1 // 0)
    found[500] = client.get("/api/v1/people", headers=headers)
    for status, answer in found.items():
        assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
        assert answer.json()["status"] == status
        assert answer.json()["detail"].endswith(".")
    assert "Traceback" not in found[500].content.decode()


def test_what_is_too_large_is_said_to_be(as_ines: Client) -> None:
    answer = as_ines.post("/settings/", {"reason": "x" * 3_000_000})
    assert answer.status_code == 413
    assert "more than Rollcall takes at once" in answer.content.decode()
    answer = as_ines.get("/people/", {"q": "x" * 33_000})
    assert answer.status_code == 414
    assert "The address is too long." in answer.content.decode()


@pytest.mark.parametrize(
    "leads_to",
    ["http://[", "//[", "///evil.example", "\\\\evil.example", "/\0", "http://[::1", "javascript:alert(1)", "x" * 3000],
)
def test_a_next_that_is_no_address_of_ours_is_passed_over(client: Client, alice: User, leads_to: str) -> None:
    assert client.get("/sign-in/", {"next": leads_to}).status_code == 200
    form = {"login": alice.email, "password": "not it", "next": leads_to}
    assert client.post("/sign-in/", form).status_code == 200
    client.force_login(alice)
    for address in ("/sign-in/", "/sign-out/"):
        answer = client.get(address, {"next": leads_to})
        assert answer.status_code in {200, 302}
        assert "evil" not in answer.get("Location", "")
    for address in ("/accounts/1/switch/", "/stop-viewing/", "/you/sessions/end/"):
        assert client.post(address, {"next": leads_to}).status_code < 500


def test_routes_know_every_address() -> None:
    assert set(names()) == set(ROUTES)
