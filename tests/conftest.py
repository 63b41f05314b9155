"""Base of every test: real Postgres and Redis, no way out to the network, a fixed moment."""

import asyncio
import gc
import os
import re
import shutil
import socket
from collections.abc import Generator, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
import redis
import time_machine
from django.conf import settings
from django.core.cache import cache
from django.db import connection, transaction
from django.test import TransactionTestCase
from psycopg import sql

from config.local import embedded
from sync.simulator.company import Company
from sync.simulator.server import Simulator, serve
from tests import clock
from tests.databases import drop_test_database, is_test_database_made, make_test_database, vacuum
from tests.session_cookies import sign_cookies_of_clients

# Playwright's synchronous interface keeps an event loop in the thread that also asks the database.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

_CONNECT, _CONNECT_EX, _GETADDRINFO = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo
# Made with the tables, and the same for every test.
KEPT = {"django_migrations", "django_content_type", "auth_permission"}
STANDING = pytest.StashKey[time_machine.Traveller]()
_LOCAL_NAMES = {None, "", "localhost", "::1"}


class BlockedConnectionError(AssertionError):
    """A test tried to leave this machine; not an OSError, which the code under test might swallow."""


def _require_local(host: object) -> None:
    name = host.decode() if isinstance(host, bytes) else host
    if name not in _LOCAL_NAMES and not str(name).startswith("127."):
        raise BlockedConnectionError(f"a test tried to reach {name}")


def _is_network(sock: socket.socket) -> bool:
    return sock.family in {socket.AF_INET, socket.AF_INET6}


def _connect(self: socket.socket, address: Any) -> None:
    if _is_network(self):
        _require_local(address[0])
    _CONNECT(self, address)


def _connect_ex(self: socket.socket, address: Any) -> int:
    if _is_network(self):
        _require_local(address[0])
    return _CONNECT_EX(self, address)


def _getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
    _require_local(host)
    return _GETADDRINFO(host, *args, **kwargs)


def _redis_number() -> int:
    """Return this process's own Redis database: 1, 2, ...; 0 belongs to the installation itself."""
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) + 1


def _own_redis(url: str) -> str:
    """Return the address of the same Redis with this process's own database; Celery's spelling too."""
    number = _redis_number()
    if url.startswith(("unix://", "redis+socket://")):
        return re.sub(r"(?<=[?&])(db|virtual_host)=\d+", rf"\1={number}", url)
    return urlsplit(url)._replace(path=f"/{number}").geturl()


def pytest_configure(config: pytest.Config) -> None:
    """Close the network and give each process its own Redis database."""
    socket.socket.connect = _connect
    socket.socket.connect_ex = _connect_ex
    socket.getaddrinfo = _getaddrinfo
    url = _own_redis(settings.REDIS_URL)
    settings.REDIS_URL = url
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": url}}
    settings.CELERY_BROKER_URL = _own_redis(settings.CELERY_BROKER_URL)
    sign_cookies_of_clients()
    settings.PASSWORD_HASHERS = ["tests.hashers.QuickArgon2PasswordHasher"]
    # Tests show pages without collecting static files first.
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }


def pytest_unconfigure() -> None:
    """Open the network again and let the services go."""
    socket.socket.connect = _CONNECT
    socket.socket.connect_ex = _CONNECT_EX
    socket.getaddrinfo = _GETADDRINFO
    embedded.release()


def pytest_sessionstart(session: pytest.Session) -> None:
    """Start Postgres and Redis once; the other processes of the run find them running."""
    if session.config.option.collectonly or not embedded.is_wanted():
        return
    try:
        _start_services()
    except embedded.EmbeddedError as error:
        pytest.exit(str(error), returncode=1)


