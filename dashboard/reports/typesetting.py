"""Typst in a process of its own: what takes too long or too much memory ends that process, never the one that asks.

Each of our processes has one, started when it is first needed and again when it has ended. Requests wait for each
other, and not for ever.
"""

import atexit
import base64
import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from threading import Lock, Timer
from typing import IO, Any

from django.conf import settings
from django.utils.translation import gettext as _

from dashboard.reports import typst_child
from dashboard.reports.fonts_installed import folders

TEMPLATES = settings.BASE_DIR / "templates" / "pdf"
# Of address space: a report of a thousand pages takes a third of it.
MEMORY = 3 * 1024**3
# Seconds: until the process has loaded its fonts, for a report, for a drawing, and in the queue for either.
START, REPORT, DRAWING, QUEUE = 60, 60, 5, 60
# Typst works in several threads: their processor time is added up.
_THREADS = 4


class TypesettingError(Exception):
    """Typst refuses; the message is Typst's."""


class LimitError(Exception):
    """It took too long, or too much memory, and was ended; the message is a sentence to show."""


def compiled(*, seconds: int = REPORT, source: bytes | None = None, **asked: Any) -> bytes:
    """Return what Typst's `compile` returns, empty for no page; `source` is a text instead of the file `input`.

    TypesettingError where Typst refuses, LimitError where it does not come to an end in `seconds`.
    MissingFontsError when a package of fonts is not installed.
    """
    if source is not None:
        asked["source"] = base64.b64encode(source).decode()
    body = json.dumps({**asked, "processor_seconds": seconds * _THREADS}).encode()
    if not _alone.acquire(timeout=QUEUE):
        raise LimitError(_("Other reports are being set: try again in a minute."))
    try:
        return _child.answer(body, seconds)
    finally:
        _alone.release()


class _Child:
    """The process, and how it is asked. One thread at a time."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0

    def answer(self, body: bytes, seconds: int) -> bytes:
        """Return what the process answers. It is ended when it does not within so many seconds."""
        process = self._started()
        with _ended_after(process, seconds), contextlib.suppress(BrokenPipeError):
            into, out = _pipes(process)
            into.write(typst_child.LENGTH.pack(len(body)) + body)
            into.flush()
            state, length = out.read(1), out.read(typst_child.LENGTH.size)
            if state and len(length) == typst_child.LENGTH.size:
                size = typst_child.LENGTH.unpack(length)[0]
                found = out.read(size)
                if len(found) == size:
                    if state == b"-":
                        raise TypesettingError(found.decode())
                    return found
        self.end()
        raise LimitError(_("It takes too long, or too much memory, to be drawn."))

    def end(self) -> None:
        """End the process; the next request starts another."""
        process, self._process = self._process, None
        if process is not None and self._owner == os.getpid():
            process.kill()
            process.communicate()

    def _started(self) -> subprocess.Popen[bytes]:
        # A process that was forked has its parent's object, and must leave its parent's child alone.
        if self._process is not None and self._owner == os.getpid() and self._process.poll() is None:
            return self._process
        self.end()
        told = {"root": str(TEMPLATES), "fonts": folders(), "memory": MEMORY}
        kept = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
        process = subprocess.Popen(
            [sys.executable, "-I", str(Path(typst_child.__file__)), json.dumps(told)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={name: os.environ[name] for name in kept if name in os.environ},
            cwd="/",
        )
        self._process, self._owner = process, os.getpid()
        with _ended_after(process, START):
            is_ready = _pipes(process)[1].read(1) == b"!"
        if not is_ready:
            self.end()
            raise LimitError(_("The program that draws reports does not start: its log says why."))
        return process


@contextlib.contextmanager
def _ended_after(process: subprocess.Popen[bytes], seconds: int) -> Any:
    timer = Timer(seconds, process.kill)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    assert process.stdin is not None and process.stdout is not None  # noqa: S101 - for the types: they are pipes
    return process.stdin, process.stdout


def end() -> None:
    """End the process, if there is one."""
    _child.end()


_alone = Lock()
_child = _Child()
atexit.register(end)
