"""gunicorn's worker, which leaves long addresses to the site and ends when a request never does.

gunicorn answers a line of more than 8,190 bytes itself, in HTML that no program of the API can read, and takes no
higher limit; the site's own answer (`dashboard.web.refusals`) is a page or a problem.

gunicorn's `--timeout` asks whether the main thread runs, which it does while every other one is stuck. So each request
has a deadline until its answer begins, as has each part of a streamed answer (sending it may take as long as the reader
takes): beyond it the process takes no more requests, gives the others `--graceful-timeout` to end, and is replaced.
Waiting for a client is not counted; one that sends nothing of what it announced is hung up on.
"""

import faulthandler
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from gunicorn.http import message
from gunicorn.workers.gthread import ThreadWorker

# Bytes of "GET /address HTTP/1.1"; `--limit-request-line` is this, and what is longer gunicorn still refuses.
LONGEST_LINE = 65_536
message.MAX_REQUEST_LINE = LONGEST_LINE + 1


class Worker(ThreadWorker):
    """A worker with threads that ends when one of them is stuck."""

    # Seconds. A report may wait a minute for others, and take one and a half (`dashboard.reports.typesetting`).
    DEADLINE = 180.0
    # Seconds that a client may send nothing in the middle of a request.
    SILENCE = 60
    wsgi: Callable[..., Iterable[bytes]]
    alive: bool

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        # By thread: since when it has been at work on a request without waiting for the client.
        self._active_at: dict[int, float] = {}
        self._is_stuck = False

    def load_wsgi(self) -> None:
        """Load the site, with a look at the clock around each request."""
        super().load_wsgi()
        inner = self.wsgi

        def watched(environment: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            environment["wsgi.input"] = _Body(environment["wsgi.input"], self._active_at)
            with _working(self._active_at):
                found = inner(environment, start_response)
            # gunicorn sends a file by itself.
            return found if isinstance(found, environment["wsgi.file_wrapper"]) else _Answer(found, self._active_at)

        self.wsgi = watched

    def enqueue_req(self, conn: Any) -> None:
        """Have a thread read a request and answer it. The operating system ends a read that brings nothing."""
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", self.SILENCE, 0))
        super().enqueue_req(conn)

    def notify(self) -> None:
        """Tell gunicorn that the main thread runs; begin to end where a request is past its deadline."""
        super().notify()
        if (
            self.alive
            and time.monotonic() - min(list(self._active_at.values()), default=time.monotonic()) > self.DEADLINE
        ):
            self.log.critical(
                "A request has taken more than %d seconds: this process is replaced. What its threads do:",
                self.DEADLINE,
            )
            faulthandler.dump_traceback(all_threads=True)
            self.alive, self._is_stuck = False, True

    def run(self) -> None:
        """Serve. Python would wait for a stuck thread before it ends a process."""
        super().run()
        if self._is_stuck:
            os._exit(1)


@contextmanager
def _working(active_at: dict[int, float]) -> Iterator[None]:
    """Count the time of the block, by its thread."""
    thread = threading.get_ident()
    active_at[thread] = time.monotonic()
    try:
        yield
    finally:
        active_at.pop(thread, None)


class _Answer:
    """Parts of an answer. Making each is work of ours, sending it is not."""

    def __init__(self, parts: Iterable[bytes], active_at: dict[int, float]) -> None:
        self._parts, self._active_at = parts, active_at

    def __iter__(self) -> Iterator[bytes]:
        parts = iter(self._parts)
        while True:
            with _working(self._active_at):
                part = next(parts, None)
            if part is None:
                return
            yield part

    def close(self) -> None:
        if close := getattr(self._parts, "close", None):
            with _working(self._active_at):
                close()


class _Body:
    """Body that a client sends. Waiting for it is no work of ours; what sends nothing for too long raises OSError."""

    def __init__(self, body: Any, active_at: dict[int, float]) -> None:
        self._body, self._active_at = body, active_at

    def read(self, *size: int) -> bytes:
        return self._waited(self._body.read, *size)

    def readline(self, *size: int) -> bytes:
        return self._waited(self._body.readline, *size)

    def readlines(self, *hint: int) -> list[bytes]:
        return self._waited(self._body.readlines, *hint)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def _waited(self, ask: Callable[..., Any], *size: int) -> Any:
        thread = threading.get_ident()
        is_counted = self._active_at.pop(thread, None) is not None
        try:
            return ask(*size)
        finally:
            if is_counted:
                self._active_at[thread] = time.monotonic()
