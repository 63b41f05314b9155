"""Typst in a process of its own: what takes too long or too much memory ends that process, never the one that asks.

Each of our processes has one, started when it is first needed and again when it has ended. Requests wait for each
other, and not for ever: a report takes at most QUEUE, START and REPORT together, less than `config.web_worker` allows.
"""

import atexit
import base64
import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import RLock, Timer
from typing import IO, Any

from django.conf import settings
from django.utils.translation import gettext as _

from dashboard.reports import typst_child
from dashboard.reports.fonts_installed import folders

logger = logging.getLogger(__name__)

TEMPLATES = settings.BASE_DIR / "templates" / "pdf"
# Of address space: a report of a thousand pages takes a third of it.
MEMORY = 3 * 1024**3
# Seconds: until the process has loaded its fonts, for a report, for a drawing, and in the queue for either.
START, REPORT, DRAWING, QUEUE = 30, 60, 5, 60
# Typst's threads: their processor time is added up, and each takes address space (64 of them, 1.2 GB).
THREADS = 4


class TypesettingError(Exception):
    """Typst refuses; the message is Typst's."""


class LimitError(Exception):
    """The queue, the time or the memory is used up; the message is a sentence to show."""


def compiled(*, source: bytes | None = None, **asked: Any) -> bytes:
    """Return what Typst's `compile` returns, empty for no page; `source` is a text instead of the file `input`.

    It takes a turn of its own where the caller has none. TypesettingError where Typst refuses, LimitError where it does
    not come to an end in time. MissingFontsError when a package of fonts is not installed.
    """
    if source is not None:
        asked["source"] = base64.b64encode(source).decode()
    with turn():
        return _typst.answer(asked)


@contextlib.contextmanager
def turn(seconds: float = REPORT) -> Iterator[None]:
    """Have Typst for oneself, for all that is compiled in the block together; a turn within a turn is part of it.

    LimitError when others are before it too long.
    """
    if not _typst.lock.acquire(timeout=QUEUE):
        raise LimitError(_("Other reports are being set: try again in a minute."))
    is_within = _typst.ends_at is not None
    try:
        if not is_within:
            _typst.start()
            _typst.ends_at = time.monotonic() + seconds
        yield
    finally:
        if not is_within:
            _typst.ends_at = None
        _typst.lock.release()


class _Typst:
    """The process, and how it is asked. One thread at a time, which holds the lock."""

    def __init__(self) -> None:
        self.lock = RLock()
        # When the turn ends, by the monotonic clock; None without one.
        self.ends_at: float | None = None
        self.process: subprocess.Popen[bytes] | None = None

    def answer(self, asked: dict[str, Any]) -> bytes:
        """Return what the process answers. It is ended when it does not before the turn ends."""
        process = self.start()
        too_long = LimitError(_("It takes too long to be drawn."))
        seconds = (self.ends_at or 0) - time.monotonic()
        if seconds <= 0:
            raise too_long
        body = json.dumps({**asked, "processor_seconds": int(seconds * THREADS) + 1}).encode()
        into, out = _pipes(process)
        with _ended_after(process, seconds) as is_late:
            with contextlib.suppress(BrokenPipeError):
                into.write(typst_child.LENGTH.pack(len(body)) + body)
                into.flush()
            state, length = out.read(1), out.read(typst_child.LENGTH.size)
            size = typst_child.LENGTH.unpack(length)[0] if len(length) == typst_child.LENGTH.size else -1
            found = out.read(size) if size > 0 else b""
        if is_late or len(found) != size:
            self.end()
            logger.error("Typst's process has ended, with status %s.", process.returncode)
            if is_late or process.returncode == -signal.SIGXCPU:
                raise too_long
            raise LimitError(_("The process that draws it has ended: it takes too much memory, or cannot be drawn."))
        if state == b"-":
            raise TypesettingError(found.decode())
        return found

    def start(self) -> subprocess.Popen[bytes]:
        """Return the process, ready to be asked."""
        if self.process is not None and self.process.poll() is None:
            return self.process
        self.end()
        told = {"root": str(TEMPLATES), "fonts": folders(), "memory": MEMORY}
        kept = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
        self.process = subprocess.Popen(
            [sys.executable, "-I", str(Path(typst_child.__file__)), json.dumps(told)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={name: os.environ[name] for name in kept if name in os.environ} | {"RAYON_NUM_THREADS": str(THREADS)},
            cwd="/",
        )
        with _ended_after(self.process, START):
            is_ready = _pipes(self.process)[1].read(1) == b"!"
        if not is_ready:
            self.end()
            raise LimitError(_("The program that draws reports does not start: the log says why."))
        return self.process

    def end(self) -> None:
        """End the process; the next request starts another."""
        process, self.process = self.process, None
        if process is not None:
            process.kill()
            process.communicate()


@contextlib.contextmanager
def _ended_after(process: subprocess.Popen[bytes], seconds: float) -> Iterator[list[bool]]:
    """Kill the process after so many seconds of the block; the list is empty unless it was."""
    is_late: list[bool] = []

    def expire() -> None:
        is_late.append(True)
        process.kill()

    timer = Timer(seconds, expire)
    timer.daemon = True
    timer.start()
    try:
        yield is_late
    finally:
        timer.cancel()
        timer.join()


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    assert process.stdin is not None and process.stdout is not None  # noqa: S101 - for the types: they are pipes
    return process.stdin, process.stdout


def end() -> None:
    """End the process, if there is one."""
    _typst.end()


def _forget() -> None:
    """Leave the process and the lock to the parent that forked this process, which has none of either."""
    global _typst
    if _typst.process is not None:
        _typst.process.returncode = 0  # not ours to wait for
    _typst = _Typst()


_typst = _Typst()
atexit.register(end)
os.register_at_fork(after_in_child=_forget)
