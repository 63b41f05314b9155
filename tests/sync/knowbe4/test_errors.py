"""Errors of the client: their sentences, how often it asks again, and what it never says."""

import logging
import pickle
import socket
import traceback
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import time_machine

from sync.knowbe4 import errors, resources
from sync.knowbe4.client import Client
from sync.knowbe4.retry import Retry, retry_after
from tests.sync.knowbe4.conftest import KEY
from tests.sync.knowbe4.rows import enrollments
from tests.sync.knowbe4.server import Reply

ACCOUNT = {"name": "Northwind"}
ID = {"X-Request-Id": "5e1d-77"}


def refused(status, **headers):
    return Reply(
        {"message": "no"}, status=status, headers={**ID, **{k.replace("_", "-"): v for k, v in headers.items()}}
    )


@pytest.mark.parametrize(
    ("status", "kind", "resolution"),
    [
        (400, errors.BadRequest, "check the content and group ids"),
        (401, errors.Unauthorized, "check KNOWBE4_API_KEY and the region"),
        (403, errors.Forbidden, "the token or plan lacks the Reporting API"),
        (404, errors.NotFound, r"no training campaign \(campaign_id 3\)"),
        (406, errors.Refused, "check KNOWBE4_BASE_URL"),
        (302, errors.Refused, "check KNOWBE4_BASE_URL"),
    ],
)
def test_refusal_is_final_and_says_what_to_do(client, server, waits, status, kind, resolution):
    server.says(refused(status, Location="/elsewhere"))

    with pytest.raises(kind, match=resolution) as caught:
        client.get(resources.CAMPAIGN, campaign_id=3)

    assert isinstance(caught.value, errors.FatalError)
    assert (caught.value.status, caught.value.x_request_id) == (status, "5e1d-77")
    assert "5e1d-77" in str(caught.value)
    assert (len(server.asked), waits) == (1, [])


def test_missing_id_of_a_list_is_named(client, server):
    server.says(refused(404))

    with pytest.raises(errors.NotFound, match=r"recipient list \(pst_id 9\)"):
        list(client.pages(resources.RECIPIENTS, path_args={"pst_id": 9}))


@pytest.mark.parametrize(
    "fault",
    [
        refused(500),
        refused(502),
        refused(503, Retry_After="3"),
        refused(504),
        refused(429),
        Reply(b"<html><body>Maintenance</body></html>", headers={"Content-Type": "text/html"}),
        Reply(b""),
        Reply(b"7"),
        Reply({"nothing": "useful"}),
        Reply(b'{"data":[{"enrollment_id":1,"sta'),
        Reply(b'[{"enrollment_id":1,"status":"Passed"},{"enroll'),
        Reply(enrollments(40), cut=True),
        Reply(drop=True),
        Reply(b"[" * 5000),
    ],
    ids=lambda reply: f"{reply.status} {reply.bytes()[:30]!r} {reply.cut or reply.drop}",
)
def test_fault_that_passes_is_survived(client, server, waits, fault):
    server.says(fault, fault, enrollments(2))

    (page,) = client.pages(resources.ENROLLMENTS)

    assert (len(page.items), page.requests, client.requests_made) == (2, 3, 3)
    assert len(waits) == 2
    assert all(seconds > 0 for seconds, _ in waits)


def test_read_timeout_is_survived(server):
    server.says(Reply(ACCOUNT, hold=1.5), ACCOUNT)

    with Client(server.url, KEY, timeout=(1.0, 0.5), sleep=lambda seconds: None) as client:
        assert client.get(resources.ACCOUNT).name == "Northwind"
        assert client.requests_made == 2


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (refused(503), errors.ServerFault),
        (Reply(b"<html>"), errors.InvalidReply),
        (Reply(drop=True), errors.Unreachable),
    ],
)
def test_fault_that_stays_is_raised(client, server, waits, fault, kind):
    server.says(fault)

    with pytest.raises(kind) as caught:
        client.get(resources.ACCOUNT)

    assert isinstance(caught.value, errors.RetriableError)
    assert len(server.asked) <= 10
    assert sum(seconds for seconds, _ in waits) <= 120
    growing = [seconds for seconds, _ in waits]
    assert growing[-1] > 4 * growing[0]


def test_patience_is_adjustable(server):
    server.says(refused(503))

    with Client(server.url, KEY, retry=Retry(attempts=3), sleep=lambda seconds: None) as client:
        with pytest.raises(errors.ServerFault):
            client.get(resources.ACCOUNT)
        assert client.requests_made == 3


def test_nobody_there_is_one_sentence():
    with (
        Client("http://127.0.0.1:9", KEY, retry=Retry(attempts=2), sleep=lambda seconds: None) as client,
        pytest.raises(errors.Unreachable, match=r"127\.0\.0\.1 could not be reached .*check the network"),
    ):
        client.get(resources.ACCOUNT)


# 429


def test_retry_after_is_honored(client, server, waits, now):
    soon = format_datetime(now + timedelta(seconds=40), usegmt=True)
    server.says(refused(429, Retry_After="7"), refused(429, Retry_After=soon), refused(503, Retry_After="20"), ACCOUNT)

    with time_machine.travel(now):
        client.get(resources.ACCOUNT)

    assert [reason for _, reason in waits] == ["429", "429", "retry"]
    assert waits[0][0] == 7
    assert 36 < waits[1][0] <= 40
    assert waits[2][0] == 20


