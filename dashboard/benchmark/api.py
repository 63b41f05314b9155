"""The API asked as a program asks: with a token, through the whole middleware, each time about something else.

Beside the wall time stands the processor time of this process: on a busy machine the one that tells what a call costs.
"""

import random
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from django.test.utils import override_settings

from dashboard.access import Scope
from dashboard.benchmark.pages import _host
from dashboard.benchmark.queries import percentile
from dashboard.models import Membership, User
from dashboard.services import tokens
from dashboard.services.accounts import grant_administrator
from sync.benchmark.figures import Figure
from sync.models import Account

GOAL, ROWS_PER_SECOND, GROWTH = 40.0, 20_000.0, 20.0
RUNS, WARM_UP = 40, 2
PAGE = 1_000
# Pages of the whole read after which memory has taken its size.
SETTLED = 20
_TAIL, _TAIL_BYTES = re.compile(rb'"next_cursor":"([^"]+)"'), 2_000


def measure_api(
    account: Account, *, now: datetime, say: Callable[[str], None], runs: int = RUNS, pages: int = 0
) -> list[Figure]:
    """Return the 95th percentile of each kind of call, and how fast and in how much memory every enrollment is read.

    `pages` ends the whole read early. A member and a token are made for the time of it, and undone.
    """
    limits = {**settings.RATE_LIMITS, "api": (10**9, 60)}
    with _one_connection(), override_settings(RATE_LIMITS=limits), transaction.atomic():
        reader = User.objects.create_user("benchmark@rollcall.invalid")
        grant_administrator(reader, account)
        _token, secret = tokens.create(reader, account, "Benchmark", expires_at=now + timedelta(days=1), at=now)
        program = _Program(secret)
        figures = []
        for name, asked in _calls(account).items():
            figure = _measured(program, name, asked, runs)
            say(f"{figure.name}: {figure.measured} ({figure.goal}; {figure.remarks})")
            figures.append(figure)
        figures += _whole(program, say, pages)
        transaction.set_rollback(True)
    return figures


class _Program:
    """Calls the site as its server does: shows a token and keeps nothing. Django's test client keeps something of each
    answer, which would be taken for the API's memory.
    """

    def __init__(self, secret: str) -> None:
        self._site = WSGIHandler()
        self._head = {
            "REQUEST_METHOD": "GET",
            "SERVER_NAME": _host(),
            "SERVER_PORT": "443" if settings.SECURE_SSL_REDIRECT else "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_AUTHORIZATION": f"Bearer {secret}",
            "HTTP_X_FORWARDED_PROTO": "https",
            "wsgi.url_scheme": "https" if settings.SECURE_SSL_REDIRECT else "http",
            "wsgi.errors": sys.stderr,
            "wsgi.version": (1, 0),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }

    def get(self, path: str, query: dict[str, Any]) -> bytes:
        """Return the body of the answer, which must be one."""
        asked = {"PATH_INFO": f"/api/v1{path}", "QUERY_STRING": urlencode(query, doseq=True)}
        said: list[str] = []

        def start(status: str, _headers: object, _error: object = None, /) -> Callable[[bytes], object]:
            said.append(status)
            return lambda _body: None

        answer = self._site({**self._head, **asked, "wsgi.input": BytesIO()}, start)
        body = b"".join(answer)
        answer.close()
        if not said[0].startswith("200"):
            raise ValueError(f"{asked} answered {said[0]}.")
        return body


@contextmanager
def _one_connection() -> Iterator[None]:
    """Keep the connection, and with it the transaction that is undone, over the ends of requests."""
    ends = (request_started, request_finished)
    for signal in ends:
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in ends:
            signal.connect(close_old_connections)


