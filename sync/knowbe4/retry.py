"""Retries: how long to wait before asking again, and when to stop asking."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from sync.knowbe4.errors import KnowBe4Error, RateLimited, RetriableError

FIRST_WAIT = 0.5
LONGEST_WAIT = 30.0
FIRST_LOCKOUT_WAIT = 2.0

_rng = random.SystemRandom()


@dataclass(frozen=True)
class Retry:
    """Limits of the retries of one request; waits are in seconds.

    `attempts` and `max_wait` bound faults (no connection, 5xx, broken bodies). A 429 is another matter: KnowBe4's burst
    lock-out lasts about five minutes, its daily one a day (KnowBe4's API documentation of September 2025), so a 429
    that outlasts `lockout`, or asks for more than `longest_lockout`, is the daily limit.
    """

    attempts: int = 10
    max_wait: float = 120.0
    lockout: float = 300.0
    longest_lockout: float = 900.0


class Patience:
    """Remainder of a `Retry` while one request is tried."""

    def __init__(self, retry: Retry) -> None:
        self.retry = retry
        self.failures = 0
        self.waited = 0.0
        self.lockouts = 0
        self.locked_out = 0.0

    def wait_after(self, error: KnowBe4Error, retry_after: float | None) -> float | None:
        """Return the seconds to wait before the next attempt; None when `error` is final.

        `retry_after` is what the server asked for, in seconds, if it did.
        """
        if isinstance(error, RateLimited):
            return self._wait_out(error, retry_after)
        if not isinstance(error, RetriableError):
            return None
        self.failures += 1
        backoff = min(FIRST_WAIT * 2 ** (self.failures - 1), LONGEST_WAIT) * _rng.uniform(0.5, 1.0)
        wait = max(backoff, retry_after or 0.0)
        if self.failures >= self.retry.attempts or self.waited + wait > self.retry.max_wait:
            return None
        self.waited += wait
        return wait

    def _wait_out(self, error: RateLimited, retry_after: float | None) -> float | None:
        if error.daily or self.locked_out >= self.retry.lockout or (retry_after or 0.0) > self.retry.longest_lockout:
            return None
        self.lockouts += 1
        if retry_after is None:
            backoff = FIRST_LOCKOUT_WAIT * 2 ** (self.lockouts - 1) * _rng.uniform(1.0, 1.2)
            # The last wait ends just after the lock-out does, so that the attempt behind it decides.
            retry_after = min(backoff, self.retry.lockout - self.locked_out + 1.0)
        wait = max(retry_after, 1.0)
        self.locked_out += wait
        return wait


def utc_now() -> datetime:
    """Return the moment of now, where a caller brings no clock of its own."""
    return datetime.now(UTC)


def retry_after(header: str | None, now: datetime) -> float | None:
    """Return the seconds a Retry-After header asks for, given as seconds or as an HTTP date; None if it says nothing.

    A moment that has passed is 0.
    """
    text = (header or "").strip()
    if text.isdecimal():
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max((at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds(), 0.0)
