"""The simulator's clock: real time, frozen time, faster time, or time moved by hand."""

import threading
import time
from datetime import UTC, datetime, timedelta


class Clock:
    """Tells what time it is in the invented company.

    Without `start` it follows the real clock; with it, it stands still there. With `speed` X it runs X times as fast as
    real time from its start (or from now).
    """

    def __init__(self, start: datetime | None = None, speed: float | None = None) -> None:
        if start is not None and start.tzinfo is None:
            raise ValueError("A moment needs a time zone.")
        self._lock = threading.Lock()
        self._start = start or datetime.now(UTC)
        self._speed = speed if speed is not None else 0.0 if start is not None else 1.0
        self._begun = time.monotonic()

    def now(self) -> datetime:
        """Return the present moment of the company (aware, UTC)."""
        with self._lock:
            return self._start + timedelta(seconds=(time.monotonic() - self._begun) * self._speed)

    def set(self, at: datetime) -> None:
        """Move to a moment, forward or back; the pace stays."""
        if at.tzinfo is None:
            raise ValueError("A moment needs a time zone.")
        with self._lock:
            self._start, self._begun = at, time.monotonic()

    def advance(self, step: timedelta) -> None:
        """Move on by `step`."""
        self.set(self.now() + step)
