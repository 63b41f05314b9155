"""KnowBe4's rate limits: 4 a second, 50 a minute with a five-minute lock-out, 2,000 a day plus one per seat.

Windows begin with the first request and are fixed from there (KnowBe4's API documentation of September 2025:
"burst limits start around five minutes, and the daily limit around twenty-four hours, from the first API request").
"""

import threading
import time
from collections.abc import Callable


class Limits:
    """Counts requests and refuses those beyond a limit. Refused ones are not counted. Durations in seconds."""

    def __init__(
        self,
        per_second: int = 4,
        per_minute: int = 50,
        per_day: int = 2_000,
        *,
        seats: int = 0,
        minute: float = 60.0,
        lockout: float = 300.0,
        day: float = 86_400.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.per_second, self.per_minute, self.per_day = per_second, per_minute, per_day + seats
        self.minute, self.lockout, self.day = minute, lockout, day
        self._now = now
        self._lock = threading.Lock()
        self._second = [float("-inf"), 0.0]
        self._minute = [float("-inf"), 0.0]
        self._day = [float("-inf"), 0.0]
        self._locked_until = float("-inf")

    def refuse(self) -> str | None:
        """Count one request; return None when it may pass, else which limit it breaks: second, burst or day."""
        with self._lock:
            now = self._now()
            for window, length in ((self._second, 1.0), (self._minute, self.minute), (self._day, self.day)):
                if now >= window[0] + length:
                    window[0], window[1] = now, 0.0
            if now < self._locked_until:
                return "burst"
            if self._day[1] >= self.per_day:
                return "day"
            if self._minute[1] >= self.per_minute:
                self._locked_until = self._minute[0] + self.lockout
                return "burst"
            if self._second[1] >= self.per_second:
                return "second"
            for window in (self._second, self._minute, self._day):
                window[1] += 1
            return None
