"""Workers as processes of their own on the test's database, to be killed at a known point."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from urllib.parse import quote, urlencode

import psycopg
from django.conf import settings
from django.db import connection

from config.local.embedded import BASE_DIR
from sync.models import Account

PATIENCE = 60.0


def database_url() -> str:
    """Return the libpq address of this process's own test database."""
    found = connection.settings_dict
    user = quote(found["USER"]) + (f":{quote(found['PASSWORD'])}" if found["PASSWORD"] else "")
    where = {"host": found["HOST"], "port": found["PORT"]}
    query = urlencode({name: value for name, value in where.items() if value})
    return f"postgresql://{user}@/{found['NAME']}?{query}"


def environment() -> dict[str, str]:
    """Return the environment in which a worker shares this test's database, Redis and secrets."""
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": database_url(),
        "REDIS_URL": settings.REDIS_URL,
        "SECRET_KEY": settings.SECRET_KEY,
        "ALLOWED_HOSTS": "localhost",
    }


class Worker:
    """One worker; what it says is in `said` once it has ended."""

    def __init__(self, account: Account, at: datetime, log: Path) -> None:
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.sync.faults.worker", str(account.pk), at.isoformat()],
                cwd=BASE_DIR,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self) -> str:
        """Everything it printed so far."""
        return self.log.read_text()

    def kill(self) -> None:
        """End it as the kernel does: nothing of it runs any more."""
        assert self.process.poll() is None, self.said
        self.process.kill()
        self.process.wait()

    def wait(self) -> int:
        """Return its exit status."""
        return self.process.wait(PATIENCE)


def wait_until(is_so: Callable[[], object], *, patience: float = PATIENCE) -> None:
    """Wait until something is so; fail when it never is."""
    deadline = time.monotonic() + patience
    while not is_so():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@contextmanager
def table_lock(statement: str, url: str | None = None) -> Iterator[Callable[[], bool]]:
    """Hold a lock in a session of its own; gives a function that tells whether another session waits for it."""
    with psycopg.connect(url or database_url()) as holder:
        holder.execute(statement)
        with psycopg.connect(url or database_url(), autocommit=True) as watcher:
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE %s = ANY(pg_blocking_pids(pid))"
            pid = holder.info.backend_pid

            def is_awaited() -> bool:
                found = watcher.execute(waiting, [pid]).fetchone()
                return bool(found and found[0])

            yield is_awaited
        holder.rollback()
