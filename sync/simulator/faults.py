"""Every fault the simulator can be told to commit, by name, with what it does to the wire.

`NAME` alone strikes every request it fits; options narrow it: `NAME:times=3` only three times, `NAME:after=5` from the
sixth fitting request on, `NAME:resource=enrollments` only there (comma between options).
"""

import threading
from dataclasses import dataclass, field

FAULTS: dict[str, str] = {
    "rate-limited": "429 without Retry-After",
    "rate-limited-retry-after": "429 with Retry-After (seconds=N, default 2)",
    "burst-limit": "429 for N seconds from the first strike (seconds=N, default 300)",
    "daily-limit": "429 on every request from the first strike on",
    "server-error": "500",
    "unavailable": "503",
    "unauthorized-midway": "401 from the third fitting request on (after=N for another)",
    "forbidden-midway": "403 from the third fitting request on (after=N for another)",
    "not-found-midway": "404 from the third fitting request on (after=N for another)",
    "slow-connect": "the request is accepted and not answered for N seconds (seconds=N, default 60)",
    "cut-body": "the connection is cut in the middle of the body",
    "truncated-json": "200 with a body that stops in mid-value, cleanly ended",
    "html": "200 with an HTML page",
    "message-200": '200 with {"message":"Invalid Token"} (seen live)',
    "empty-list": "a list answers as if it were empty",
    "early-end": "a list ends after its first page: no cursor, or an empty second page",
    "repeated-cursor": "next_cursor is the cursor of the page itself",
    "page-ignored": "page and cursor are ignored: every page is the first",
    "rows-moving": "rows shift by one between pages, so one is sent twice and one is skipped",
    "duplicate-ids": "the first row of each page is sent twice",
    "null-user": "the user of the first row of each page is null",
    "unknown-status": 'the status of the first row of each page is "Exempted"',
    "unknown-field": "every row has a field nobody has heard of",
    "unknown-type": "types and kinds of the first row of each page are new words",
    "int33": "ids of the first row of each page exceed 32 bits",
    "int65": "ids of the first row of each page exceed 64 bits",
    "dates-both-forms": "in every other row timestamps lose their time, dates gain one",
    "impossible-date": "dates of the first row of each page are 2026-02-30",
    "percentage-minus-one": "every completion_percentage is -1",
    "nested-content": "the content of a campaign is [[...]]",
    "campaign-gone": "a campaign is listed, but its detail and its enrollments are not there",
    "undecodable-rows": "rows whose ids are words (share=0.1 for the part of them, default one in ten)",
    "shrink": "lists answer only their first rows (rows=N, default 3)",
}

_MIDWAY = ("unauthorized-midway", "forbidden-midway", "not-found-midway")
_OPTIONS = {"times", "after", "resource", "seconds", "share", "rows"}
RESOURCES = (
    "account",
    "users",
    "groups",
    "members",
    "risk_score_history",
    "store_purchases",
    "policies",
    "campaigns",
    "enrollments",
    "phishing_campaigns",
    "security_tests",
    "recipients",
)


class UnknownFaultError(ValueError):
    """The text names no fault, or an option it does not have; the message says which there are."""


@dataclass(slots=True)
class Fault:
    """One fault switched on. `seen` counts fitting requests, `struck` those it spoiled, `since` the first strike."""

    name: str
    times: int | None = None
    after: int = 0
    resource: str | None = None
    seconds: float | None = None
    share: float = 0.1
    rows: int = 3
    seen: int = 0
    struck: int = 0
    since: float | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def parse(cls, text: str) -> "Fault":
        """Return the fault written as `NAME` or `NAME:option=value,...`. Raises UnknownFaultError."""
        name, _, rest = text.partition(":")
        if name not in FAULTS:
            raise UnknownFaultError(f"There is no fault {name!r}. There are: {', '.join(FAULTS)}.")
        fault = cls(name, after=2 if name in _MIDWAY else 0)
        for option in filter(None, rest.replace(":", ",").split(",")):
            key, _, value = option.partition("=")
            if key not in _OPTIONS:
                raise UnknownFaultError(f"A fault has no option {key!r}. There are: {', '.join(sorted(_OPTIONS))}.")
            if key == "resource":
                if value not in RESOURCES:
                    raise UnknownFaultError(f"There is no resource {value!r}. There are: {', '.join(RESOURCES)}.")
                fault.resource = value
                continue
            try:
                setattr(fault, key, float(value) if key in ("seconds", "share") else int(value))
            except ValueError:
                raise UnknownFaultError(f"{key} needs a number, not {value!r}.") from None
        return fault

    def strikes(self, resource: str) -> bool:
        """Count a request for `resource`, and tell whether this fault spoils it."""
        if self.resource is not None and self.resource != resource:
            return False
        with self._lock:
            self.seen += 1
            if self.seen <= self.after or (self.times is not None and self.struck >= self.times):
                return False
            self.struck += 1
            return True
