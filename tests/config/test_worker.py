"""A worker outlives a Redis that refuses, and signs again once it is well."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from config import embedded, processes
from tests.redis_server import RedisServer, redis_server
from tests.sync.faults.processes import environment, wait_until


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with redis_server() as running:
        yield running


@pytest.mark.slow
def test_a_worker_outlives_a_redis_that_refuses(db: None, server: RedisServer, tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
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
        with redis.from_url(server.url) as client:
            wait_until(lambda: client.exists("alive:worker"))
            for trouble in ("read-only", "full"):
                said = len(log.read_text())
                server.trouble(trouble)
                wait_until(lambda said=said: len(log.read_text()) > said, patience=30)
                assert worker.poll() is None, log.read_text()
                server.mend()
                client.delete("alive:worker")
                wait_until(lambda: worker.poll() is not None or client.exists("alive:worker"))
                assert worker.poll() is None, log.read_text()
    finally:
        worker.terminate()
        worker.wait(30)
