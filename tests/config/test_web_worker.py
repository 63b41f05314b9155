"""The web server ends a process whose request never ends, and no other."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest

from tests.dashboard.served import free_port


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """Serve the site that gets stuck, by one process with four threads."""
    number = free_port()
    program = Path(sys.executable).with_name("gunicorn")
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(
            [
                *(program, "tests.config.stuck_site:site", "--worker-class", "tests.config.stuck_site.Hasty"),
                *("--workers", "1", "--threads", "4", "--graceful-timeout", "1", "--bind", f"127.0.0.1:{number}"),
                "--no-control-socket",
            ],
            stdout=log,
            stderr=log,
        )
        try:
            yield number
        finally:
            server.terminate()
            server.wait(10)


def answer(port: int, path: str = "/") -> str:
    """Return what the site answers, asked until it does."""
    until = time.monotonic() + 20
    while True:
        try:
            with closing(HTTPConnection("127.0.0.1", port, timeout=10)) as site:
                site.request("GET", path)
                return site.getresponse().read().decode().strip()
        except (OSError, HTTPException):
            assert time.monotonic() < until
            time.sleep(0.1)


@pytest.mark.slow
def test_what_takes_its_time_is_not_stuck(port: int, tmp_path: Path) -> None:
    first = answer(port)
    assert answer(port, "/streamed") == first
    with socket.create_connection(("127.0.0.1", port)) as slow:
        slow.sendall(b"POST /sent HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nConnection: close\r\n\r\n")
        for _again in range(5):
            time.sleep(0.5)
            slow.sendall(b"x")
        with slow.makefile("rb") as answered:
            assert first in answered.read().decode()
    assert answer(port) == first
    assert "is replaced" not in (tmp_path / "log").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("announced", [b"\r\nContent-Length: 5\r\n\r\n", b""])
def test_a_client_that_sends_nothing_more_ends_no_process(port: int, tmp_path: Path, announced: bytes) -> None:
    first = answer(port)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as silent:
        silent.sendall(b"POST /sent HTTP/1.1\r\nHost: x" + announced)
        begun = time.monotonic()
        while silent.recv(1000):
            pass
        assert time.monotonic() - begun < 5
    time.sleep(2)
    assert answer(port) == first
    assert "is replaced" not in (tmp_path / "log").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("path", [b"/stuck", b"/begun"])
def test_a_process_with_a_stuck_request_is_replaced(port: int, tmp_path: Path, path: bytes) -> None:
    first = answer(port)
    with socket.create_connection(("127.0.0.1", port)) as stuck:
        stuck.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n")
        until = time.monotonic() + 20
        while answer(port) == first:
            assert time.monotonic() < until
            time.sleep(0.1)
    log = (tmp_path / "log").read_text()
    assert "A request has taken more than 2 seconds: this process is replaced." in log
    assert "stuck_site.py" in log
