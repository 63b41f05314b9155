"""Address of a request's client, and what is said of proxies that are not trusted."""

import logging
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory

from dashboard import client_address
from dashboard.client_address import ForwardedMiddleware

PROXY = {"REMOTE_ADDR": "198.51.100.9", "HTTP_X_FORWARDED_FOR": "203.0.113.5"}


@pytest.mark.parametrize(
    ("trusted", "forwarded", "is_said"),
    [
        (0, None, False),
        (1, None, False),
        (0, "203.0.113.5", True),
        (1, "203.0.113.5", False),
        (1, "made up, 203.0.113.5", False),
        (2, "203.0.113.5", True),
        (1, " , ", True),
    ],
)
def test_what_is_not_believed_is_said(
    rf: RequestFactory,
    settings: Any,
    caplog: pytest.LogCaptureFixture,
    trusted: int,
    forwarded: str | None,
    is_said: bool,
) -> None:
    settings.TRUSTED_PROXIES = trusted
    headers = {} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded}
    request = rf.get("/", REMOTE_ADDR="198.51.100.9", **headers)
    assert ForwardedMiddleware(lambda _request: HttpResponse("page"))(request).content == b"page"
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * is_said
    if is_said:
        assert f"TRUSTED_PROXIES is {trusted}" in caplog.text
        # Of addresses the log has no more than the network.
        assert "198.51.100.0/24" in caplog.text and "198.51.100.9" not in caplog.text
        assert "203.0.113" not in caplog.text


@pytest.mark.django_db
def test_it_is_said_once_in_a_while(
    client: Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        assert client.get("/sign-in/", **PROXY).status_code == 200  # type: ignore[arg-type]
    assert caplog.text.count("TRUSTED_PROXIES is 0") == 1
    monkeypatch.setattr(client_address, "SAID_EVERY", 0.0)
    client.get("/sign-in/", **PROXY)  # type: ignore[arg-type]
    assert caplog.text.count("TRUSTED_PROXIES is 0") == 2