def _calls(account: Account) -> dict[str, Callable[[], tuple[str, dict[str, Any]]]]:
    """Return the kinds of calls, each a maker of addresses that differ from one to the next."""
    rng = random.Random(7)  # noqa: S311 - a benchmark needs no secrets
    scope = Scope(account=account, roles=frozenset({Membership.Role.ADMINISTRATOR}))
    departments = list(scope.departments().filter(merged_into=None).exclude(key="").values_list("name", flat=True))
    campaigns = list(scope.campaigns().values_list("knowbe4_id", flat=True))
    people = list(scope.people().order_by("pk").values_list("knowbe4_id", flat=True)[:5_000])
    enrollments = list(scope.enrollments().order_by("pk").values_list("knowbe4_id", flat=True)[:5_000])

    def of(path: str, **query: Any) -> Callable[[], tuple[str, dict[str, Any]]]:
        return lambda: (path, {key: value() if callable(value) else value for key, value in query.items()})

    return {
        "metrics": of("/metrics", metrics="completion_rate,past_due,on_time_rate"),
        "metrics by department": of("/metrics", metrics="completion_rate,past_due", by="department"),
        "metrics of a campaign": of("/metrics", metrics="past_due", campaign=lambda: rng.choice(campaigns)),
        "campaigns": of("/campaigns"),
        "campaign": lambda: (f"/campaigns/{rng.choice(campaigns)}", {}),
        "enrollments": of("/enrollments"),
        "enrollments past due": of("/enrollments", state="past_due"),
        "enrollments of a department": of("/enrollments", department=lambda: rng.choice(departments)),
        "enrollments of a campaign": of("/enrollments", campaign=lambda: rng.choice(campaigns)),
        "enrollments of a person": of("/enrollments", person=lambda: rng.choice(people)),
        "enrollments, all there are": of("/enrollments", uncounted="true"),
        "enrollment": lambda: (f"/enrollments/{rng.choice(enrollments)}", {}),
        "people": of("/people"),
        "people of a department": of("/people", department=lambda: rng.choice(departments)),
        "person": lambda: (f"/people/{rng.choice(people)}", {}),
        "groups": of("/groups"),
        "content": of("/content"),
        "phishing results": of("/phishing-results"),
        "changes": of("/changes"),
        "sync": of("/sync"),
    }


def _measured(program: _Program, name: str, asked: Callable[[], tuple[str, dict[str, Any]]], runs: int) -> Figure:
    for _again in range(WARM_UP):
        program.get(*asked())
    wall, processor = [], []
    for _run in range(runs):
        path, query = asked()
        began, used = time.perf_counter(), time.process_time()
        program.get(path, query)
        wall.append((time.perf_counter() - began) * 1_000)
        processor.append((time.process_time() - used) * 1_000)
    beside = {
        "median ms": round(statistics.median(wall), 2),
        "processor ms": round(statistics.median(processor), 2),
        "runs": runs,
    }
    return Figure(f"API: {name}", round(percentile(wall, 95), 2), "ms", at_most=GOAL, beside=beside)


def _whole(program: _Program, say: Callable[[str], None], pages: int) -> list[Figure]:
    """Read every enrollment, a thousand at a time."""
    rows, number, cursor, settled = 0, 0, "", 0.0
    began, used = time.perf_counter(), time.process_time()
    while not pages or number < pages:
        body = program.get("/enrollments", {"limit": PAGE, **({"cursor": cursor} if cursor else {})})
        told = _TAIL.search(body[-_TAIL_BYTES:])
        # Reading the rows is the program's work, not the API's.
        rows, number, cursor = rows + body.count(b'"enrollment_id":'), number + 1, told[1].decode() if told else ""
        if number == SETTLED:
            settled = _memory()
        if not cursor:
            break
    seconds, busy = time.perf_counter() - began, time.process_time() - used
    say(f"API: {rows:,} enrollments in {seconds:.1f} s")
    beside = {"rows": rows, "seconds": round(seconds, 1), "seconds of the processor": round(busy, 1)}
    return [
        Figure("API: rows a second", round(rows / seconds), "", at_least=ROWS_PER_SECOND, beside=beside),
        Figure("API: memory gained", round(_memory() - settled, 1) if settled else 0.0, "MB", at_most=GROWTH),
    ]


def _memory() -> float:
    """Return how much memory this process has, in megabytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0
