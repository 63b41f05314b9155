"""Reading the next page while the last one is written: KnowBe4 and Postgres keep each other waiting no longer."""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from queue import Empty, Full, Queue
from typing import Any, TypeVar

T = TypeVar("T")

# Pages that may wait; each is some hundred kilobytes.
DEPTH = 4
_POLL = 0.2


def read_ahead(source: Iterator[T], *, every: float, meanwhile: Callable[[], None]) -> Iterator[list[T]]:
    """Yield what `source` yields, drawn from it in a thread of its own; its errors are raised here.

    Each list holds all that waits by then, at least one item: who is slower than the source can do several at once.
    `meanwhile` is called about every `every` seconds that nothing comes. When the caller stops early, the source is
    closed after the item it is at.
    """
    queue: Queue[tuple[bool, Any]] = Queue(DEPTH)
    stopped = threading.Event()

    def put(entry: tuple[bool, Any]) -> bool:
        while not stopped.is_set():
            try:
                queue.put(entry, timeout=_POLL)
            except Full:
                continue
            return True
        return False

    def draw() -> None:
        try:
            for item in source:
                if not put((True, item)):
                    return
        except BaseException as error:
            # Handed to the caller, whatever it is.
            put((False, error))
        else:
            put((False, None))

    thread = threading.Thread(target=draw, name="read ahead", daemon=True)
    thread.start()
    try:
        while True:
            try:
                waiting = [queue.get(timeout=every)]
            except Empty:
                meanwhile()
                continue
            with suppress(Empty):
                while True:
                    waiting.append(queue.get_nowait())
            items = [value for is_item, value in waiting if is_item]
            if items:
                yield items
            is_item, error = waiting[-1]
            if not is_item:
                if error is not None:
                    raise error
                return
    finally:
        stopped.set()