def test_retry_after_beyond_fifteen_minutes_is_the_daily_limit(client, server, waits, now):
    server.says(refused(429, Retry_After="7200"))

    with pytest.raises(
        errors.RateLimited, match=r"daily limit .* backed off until \d{4}-\d\d-\d\d \d\d:\d\d UTC"
    ) as caught:
        client.get(resources.ACCOUNT)

    assert caught.value.daily
    assert abs(caught.value.until - now - timedelta(hours=2)) < timedelta(minutes=1)
    assert waits == []


def test_429_that_names_the_day_is_the_daily_limit(client, server, waits, now):
    server.says(Reply({"message": "Daily limit exceeded"}, status=429))

    with pytest.raises(errors.RateLimited) as caught:
        client.get(resources.ACCOUNT)

    assert abs(caught.value.until - now - timedelta(days=1)) < timedelta(minutes=1)
    assert waits == []


def test_429_is_waited_out_for_five_minutes(client, server, waits):
    server.says(refused(429))

    with pytest.raises(errors.RateLimited):
        client.get(resources.ACCOUNT)

    assert 300 <= sum(seconds for seconds, _ in waits) < 320
    assert len(server.asked) < 12


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("12", 12),
        (" 0 ", 0),
        ("Sat, 01 Mar 2025 08:01:00 GMT", 60),
        ("Sat, 01 Mar 2025 07:00:00 GMT", 0),
        ("Sat, 01 Mar 2025 08:01:00 -0000", 60),
        ("soon", None),
        ("-5", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_forms(header, seconds):
    assert retry_after(header, datetime(2025, 3, 1, 8, tzinfo=UTC)) == seconds


def test_errors_survive_pickling():
    until = datetime(2025, 3, 1, tzinfo=UTC)
    error = errors.rate_limited(until=until, daily=True, x_request_id="5e1d")

    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes

    assert (type(again), str(again), again.until, again.daily) == (errors.RateLimited, str(error), until, True)


# The key


FAULTS = [
    refused(400),
    refused(401),
    refused(403),
    refused(404),
    refused(418),
    refused(429, Retry_After="9000"),
    refused(500),
    Reply(b"<html>"),
    Reply({"message": "Invalid Token"}),
    Reply(enrollments(3), cut=True),
    Reply(drop=True),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda reply: f"{reply.status} {reply.cut or reply.drop}")
def test_key_is_never_shown(server, caplog, fault):
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="sync.knowbe4")
    server.says(fault)

    with Client(server.url, KEY, retry=Retry(attempts=2), sleep=lambda seconds: None) as client:
        try:
            list(client.pages(resources.ENROLLMENTS))
        except errors.KnowBe4Error as error:
            shown = traceback.TracebackException.from_exception(error, capture_locals=True)
            seen = "".join(shown.format()) + str(error) + repr(error) + repr(vars(error))
            chained = error.__cause__ or error.__context__
            assert chained is None or isinstance(chained, errors.KnowBe4Error)
        else:
            pytest.fail("no error")
        seen += repr(client) + repr(vars(client)) + repr(client._session.auth)
    seen += caplog.text

    assert KEY not in seen
    assert "GET /v1/training/enrollments" in caplog.text


def test_request_id_that_is_none_is_not_repeated(client, server):
    server.says(Reply({}, status=401, headers={"X-Request-Id": f"Bearer {KEY}"}))

    with pytest.raises(errors.Unauthorized) as caught:
        client.get(resources.ACCOUNT)

    assert caught.value.x_request_id is None
    assert KEY not in str(caught.value)


def test_key_is_not_shown_when_the_client_cannot_be_made():
    for address, key in (("nowhere", KEY), ("http://127.0.0.1:1", f"{KEY}\x00")):
        with pytest.raises(ValueError, match="KNOWBE4") as caught:
            Client(address, key)
        frames = traceback.TracebackException.from_exception(caught.value, capture_locals=True).stack
        inside = [frame for frame in frames if "client.py" in frame.filename and "test" not in frame.filename]
        assert inside
        assert KEY not in str(caught.value)
        assert all(KEY not in str(frame.locals) for frame in inside)


def test_log_has_one_line_per_request_without_personal_data(client, server, caplog):
    caplog.set_level(logging.DEBUG, logger="sync.knowbe4")
    server.says(Reply(enrollments(2), headers=ID))

    list(client.pages(resources.ENROLLMENTS, params={"campaign_id": 3}))

    (line,) = [record.getMessage() for record in caplog.records if record.name == "sync.knowbe4"]
    assert line.startswith("GET /v1/training/enrollments: 200 in ")
    assert line.endswith("ms, x-request-id 5e1d-77")
    assert "zoe" not in caplog.text


def _no_name(*args: object, **kwargs: object) -> None:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def test_each_way_not_to_reach_it_says_what_to_do(server, monkeypatch):
    hurried = {"retry": Retry(attempts=1), "timeout": (1.0, 1.0)}
    encrypted = server.url.replace("http:", "https:")
    with Client(encrypted, KEY, **hurried) as client, pytest.raises(errors.Unreachable, match="REQUESTS_CA_BUNDLE"):
        client.get(resources.ACCOUNT)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with (
        Client("https://us.api.knowbe4.com", KEY, **hurried) as client,
        pytest.raises(errors.Unreachable, match=r"the proxy failed.*HTTPS_PROXY"),
    ):
        client.get(resources.ACCOUNT)
    monkeypatch.delenv("HTTPS_PROXY")
    monkeypatch.setattr("socket.getaddrinfo", _no_name)
    with (
        Client("https://nowhere.example", KEY, **hurried) as client,
        pytest.raises(errors.Unreachable, match=r"no such name.*DNS"),
    ):
        client.get(resources.ACCOUNT)
