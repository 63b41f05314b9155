"""A worker outlives a Redis that refuses, and signs again once it is well."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import psycopg
import pytest
import redis

from config import processes
from config.local import embedded
from dashboard.models import AskedTask
from dashboard.task_queue import send
from tests.redis_server import RedisServer, queue_in, redis_server
from tests.sync.faults.processes import database_url, environment, wait_until


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with redis_server() as running:
        yield running


@contextmanager
def working(server: RedisServer, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker of that Redis until the block ends."""
    with log.open("wb") as output:
        worker = subprocess.Popen(
            [sys.executable, "-m", *processes.WORKER.command],
            cwd=embedded.BASE_DIR,
            env=environment() | {"REDIS_URL": server.url},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield worker
    finally:
        worker.terminate()
        try:
            worker.wait(30)
        finally:
            worker.kill()


def lives(worker: subprocess.Popen[bytes], server: RedisServer) -> bool:
    """Return whether a worker has signed since `alive:worker` was last removed; False as well where it has ended."""
    with redis.from_url(server.url) as client:
        wait_until(lambda: worker.poll() is not None or client.exists("alive:worker"))
    return worker.poll() is None


@pytest.mark.soak
def test_a_worker_outlives_a_redis_that_refuses(db: None, server: RedisServer, tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    with working(server, log) as worker, redis.from_url(server.url) as client:
        assert lives(worker, server), log.read_text()
        for trouble in ("read-only", "full"):
            said = len(log.read_text())
            server.trouble(trouble)
            wait_until(lambda said=said: len(log.read_text()) > said, patience=30)
            assert worker.poll() is None, log.read_text()
            server.mend()
            client.delete("alive:worker")
            assert lives(worker, server), log.read_text()


@pytest.mark.soak
@pytest.mark.django_db(transaction=True)
def test_a_worker_at_work_outlives_a_redis_that_is_lost(server: RedisServer, now: datetime, tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    with working(server, log) as worker:
        assert lives(worker, server), log.read_text()
        with queue_in(server), psycopg.connect(database_url()) as holder:
            # The row is held here, so the task waits for it: its message is not acknowledged when Redis is lost.
            send("dashboard.tasks.queue_again")
            holder.execute("SELECT FROM dashboard_askedtask FOR UPDATE")
            wait_until(lambda: "queue_again[asked-" in log.read_text())
            server.trouble("away")
            wait_until(lambda: "Cannot connect" in log.read_text() or "Unrecoverable" in log.read_text())
            assert "Unrecoverable" not in log.read_text(), log.read_text()
            holder.rollback()
            server.mend()
            assert lives(worker, server), log.read_text()
            send("dashboard.tasks.queue_again")
            wait_until(lambda: not AskedTask.objects.exists())
