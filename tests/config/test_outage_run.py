"""All of `bin/run` with services that refuse under readers: no 500, no lost act; ready says so, and is well again."""

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

import psycopg
import pytest
import redis

from tests.config.test_run import READY, Installation, installation
from tests.sync.faults.processes import wait_until

__all__ = ["installation"]

READERS, REFUSES_FOR = 8, 12.0
PAGES = ("/", "/people/", "/past-due/", "/sync/", "/trends/", "/exports/", "/campaigns/")
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


class Reader:
    """A browser signed in by one click as the demo's administrator."""

    def __init__(self, base: str) -> None:
        self.base, self.seen = base, Counter[int]()
        self.opener: OpenerDirector = build_opener(HTTPCookieProcessor(CookieJar()))
        page = self.ask("/sign-in/")[1]
        assert self.post("/demo/administrator/", TOKEN.findall(page)[0])[0] == 200

    def ask(self, path: str, data: bytes | None = None) -> tuple[int, str]:
        try:
            with self.opener.open(Request(self.base + path, data, {"Referer": self.base + path}), timeout=30) as found:
                status, text = found.status, found.read().decode(errors="replace")
        except HTTPError as error:
            with error:
                status, text = error.code, error.read().decode(errors="replace")
        self.seen[status] += 1
        return status, text

    def post(self, path: str, token: str, **fields: str) -> tuple[int, str]:
        return self.ask(path, urlencode({"csrfmiddlewaretoken": token, **fields}).encode())


class Readers:
    """Several of them, who read until they are stopped."""

    def __init__(self, base: str) -> None:
        self.all = [Reader(base) for _ in range(READERS)]
        self.is_over = threading.Event()
        self.threads = [threading.Thread(target=self._read, args=(one,)) for one in self.all]

    def _read(self, reader: Reader) -> None:
        while not self.is_over.is_set():
            for page in PAGES:
                reader.ask(page)

    def seen(self) -> Counter[int]:
        return sum((one.seen for one in self.all), Counter[int]())


def _ready(base: str) -> tuple[int, set[str]]:
    try:
        with build_opener().open(f"{base}/health/ready", timeout=20) as found:
            return found.status, set(json.load(found)["missing"])
    except HTTPError as error:
        with error:
            return error.code, set(json.load(error)["missing"])


@pytest.fixture
def base(installation: Installation) -> Iterator[str]:
    run = installation.start()
    installation.read_until(run, READY)
    # Nobody reads on: what it writes must not fill the pipe.
    reading = threading.Thread(target=lambda: installation.lines.extend(run.stdout or ()))
    reading.start()
    yield f"http://127.0.0.1:{installation.port}"
    run.terminate()
    run.wait(60)
    reading.join(20)
    assert run.stdout is not None
    run.stdout.close()


def _postgres(var: Path, *, refuses: bool) -> None:
    """Let nobody in, and throw out whoever is: what a fail-over or a full server does."""
    with psycopg.connect(f"postgresql://postgres@/postgres?host={var / 'run'}", autocommit=True) as owner:
        owner.execute(f"ALTER DATABASE rollcall ALLOW_CONNECTIONS {str(not refuses).lower()}")
        if refuses:
            owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'rollcall'")


def _redis(var: Path, *, trouble: str) -> None:
    with redis.Redis(unix_socket_path=str(var / "run" / "redis.sock")) as client:
        client.config_set("maxmemory", 1 if trouble == "full" else 0)
        client.execute_command("REPLICAOF", *(("127.0.0.1", "1") if trouble == "read-only" else ("NO", "ONE")))


def _ask_for_sync(reader: Reader) -> None:
    """Ask for a sync as the page does, by its form."""
    status, page = reader.ask("/sync/")
    assert status == 200
    assert reader.post("/sync/start/", TOKEN.findall(page)[0])[0] == 200


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_services_that_refuse_under_readers(installation: Installation, base: str) -> None:
    wait_until(lambda: _ready(base) == (200, set()), patience=120)
    var = installation.var
    url = f"postgresql://rollcall@/rollcall?host={var / 'run'}"

    def ask(question: str) -> int:
        with psycopg.connect(url) as connection:
            found = connection.execute(question).fetchone()
            return int(found[0]) if found else 0

    readers = Readers(base)
    for thread in readers.threads:
        thread.start()
    try:
        for trouble in ("full", "read-only"):
            before = ask("SELECT count(*) FROM sync_syncrun WHERE state = 'published'")
            _redis(var, trouble=trouble)
            wait_until(lambda: _ready(base) == (503, {"redis"}), patience=20)
            _ask_for_sync(readers.all[0])
            # Nobody can sign in anew? They can: limits are not counted meanwhile.
            Reader(base)
            time.sleep(REFUSES_FOR)
            assert not readers.seen().keys() - {200}, readers.seen()
            _redis(var, trouble="")
            wait_until(lambda: _ready(base) == (200, set()), patience=200)
            wait_until(
                lambda before=before: ask("SELECT count(*) FROM sync_syncrun WHERE state = 'published'") > before,
                patience=120,
            )
        _postgres(var, refuses=True)
        wait_until(lambda: "database" in _ready(base)[1], patience=20)
        time.sleep(REFUSES_FOR)
        _postgres(var, refuses=False)
        wait_until(lambda: _ready(base) == (200, set()), patience=200)
    finally:
        readers.is_over.set()
        for thread in readers.threads:
            thread.join(60)
    seen = readers.seen()
    assert seen.keys() <= {200, 503}, seen
    assert seen[503] > 0
    assert [status for page in PAGES for status in (readers.all[0].ask(page)[0],)] == [200] * len(PAGES)
