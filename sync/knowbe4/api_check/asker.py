"""Requests of a check: counted, paced, and told without ids."""

import statistics
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from sync.knowbe4 import errors
from sync.knowbe4.api_check import documented
from sync.knowbe4.api_check.surprises import Surprises
from sync.knowbe4.client import Answer, Client
from sync.knowbe4.errors import BudgetExhausted, Unreachable
from sync.knowbe4.resources import NOTHING, Resource, Value
from sync.knowbe4.retry import retry_after

MOST_REQUESTS = 30
LONGEST_WAIT = 60.0
WAIT_AFTER_429, WAIT_AFTER_FAULT = 10.0, 2.0
CLOCK_TOLERANCE = 60.0


class Asker:
    """Asks one account, and notes of every answer what is no one list's: headers, clock, limits, latency."""

    def __init__(self, client: Client, surprises: Surprises) -> None:
        self.client = client
        self.surprises = surprises
        self.requests: list[dict[str, Any]] = []
        self.not_asked: list[str] = []
        self.seconds_ahead: float | None = None
        self._headers: set[str] = set()

    @property
    def left(self) -> int:
        """Number of requests that may still be made."""
        return MOST_REQUESTS - len(self.requests)

    def ask(
        self,
        place: str,
        resource: Resource[Any],
        params: Mapping[str, Value] = NOTHING,
        path_args: Mapping[str, int] = NOTHING,  # type: ignore[assignment]
    ) -> Answer | None:
        """Return the answer, whatever its status; None when no request is left for it.

        What passes is asked for once more. Raises Unreachable, BudgetExhausted, and RateLimited for a second 429.
        """
        held_back = ""
        for is_second in (False, True):
            if not self.left:
                self.not_asked.append(place)
                return None
            entry: dict[str, Any] = {"list": place, "path": resource.path, "parameters": _told(params), "status": None}
            self.requests.append(entry)
            try:
                answer = self.client.exchange(resource, params=params, path_args=path_args)
            except BudgetExhausted:
                self.requests.pop()  # it was not made
                raise
            except Unreachable:
                if is_second:
                    raise
                self.client.wait(WAIT_AFTER_FAULT, "retry")
                continue
            entry |= {"status": answer.status, "milliseconds": round(answer.seconds * 1000)}
            self._look(answer)
            if answer.status == 429:
                held_back = self._wait_out(answer, is_second=is_second)
            elif answer.status >= 500 and not is_second:
                self.client.wait(WAIT_AFTER_FAULT, "retry")
            else:
                break
        if held_back:
            self.surprises.add("rate-limited", detail=held_back)
        return answer

    def _wait_out(self, answer: Answer, *, is_second: bool) -> str:
        """Wait as long as a 429 asks, and return how it asked. Raises RateLimited for a second one, or a long wait."""
        asked_for = retry_after(answer.headers.get("Retry-After"), datetime.now(UTC))
        wait = WAIT_AFTER_429 if asked_for is None else asked_for
        if is_second or wait > LONGEST_WAIT:
            until = None if asked_for is None else datetime.now(UTC) + timedelta(seconds=asked_for)
            raise errors.rate_limited(until=until)
        self.client.wait(wait, "429")
        return "with no Retry-After" if asked_for is None else "with a Retry-After"

    def _look(self, answer: Answer) -> None:
        names = {name.lower() for name in answer.headers if documented.HEADER_NAME.fullmatch(name.lower())}
        self._headers |= names
        limits = sorted(name for name in names if "ratelimit" in name.replace("-", ""))
        if limits:
            self.surprises.add("rate-limit-headers", detail=", ".join(limits[:4]))
        if self.seconds_ahead is None:
            self._set_clock(answer.headers.get("Date"))

    def _set_clock(self, header: str | None) -> None:
        try:
            ahead = (parsedate_to_datetime(header or "") - datetime.now(UTC)).total_seconds()
        except (TypeError, ValueError):
            return
        self.seconds_ahead = ahead
        if abs(ahead) > CLOCK_TOLERANCE:
            minutes = max(1, round(abs(ahead) / 60))
            count = "a minute" if minutes == 1 else f"{minutes} minutes"
            self.surprises.add("clock", detail=f"{count} {'ahead of' if ahead > 0 else 'behind'}")

    def facts(self) -> dict[str, Any]:
        """Return what all answers have in common."""
        times = [entry["milliseconds"] for entry in self.requests if "milliseconds" in entry]
        return {
            "clock_seconds_ahead": None if self.seconds_ahead is None else round(self.seconds_ahead),
            "milliseconds": {"median": round(statistics.median(times)), "longest": max(times)} if times else {},
            "headers": sorted(self._headers),
            "unusual_headers": sorted(
                name for name in self._headers - documented.USUAL_HEADERS if not name.startswith("x-amz-")
            ),
            "requests": self.requests,
            "not_asked": self.not_asked,
        }


def _told(params: Mapping[str, Value]) -> dict[str, Value]:
    """Return the parameters as the report tells them: a cursor is an id."""
    return {name: value if name != "cursor" or value == "true" else "(the next one)" for name, value in params.items()}
