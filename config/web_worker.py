"""gunicorn's worker, which leaves long addresses to the site and ends when a request never does.

gunicorn answers a line of more than 8,190 bytes itself, in HTML that no program of the API can read, and takes no
higher limit; the site's own answer (`dashboard.web.refusals`) is a page or a problem.

gunicorn's `--timeout` asks whether the main thread runs, which it does while every other one is stuck. So each request
has a deadline until its answer begins (what is streamed after that may take as long as the reader takes): beyond it the
process takes no more requests, gives the others `--graceful-timeout` to end, and is replaced.
"""

import faulthandler
import os
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from gunicorn.http import message
from gunicorn.workers.gthread import ThreadWorker

# Bytes of "GET /address HTTP/1.1"; `--limit-request-line` is this, and what is longer gunicorn still refuses.
LONGEST_LINE = 65_536
message.MAX_REQUEST_LINE = LONGEST_LINE + 1


class Worker(ThreadWorker):
    """A worker with threads that ends when one of them is stuck."""

    # Seconds. A report may wait a minute for others and take another (`dashboard.reports.typesetting`).
    DEADLINE = 180.0
    wsgi: Callable[..., Iterable[bytes]]
    alive: bool

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        # By thread: when its request was begun, or its client sent something last.
        self._active_at: dict[int, float] = {}
        self._is_stuck = False

    def load_wsgi(self) -> None:
        """Load the site, with a look at the clock around each request."""
        super().load_wsgi()
        inner = self.wsgi

        def watched(environment: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            thread = threading.get_ident()
            self._active_at[thread] = time.monotonic()
            environment["wsgi.input"] = _Body(environment["wsgi.input"], self._active_at, thread)
            try:
                return inner(environment, start_response)
            finally:
                self._active_at.pop(thread, None)

        self.wsgi = watched

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


class _Body:
    """Body that a client sends. As long as something comes, the request is not stuck."""

    def __init__(self, body: Any, active_at: dict[int, float], thread: int) -> None:
        self._body, self._active_at, self._thread = body, active_at, thread

    def read(self, *size: int) -> bytes:
        return self._seen(self._body.read(*size))

    def readline(self, *size: int) -> bytes:
        return self._seen(self._body.readline(*size))

    def readlines(self, *hint: int) -> list[bytes]:
        return self._seen(self._body.readlines(*hint))

    def __iter__(self) -> Any:
        return iter(self._body)

    def _seen(self, data: Any) -> Any:
        if data:
            self._active_at[self._thread] = time.monotonic()
        return data
