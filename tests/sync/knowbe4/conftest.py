import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from config.local import embedded
from sync.knowbe4.client import Client
from sync.knowbe4.retry import Retry
from tests.sync.knowbe4.server import Script, serving

KEY = "kb4-secret-7f3a9c"


@pytest.fixture(scope="session")
def _server() -> Iterator[Script]:
    with serving() as script:
        yield script


@pytest.fixture
def server(_server: Script) -> Script:
    """A KnowBe4 that says what the test tells it to."""
    _server.says([])
    return _server


@pytest.fixture
def waits() -> list[tuple[float, str]]:
    """Every wait the client told of."""
    return []


@pytest.fixture
def client(server: Script, waits: list[tuple[float, str]]) -> Iterator[Client]:
    """A client of `server` that waits in name only."""
    with Client(
        server.url,
        KEY,
        timeout=(1.0, 1.0),
        on_wait=lambda seconds, reason: waits.append((seconds, reason)),
        sleep=lambda seconds: None,
        retry=Retry(),
    ) as client:
        yield client


class RedisServer:
    """A real Redis on a unix socket that can be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "redis.sock"
        self.url = f"unix://{self.socket}"
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [
            embedded.find_binaries().redis,
            "--port",
            "0",
            "--unixsocket",
            self.socket,
            "--dir",
            self.folder,
            "--save",
            "",
        ]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        with redis.Redis.from_url(self.url) as connection:
            while True:
                try:
                    connection.ping()
                    return
                except redis.ConnectionError:
                    assert time.monotonic() < deadline, "Redis does not start"
                    time.sleep(0.02)

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(10)
            self.process = None


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis of the test's own, running, to be stopped at will."""
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.stop()
