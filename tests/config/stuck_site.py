"""A site with pages that never end, for gunicorn to serve."""

import os
import threading
from collections.abc import Iterable
from typing import Any

from config.web_worker import Worker


class Hasty(Worker):
    """As the pages' worker, in less time."""

    DEADLINE = 2.0
    SILENCE = 1


def site(environment: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answer with the process's number; at /stuck and /begun never, at /streamed and /sent slowly."""
    path = environment["PATH_INFO"]
    if path == "/stuck":
        threading.Event().wait()
    if path == "/sent":
        environment["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain")])
    number = str(os.getpid()).encode()
    return _slowly(number) if path == "/streamed" else _never(number) if path == "/begun" else [number]


def _slowly(number: bytes) -> Iterable[bytes]:
    for _again in range(5):
        threading.Event().wait(0.5)
        yield b" "
    yield number


def _never(number: bytes) -> Iterable[bytes]:
    yield number
    threading.Event().wait()
