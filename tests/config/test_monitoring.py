"""Switches for whoever watches from outside: errors to Sentry, JSON lines, the access log, and what each needs."""

import gzip
import json
import logging
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import brotli
import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from config.json_log import Formatter
from dashboard.web.access_log import AccessLogMiddleware
from tests.config.test_settings import settings

SECRET = "Ann Example said no to ann@brackwater.example"
REPORT = f"""
import logging, config.settings, sentry_sdk
try:
    ann = {SECRET!r}
    1 / int("0")
except ZeroDivisionError as error:
    sentry_sdk.capture_exception(error)
    sentry_sdk.capture_exception(ValueError(ann))
    logging.getLogger("sync").error("Nobody called %s", ann)
sentry_sdk.flush(5)
"""


def _record(**fields: Any) -> logging.LogRecord:
    return logging.makeLogRecord({"name": "sync", "levelno": 30, "levelname": "WARNING", "msg": "x"} | fields)


def test_a_line_of_json_holds_what_a_plain_one_does_and_no_more() -> None:
    told = json.loads(Formatter().format(_record(msg="Mail to %s: /people/?q=Ann gone", args=("ann@b.example",))))
    assert (told["level"], told["logger"]) == ("WARNING", "sync")
    assert told["message"] == "Mail to (address): /people/?(left out) gone"
    assert told["time"].startswith("20")


def test_an_exception_is_one_line_of_json_and_cleaned() -> None:
    try:
        raise ValueError("refused.\nDETAIL:  Key (email)=(ann) exists.")
    except ValueError:
        line = Formatter().format(_record(exc_info=sys.exc_info()))
    assert "\n" not in line
    assert "ValueError: refused.\nDETAIL: (left out)" in json.loads(line)["exception"]


def test_the_access_log_names_no_query_and_no_machine(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "access")
    request = RequestFactory().get("/people/?found=Ann", REMOTE_ADDR="192.0.2.77")
    AccessLogMiddleware(lambda _request: HttpResponse(status=204))(request)
    [line] = caplog.messages
    assert line.startswith("GET /people/ 204 ")
    assert line.endswith(" ms 192.0.2.0/24")
    assert "Ann" not in line


@pytest.mark.parametrize(
    ("environment", "package"),
    [
        ({"METRICS_TOKEN": "t" * 16}, "prometheus_client"),
        ({"LOG_FORMAT": "json"}, "pythonjsonlogger"),
        pytest.param({"SENTRY_DSN": "https://key@sentry.example/1"}, "sentry_sdk", marks=pytest.mark.slow),
    ],
)
def test_a_package_that_is_missing_is_named(environment: dict[str, str], package: str) -> None:
    without = (
        "import importlib.util as u; found = u.find_spec; "
        f"u.find_spec = lambda name, *rest: None if name == {package!r} else found(name, *rest); import config.settings"
    )
    assert settings(environment, show="import config.settings").returncode == 0
    done = settings(environment, show=without)
    assert done.returncode == 1
    assert f"needs the package {package}: run bin/install monitoring, or unset it." in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("METRICS_TOKEN", "short", "METRICS_TOKEN is too short or holds blanks: write 16 letters and digits or more."),
        ("LOG_FORMAT", "xml", "LOG_FORMAT is 'xml': write plain or json."),
        ("ACCESS_LOG", "often", "ACCESS_LOG is 'often': write yes or no."),
        pytest.param("SENTRY_DSN", "sentry.example", "SENTRY_DSN cannot be read: ", marks=pytest.mark.slow),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused(name: str, value: str, sentence: str) -> None:
    done = settings({name: value}, show="import config.settings")
    assert done.returncode == 1
    assert sentence in done.stderr.splitlines()[-1]


@pytest.mark.slow
def test_sentry_hears_of_errors_and_not_of_people() -> None:
    bodies: list[bytes] = []

    class Sentry(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            bodies.append({"br": brotli, "gzip": gzip}[self.headers["Content-Encoding"]].decompress(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Sentry)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    dsn = f"http://key@127.0.0.1:{server.server_port}/1"
    done = settings({"SENTRY_DSN": dsn}, show=REPORT)
    server.shutdown()
    server.server_close()
    thread.join()
    assert done.returncode == 0, done.stderr
    heard = b"".join(bodies).decode()
    assert "ZeroDivisionError" in heard and "rollcall@" in heard
    assert "ValueError" in heard
    assert "brackwater.example" not in heard
    assert "Nobody called %s" in heard
    assert "Ann Example" not in heard.replace("Ann Example said no to (address)", "", 1)
