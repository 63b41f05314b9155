"""The API without its sockets: from a request to a reply."""

import time
import uuid
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode, urlsplit

from . import serializers
from .clock import Clock
from .company import Company
from .disguises import Disguise, change_rows, disguise_named
from .faults import Fault
from .limits import Limits
from .listings import NotFoundError, Query
from .paging import BadCursorError, Listing, envelope
from .routes import Routes, resource_of
from .spoiling import ROW_FAULTS, spoil
from .timestamps import seconds

MESSAGES = {
    400: "Bad Request",
    401: "Invalid Token",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
"""The default text of each error. Only the one of 401 has been seen live."""


@dataclass(slots=True)
class Reply:
    """Reply of the service: `cut` sends half the body and hangs up, `silence` seconds go by and nothing is sent at all.

    The Date header is `ahead` seconds ahead.
    """

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    silence: float = 0.0
    ahead: int = 0


class Refused(Exception):  # noqa: N818 - a refusal is an answer here, not an error
    """The request is answered with an error status."""

    def __init__(self, status: int, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.headers = dict(headers or {})


class Service:
    """Answers requests about one company."""

    def __init__(
        self,
        company: Company,
        clock: Clock,
        *,
        key: str = "simulator-key",
        cursor_style: str = "pagination",
        limits: Limits | None = None,
        trial: bool = False,
        clamp: bool = True,
        messages: Mapping[int, str] | None = None,
    ) -> None:
        self.company = company
        self.clock = clock
        self.key = key
        self.cursor_style = cursor_style
        self.limits = limits
        self.clamp = clamp
        self.messages = {**MESSAGES, **(messages or {})}
        self.faults: list[Fault] = []
        self._disguises: list[Disguise] = []
        self._disguise_faults: list[Fault] = []
        self.routes = Routes(company, trial)

    def disguise(self, *names: str) -> None:
        """Put these disguises on and take all others off. Raises UnknownDisguiseError."""
        self._disguises = [disguise_named(name) for name in names]
        self._disguise_faults = [Fault.parse(text) for disguise in self._disguises for text in disguise.faults]

    def respond(self, method: str, target: str, headers: Mapping[str, str]) -> Reply:
        """Return the reply to a request. Header names are in lower case."""
        split = urlsplit(target)
        query = dict(parse_qsl(split.query, keep_blank_values=True))
        path = [part for part in split.path.split("/") if part]
        resource = resource_of(path)
        active = {fault.name: fault for fault in self._all_faults() if fault.strikes(resource)}
        ahead = sum(disguise.ahead for disguise in self._disguises)
        if "slow-connect" in active:
            wait = active["slow-connect"].seconds
            return Reply(0, b"", silence=60.0 if wait is None else wait)
        try:
            self._admit(method, headers)
            self._strike(active)
            query = self._disguised_query(query, resource)
            body, extra = self._answer(path, query, active, f"{headers.get('host', '')}{split.path}")
        except Refused as refused:
            return self._error(refused.status, refused.headers, ahead)
        except NotFoundError:
            return self._error(404, ahead=ahead)
        except BadCursorError:
            return self._error(400, ahead=ahead)
        if "truncated-json" in active:
            body = body[: max(1, len(body) * 2 // 3)]
        if "html" not in active:
            extra |= {name: value for disguise in self._disguises for name, value in disguise.headers.items()}
        return Reply(200, body, _standard(body) | extra, cut="cut-body" in active, ahead=ahead)

    def _error(self, status: int, headers: Mapping[str, str] | None = None, ahead: int = 0) -> Reply:
        body = serializers.encode({"message": self.messages.get(status, "Error")})
        return Reply(status, body, _standard(body) | dict(headers or {}), ahead=ahead)

    def _all_faults(self) -> list[Fault]:
        return [*self.faults, *self._disguise_faults]

    def _disguised_query(self, query: Query, resource: str) -> Query:
        """Return the query as the disguises read it. Raises Refused for what they do not take."""
        for disguise in self._disguises:
            status = disguise.statuses.get(resource) or disguise.statuses.get("")
            if status or disguise.refuses & query.keys():
                raise Refused(status or 400)
            query = {name: value for name, value in query.items() if name not in disguise.ignores}
            if disguise.active_only and resource == "users":
                query.setdefault("status", "active")
        return query

    def _changed(self, rows: bytes, resource: str) -> bytes:
        """Return rows, joined by commas, as the disguises write them."""
        changes = [disguise.change for disguise in self._disguises if disguise.change is not None]
        return change_rows(rows, resource, changes) if changes and rows else rows

    def _admit(self, method: str, headers: Mapping[str, str]) -> None:
        if headers.get("authorization") != f"Bearer {self.key}":
            raise Refused(401)
        if self.limits is not None and self.limits.refuse() is not None:
            raise Refused(429)
        if method != "GET":
            raise Refused(405, {"Allow": "GET"})
        accept = headers.get("accept", "*/*")
        if not any(kind in accept for kind in ("*/*", "application/*", "application/json")):
            raise Refused(406)

    def _strike(self, active: dict[str, Fault]) -> None:
        """Answer with the first fault that stands in for the whole reply."""
        now = time.monotonic()
        for fault in self._all_faults():
            if fault.name == "burst-limit" and fault.since is not None:
                length = 300.0 if fault.seconds is None else fault.seconds
                if now < fault.since + length:
                    raise Refused(429)
            if fault.name == "daily-limit" and fault.since is not None:
                raise Refused(429)
        for name, status in _STATUS.items():
            struck = active.get(name)
            if struck is None:
                continue
            if name in ("burst-limit", "daily-limit"):
                if struck.since is not None:
                    continue
                struck.since = now
            wait = 2 if struck.seconds is None else int(struck.seconds)
            raise Refused(status, {"Retry-After": str(wait)} if name == "rate-limited-retry-after" else None)

    def _answer(
        self, path: list[str], query: Query, active: dict[str, Fault], address: str
    ) -> tuple[bytes, dict[str, str]]:
        if "html" in active:
            return b"<!DOCTYPE html><html><body><h1>Sign in</h1></body></html>", {
                "Content-Type": "text/html; charset=utf-8"
            }
        if "message-200" in active:
            return serializers.encode({"message": self.messages[401]}), {}
        if path[:1] != ["v1"]:
            raise NotFoundError("/".join(path))
        now = self.clock.now()
        with self.company.lock:
            second = seconds(now)
            self.company.reach(second)
            found = self.routes.find(path[1:], query, second, "campaign-gone" in active)
            if isinstance(found, bytes):
                rows = active.keys() & ROW_FAULTS - {"shrink", "duplicate-ids"}
                if rows and found[:1] == b"{":
                    found = spoil(found, {name: active[name] for name in rows})
                if found[:1] == b"{":
                    found = self._changed(found, resource_of(path))
                if path == ["v1", "account"] and any(disguise.account_in_list for disguise in self._disguises):
                    found = b"[" + found + b"]"
                return found, {}
            return self._page(found, path, query, active, address)

    def _page(
        self, listing: Listing, path: list[str], query: Query, active: dict[str, Fault], address: str
    ) -> tuple[bytes, dict[str, str]]:
        """Cut one page out of a list and wrap it the way the cursor style says."""
        size, capped = self._size(query), False
        if path == ["v1", "training", "campaigns"] and query.get("exclude_percentages") != "true":
            capped = not any(disguise.has_no_cap for disguise in self._disguises)
            size = min(size, 10) if capped else size
        style = self._style
        by_cursor = listing.paginated and "cursor" in query
        if style == "enrollments-only" and path[-1] != "enrollments":
            by_cursor = False
        if not listing.paginated:
            size = 1_000
        number = self._number(query, listing, by_cursor)
        if "page-ignored" in active:
            number, position = 1, 0
        else:
            position = listing.after(query["cursor"]) if by_cursor else listing.nth((number - 1) * size)
        if "rows-moving" in active and position > 0:
            position = max(0, position + (-1 if active["rows-moving"].struck % 2 else 1))
        rows, cursor = listing.take(position, size)
        if "empty-list" in active or ("early-end" in active and number > 1):
            rows, cursor = b"", None
        if "early-end" in active:
            cursor = None
        if "shrink" in active:
            cursor = None
            rows = b"" if position > 0 else rows
        spoiled = {name: active[name] for name in active.keys() & ROW_FAULTS}
        if spoiled and rows:
            rows = spoil(rows, spoiled)
        rows = self._changed(rows, resource_of(path))
        if not by_cursor:
            return b"[" + rows + b"]", {}
        if "repeated-cursor" in active and query["cursor"].isdigit() and int(query["cursor"]) > 0:
            cursor = int(query["cursor"])
        per_page = 10 if capped else size
        key = next((disguise.rows_key for disguise in self._disguises if disguise.rows_key != "data"), "data")
        names_end = not any(disguise.ends_without_cursor for disguise in self._disguises)
        body = envelope(style, rows, per_page, cursor, key=key, names_end=names_end)
        return body, self._cursor_headers(style, cursor, query, address)

    def _size(self, query: Query) -> int:
        text = query.get("per_page", "100")
        size = int(text) if text.isascii() and text.isdigit() and int(text) > 0 else 100
        refuses = not self.clamp or any(disguise.refuses_large_pages for disguise in self._disguises)
        if size > 500 and refuses:
            raise Refused(400)
        return min([size, 500, *(disguise.at_most for disguise in self._disguises)])

    @property
    def _style(self) -> str:
        return next((disguise.style for disguise in self._disguises if disguise.style), self.cursor_style)

    def _number(self, query: Query, listing: Listing, by_cursor: bool) -> int:
        """Return the page asked for; below 1 counts as 1."""
        text = query.get("page")
        if text is None or by_cursor or not listing.paginated:
            return 1
        if self._style == "page-rejected":
            raise Refused(400)
        if self._style == "page-ignored":
            return 1
        return max(1, int(text)) if text.isascii() and text.isdigit() else 1

    @staticmethod
    def _cursor_headers(style: str, cursor: int | None, query: Query, address: str) -> dict[str, str]:
        if cursor is None or style not in ("header", "link"):
            return {}
        if style == "header":
            return {"X-Next-Cursor": str(cursor)}
        return {"Link": f'<http://{address}?{urlencode({**query, "cursor": str(cursor)})}>; rel="next"'}


_STATUS = {
    "burst-limit": 429,
    "daily-limit": 429,
    "rate-limited": 429,
    "rate-limited-retry-after": 429,
    "server-error": 500,
    "unavailable": 503,
    "unauthorized-midway": 401,
    "forbidden-midway": 403,
    "not-found-midway": 404,
}


def _standard(body: bytes) -> dict[str, str]:
    """Return the headers seen live on every reply."""
    return {
        "Content-Type": "application/json; charset=utf-8",
        "Cache-Control": "no-cache, no-store",
        "Pragma": "no-cache",
        "Expires": "Fri, 01 Jan 1990 00:00:00 GMT",
        "ETag": f'W/"{zlib.crc32(body):032x}"',
        "X-Request-Id": str(uuid.uuid4()),
        "X-Runtime": "0.017431",
        "Vary": "Origin",
    }
