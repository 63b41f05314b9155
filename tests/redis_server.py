"""A Redis of a test's own, to be lost and found, and made to refuse."""

import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import redis
from kombu import pools

from config import variables
from config.celery import app
from config.local import embedded
from tests.sync.faults.processes import wait_until

# What can be the matter with it, as `RedisServer.trouble` takes it.
TROUBLES = ("away", "full", "read-only", "silent")


def short_directory() -> tempfile.TemporaryDirectory[str]:
    """Return a directory whose path leaves room for a socket's; what stops last may still write into it."""
    return tempfile.TemporaryDirectory(prefix="rollcall", dir="/tmp", ignore_cleanup_errors=True)


class RedisServer:
    """One server in a folder, reached by a socket."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "redis.sock"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"unix://{self.socket}?db=0"

    def start(self) -> None:
        """Start it, empty, and wait until it answers."""
        options = {"port": "0", "unixsocket": str(self.socket), "save": "", "appendonly": "no"}
        arguments = [text for name, value in options.items() for text in (f"--{name}", value)]
        binary = embedded.find_binaries().redis
        self.process = subprocess.Popen([binary, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with redis.from_url(self.url) as client:
            wait_until(lambda: _pong(client))

    def stop(self) -> None:
        """Kill it."""
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()
            self.process = None

    def trouble(self, kind: str) -> None:
        """Take it away, or have it refuse what is written, or say nothing any more."""
        if kind == "away":
            self.stop()
        elif kind == "silent":
            assert self.process is not None
            self.process.send_signal(signal.SIGSTOP)
        else:
            with redis.from_url(self.url) as client:
                if kind == "full":
                    client.config_set("maxmemory", 1)
                else:
                    client.execute_command("REPLICAOF", "127.0.0.1", "1")

    def mend(self) -> None:
        """Have it answer and take what is written again."""
        if self.process is None:
            self.start()
            return
        self.process.send_signal(signal.SIGCONT)
        with redis.from_url(self.url) as client:
            client.config_set("maxmemory", 0)
            client.execute_command("REPLICAOF", "NO", "ONE")


@contextmanager
def redis_server() -> Iterator[RedisServer]:
    """Lend a running server."""
    with short_directory() as folder:
        server = RedisServer(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def queue_in(server: RedisServer) -> Iterator[None]:
    """Have this process queue its tasks in another server."""
    before = app.conf.broker_write_url, app.conf.broker_transport_options
    _requeue(variables.celery_url(server.url), before[1] | {"socket_timeout": 0.5})
    try:
        yield
    finally:
        _requeue(*before)


def _requeue(url: str, options: dict[str, object]) -> None:
    pools.reset()
    app._pool = app.amqp._producer_pool = None
    app.conf.broker_write_url = app.conf.broker_url = url
    app.conf.broker_transport_options = options


def _pong(client: redis.Redis) -> bool:
    with suppress(redis.ConnectionError):
        return bool(client.ping())
    return False