def _start_services() -> None:
    """Start both. Nothing of the suite's waits for the disk: what a power cut left of its Postgres is made anew."""
    try:
        embedded.ensure_running()
    except embedded.EmbeddedError as error:
        if not (embedded.is_fast() and str(error).startswith("Postgres did not start")):
            raise
        shutil.rmtree(embedded.VAR_DIR / "postgres")
        embedded.ensure_running()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what is slow, so that no process is left with it alone at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_collection_finish() -> None:
    """Have the garbage collector pass over what the run has loaded by now: looking at it again took a tenth of it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Have every test stand at its moment, with the fixtures made for it and those made for many.

    Playwright leaves its event loop running in this thread; a test that drives no browser has none, as in production.
    """
    loop = asyncio._get_running_loop()
    if item.get_closest_marker("browser") is None:
        asyncio._set_running_loop(None)
    with clock.stand() as standing:
        item.stash[STANDING] = standing
        try:
            return (yield)
        finally:
            if loop is not None and loop.is_running():
                asyncio._set_running_loop(loop)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest
) -> Generator[None, object, object]:
    """Take no time of the first test for what is made once for many: a database takes half a minute."""
    made = yield
    if fixturedef.scope != "function":
        request._pyfuncitem.stash[STANDING].move_to(clock.MOMENT)
    return made


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_modify_db_settings: None, django_db_blocker: Any
) -> Iterator[None]:
    """Make this process's test database, and drop it."""
    if embedded.is_wanted():
        with psycopg.connect(embedded.database_url(user="postgres")) as owner:
            # Of two workers at once one would fail: it is one row of the server's.
            owner.execute("SELECT pg_advisory_xact_lock(hashtext('rollcall test rights'))")
            owner.execute("GRANT SET ON PARAMETER session_replication_role TO rollcall")
    with django_db_blocker.unblock():
        make_test_database()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _case: empty_tables())
        yield
    with django_db_blocker.unblock():
        drop_test_database()


@pytest.fixture(scope="module", autouse=True)
def _vacuumed(django_db_blocker: Any) -> Iterator[None]:
    """Leave no dead rows to the next module. It is made first, so it ends after all else that a module has."""
    yield
    with django_db_blocker.unblock():
        if is_test_database_made():
            vacuum()


def empty_tables() -> None:
    """Empty the tables that a test which commits has filled.

    Django truncates every table and then tells all apps to set up anew: a third of a second, where most tables are
    empty. As a replica no foreign key and no trigger of the append-only tables is asked; on a database of your own your
    role needs that right.
    """
    tables = [table for table in connection.introspection.django_table_names(only_existing=True) if table not in KEPT]
    first_row = sql.SQL("(SELECT {} FROM {} LIMIT 1)")
    filled = sql.SQL(" UNION ALL ").join(first_row.format(table, sql.Identifier(table)) for table in tables)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(filled)
        for (table,) in cursor.fetchall():
            cursor.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))


@pytest.fixture(scope="session", autouse=True)
def static_root() -> None:
    """Make the directory that WhiteNoise serves from; nothing need be collected into it."""
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """Return the address of this process's own Redis database, empty at the start."""
    client = redis.from_url(settings.REDIS_URL)
    client.flushdb()
    yield settings.REDIS_URL
    client.flushdb()
    client.close()


@pytest.fixture(autouse=True)
def _nothing_counted() -> None:
    """Start every test with an empty Redis: what others asked must not use up this one's limits."""
    cache.clear()


@pytest.fixture
def now() -> datetime:
    """Return the moment at which every test stands: a Monday morning, 09:30 UTC. The clock goes on from there."""
    return clock.MOMENT


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Drive the system's Chromium, as root too, and keep it from calling home."""
    names = (os.environ.get("CHROMIUM"), "chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    found = [path for name in names if name and (path := shutil.which(name))]
    if not found:
        pytest.fail("The browser tests need Chromium: install it or set CHROMIUM to its path.")
    return browser_type_launch_args | {
        "executable_path": found[0],
        "args": [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ],
    }


@pytest.fixture(scope="session")
def company() -> Company:
    """Return the invented company that simulators serve: sixty people and their three years."""
    return Company(seed=11, people=60)


@pytest.fixture
def simulator(company: Company, now: datetime) -> Iterator[Simulator]:
    """Return a simulated KnowBe4 of the company whose clock stands at `now` until it is moved."""
    with serve(company, at=now) as running:
        yield running
