"""Reading KnowBe4's Reporting API: paced, retried, typed."""

import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

import msgspec
import requests
import urllib3
from requests.auth import AuthBase
from requests.utils import get_environ_proxies

from sync.knowbe4 import errors, paging
from sync.knowbe4.connection_errors import explain
from sync.knowbe4.errors import InvalidReply, KnowBe4Error, PagingBroken, PositionLost, RateLimited, Unreachable
from sync.knowbe4.pacing import OnWait, Pacer
from sync.knowbe4.paging import Position
from sync.knowbe4.payloads import Payload
from sync.knowbe4.resources import NOTHING, Resource, Value
from sync.knowbe4.retry import FIRST_LOCKOUT_WAIT, Patience, Retry, retry_after, utc_now
from sync.knowbe4.rows import UNDECODABLE, Rejected, RowDecoder, decoder

T = TypeVar("T", bound=Payload)
R = TypeVar("R")

logger = logging.getLogger("sync.knowbe4")

MOST_EMPTY_PAGES = 20
DAY = timedelta(days=1)
LONGEST_GUESSED_HOLD = timedelta(hours=1)


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a list.

    `number` counts from 1 within the list, `rejected` are the rows that did not decode, `next` is the storable position
    of the following page (None: the list ended properly), `requests` the HTTP requests it took, retries included.
    """

    number: int
    items: list[T]
    rejected: list[Rejected]
    next: str | None
    requests: int


@dataclass(frozen=True)
class Answer:
    """Answer to one request, whatever its status. `seconds` is how long it took."""

    status: int
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    x_request_id: str | None
    seconds: float


class _Bearer(AuthBase):
    """Puts the key on a request; nothing that prints it shows the key."""

    __slots__ = ("_key",)

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._key}"
        return request

    def __repr__(self) -> str:
        return "<the key>"


class Client:
    """Reads one account. Not shared between threads; processes share their allowance through `pacer`.

    `timeout` is (connect, read) in seconds. `on_wait` is told every wait: seconds, and why ("second", "minute", "hold",
    "429", "retry"). Raises ValueError for an address or a key that cannot be one.
    """

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        pacer: Pacer | None = None,
        timeout: tuple[float, float] = (5.0, 60.0),
        retry: Retry | None = None,
        on_wait: OnWait | None = None,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.host = ""  # __repr__ may be asked for before all is set
        key = key.strip()
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            del key
            raise ValueError("The KnowBe4 key is empty or holds characters no key has: check KNOWBE4_API_KEY.")
        auth = _Bearer(key)
        del key
        if "@" in base_url:
            raise ValueError(
                "The address of KnowBe4 holds a user name or a password, which is not sent: take it out of it "
                "(KNOWBE4_BASE_URL)."
            )
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"Not an address KnowBe4 could be at: {base_url!r}; check KNOWBE4_BASE_URL.")
        self.base_url = base_url.rstrip("/")
        self.host = parts.hostname
        self.pacer = pacer
        self.retry = retry or Retry()
        self.timeout = timeout
        self.requests_made = 0
        self._first_request_at: datetime | None = None
        self._on_wait = on_wait
        self._sleep, self._now = sleep, now
        self._session = _session(base_url, auth)

    def __repr__(self) -> str:
        return f"<Client of {self.host}>"

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def get(
        self,
        resource: Resource[T],
        *,
        params: Mapping[str, Value] = NOTHING,
        **path_args: int,
    ) -> T:
        """Return a single object; KnowBe4 also sends some of them as an array of one.

        Raises KnowBe4Error: NotFound for an id it does not have, InvalidReply for an object that does not decode.
        """
        if resource.many:
            raise TypeError(f"{resource.path} is a list: use pages().")
        path = resource.url_path(path_args)
        rows = decoder(resource.payload)
        subject = _subject(resource, path_args, NOTHING)
        asked = _texts({**resource.params, **params})
        item, _ = self._fetch(path, asked, subject, lambda answer: self._read_object(answer, rows, subject))
        return item

    def pages(
        self,
        resource: Resource[T],
        *,
        params: Mapping[str, Value] = NOTHING,
        path_args: Mapping[str, int] = NOTHING,  # type: ignore[assignment]
        start: str | None = None,
    ) -> Iterator[Page[T]]:
        """Yield a list's pages, from the position `start` (a `Page.next`) if given.

        `params` override the resource's own. Raises KnowBe4Error: PagingBroken when the list cannot be read to its end,
        PositionLost when `start` is no longer known, and whatever a single request raises.
        """
        if not resource.many:
            raise TypeError(f"{resource.path} is a single object: use get().")
        asked = _texts({**resource.params, **params})
        position = Position.parse(start) if start else Position()
        return self._walk(resource, resource.url_path(path_args), asked, _subject(resource, path_args, asked), position)

    def _walk(
        self, resource: Resource[T], path: str, asked: dict[str, str], subject: str, position: Position
    ) -> Iterator[Page[T]]:
        rows = decoder(resource.payload)
        per_page = int(asked.pop("per_page", resource.per_page))
        cap = resource.capped_at(asked)
        seen = {position.cursor}
        empty = 0
        has_refused_cursor = False
        while True:
            params = {**asked, **position.params(per_page)} if resource.paged or position.cursor else asked
            try:
                (reply, items, rejected, x_request_id), requests_made = self._fetch(
                    path, params, subject, lambda answer: self._read_list(answer, rows)
                )
            except errors.BadRequest as error:
                if position.mode == "start" and resource.paged and not has_refused_cursor:
                    # It may know pages only: the same request by page number tells whether the cursor was the trouble.
                    has_refused_cursor, position = True, Position("page")
                    continue
                if position.number == 1:
                    raise
                raise PositionLost(
                    f"KnowBe4 no longer accepts page {position.number} of its {resource.name} list: "
                    "read it again from the start.",
                    status=error.status,
                    x_request_id=error.x_request_id,
                ) from None
            count = len(items) + len(rejected)
            empty = 0 if count else empty + 1
            try:
                if resource.paged or reply.cursor:
                    following = paging.following(position, reply, count, per_page=per_page, cap=cap)
                else:
                    following = None
                if following and following.cursor:
                    if following.cursor in seen or empty > MOST_EMPTY_PAGES:
                        raise PagingBroken(
                            f"KnowBe4 repeats itself at page {position.number}: the list would never end."
                        )
                    seen.add(following.cursor)
            except PagingBroken as error:
                error.x_request_id = x_request_id
                raise
            yield Page(position.number, items, rejected, str(following) if following else None, requests_made)
            if following is None:
                return
            position = following

    def exchange(
        self,
        resource: Resource[Any],
        *,
        params: Mapping[str, Value] = NOTHING,
        path_args: Mapping[str, int] = NOTHING,  # type: ignore[assignment]
    ) -> Answer:
        """Make one request, paced but not retried, and return its answer, whatever its status.

        Only `params` are sent, not the resource's own. After a 429 all requests of the account are held back for what
        it asks, or for the shortest back-off. Raises Unreachable, and what pacing raises.
        """
        if self.pacer:
            self.pacer.acquire(self._on_wait)
        answer = self._exchange(resource.url_path(path_args), _texts(params))
        if isinstance(answer, Unreachable):
            raise answer
        if answer.status == 429 and self.pacer:
            asked_for = retry_after(answer.headers.get("Retry-After"), self._now())
            wait = FIRST_LOCKOUT_WAIT if asked_for is None else asked_for
            self.pacer.blocked_until(self._now() + timedelta(seconds=wait))
        return answer

    def wait(self, seconds: float, why: str) -> None:
        """Wait, and tell `on_wait` so."""
        if self._on_wait:
            self._on_wait(seconds, why)
        self._sleep(seconds)

    # Reading replies

    def _read_object(self, answer: Answer, rows: RowDecoder[T], subject: str) -> T:
        body = answer.body.strip()
        if body[:1] == b"[":
            found = msgspec.json.decode(body, type=list[msgspec.Raw])
            if not found:
                raise errors.for_status(404, host=self.host, subject=subject, x_request_id=answer.x_request_id)
            return rows.one(bytes(found[0]))
        try:
            return rows.one(body)
        except msgspec.ValidationError:
            self._refuse_message(answer, paging.read_reply(body, {}))
            raise

    def _read_list(
        self, answer: Answer, rows: RowDecoder[T]
    ) -> tuple[paging.Reply, list[T], list[Rejected], str | None]:
        reply = paging.read_reply(answer.body, answer.headers)
        if not reply.rows:
            self._refuse_message(answer, reply)
            raise msgspec.DecodeError("no rows")
        items, rejected = rows.page(reply.rows)
        return reply, items, rejected, answer.x_request_id

    def _refuse_message(self, answer: Answer, reply: paging.Reply) -> None:
        """Raise Unauthorized for a message in place of data (a bad key, seen live with status 200)."""
        if reply.message:
            raise errors.unauthorized(host=self.host, status=200, x_request_id=answer.x_request_id) from None

    # Asking

    def _fetch(self, path: str, params: Mapping[str, str], subject: str, read: Callable[[Answer], R]) -> tuple[R, int]:
        """Return what `read` makes of the reply, and how many requests that took."""
        patience = Patience(self.retry)
        before = self.requests_made
        while True:
            if self.pacer:
                self.pacer.acquire(self._on_wait)
            asked_for: float | None = None
            answer = self._ask(path, params, subject)
            if isinstance(answer, Answer):
                try:
                    return read(answer), self.requests_made - before
                except (*UNDECODABLE, ValueError):
                    error: KnowBe4Error = InvalidReply(
                        f"{self.host} sent something other than a complete {subject} in JSON: "
                        "try again later, and check KNOWBE4_BASE_URL if it lasts.",
                        status=200,
                        x_request_id=answer.x_request_id,
                    )
            else:
                error, asked_for = answer
            wait = patience.wait_after(error, asked_for)
            if wait is None:
                raise self._final(error, asked_for)
            if isinstance(error, RateLimited) and self.pacer:
                self.pacer.blocked_until(self._now() + timedelta(seconds=wait))
            self.wait(wait, "429" if isinstance(error, RateLimited) else "retry")

    def _ask(self, path: str, params: Mapping[str, str], subject: str) -> Answer | tuple[KnowBe4Error, float | None]:
        """Return the answer of one request, or its error and the seconds the server asked to wait."""
        answer = self._exchange(path, params)
        if isinstance(answer, Unreachable):
            return answer, None
        if answer.status == 200:
            return answer
        return self._error_of(answer, subject), retry_after(answer.headers.get("Retry-After"), self._now())

    def _error_of(self, answer: Answer, subject: str) -> KnowBe4Error:
        error = errors.for_status(answer.status, host=self.host, subject=subject, x_request_id=answer.x_request_id)
        if isinstance(error, RateLimited):
            error.daily = b"daily" in answer.body.lower() or b"per day" in answer.body.lower()
        return error

    def _exchange(self, path: str, params: Mapping[str, str]) -> Answer | Unreachable:
        """Make one request.

        Errors are made outside the handlers: a chained exception would carry the key in its frames.
        """
        self.requests_made += 1
        self._first_request_at = self._first_request_at or self._now()
        began = time.monotonic()
        trouble = advice = ""
        try:
            with self._session.get(
                self.base_url + path, params=params, timeout=self.timeout, allow_redirects=False, stream=True
            ) as response:
                status, headers = response.status_code, response.headers
                body: bytes = response.raw.read(decode_content=True)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as caught:
            trouble, advice = explain(caught)
        elapsed = time.monotonic() - began
        if trouble:
            logger.debug("GET %s: %s after %.0f ms", path, trouble, elapsed * 1000)
            return Unreachable(f"KnowBe4 at {self.host} could not be reached ({trouble}): {advice}.")
        x_request_id = _request_id(headers)
        logger.debug("GET %s: %d in %.0f ms, x-request-id %s", path, status, elapsed * 1000, x_request_id)
        return Answer(status, body, headers, x_request_id, elapsed)

    def _final(self, error: KnowBe4Error, asked_for: float | None) -> KnowBe4Error:
        """Return the error to raise, with the moment from which asking again makes sense."""
        if asked_for is not None:
            error.until = self._now() + timedelta(seconds=asked_for)
        if not isinstance(error, RateLimited):
            return error
        daily = error.daily or asked_for is None or asked_for > self.retry.longest_lockout
        until, hold = error.until, error.until
        if until is None:
            # Nothing said until when, so only the day can be meant. Others are held for less than this guess.
            resets_at = self.pacer.usage().day_resets_at if self.pacer else None
            until = resets_at or (self._first_request_at or self._now()) + DAY
            hold = min(until, self._now() + LONGEST_GUESSED_HOLD)
        if self.pacer and hold:
            self.pacer.blocked_until(hold)
        return errors.rate_limited(until=until, daily=daily, x_request_id=error.x_request_id)


def _session(base_url: str, auth: AuthBase) -> requests.Session:
    session = requests.Session()
    session.auth = auth
    session.headers.update({"Accept": "application/json", "User-Agent": "Rollcall"})
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    # The environment is read once: read per request it costs time, and a .netrc would replace the key.
    session.trust_env = False
    session.proxies.update(get_environ_proxies(base_url))
    session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
    return session


def _texts(params: Mapping[str, Value]) -> dict[str, str]:
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in params.items()
        if value is not None
    }


def _subject(resource: Resource[Any], path_args: Mapping[str, int], params: Mapping[str, Value]) -> str:
    """Return what is asked for, with its ids: "enrollment list (campaign_id 3)"."""
    ids = {**path_args, **{name: value for name, value in params.items() if name.endswith("_id")}}
    shown = ", ".join(f"{name} {value}" for name, value in ids.items() if str(value).lstrip("-").isdecimal())
    return f"{resource.name}{' list' if resource.many else ''}{f' ({shown})' if shown else ''}"


def _request_id(headers: Mapping[str, str]) -> str | None:
    value = headers.get("X-Request-Id", "")[:100]
    return value if value and all(letter.isalnum() or letter in "-_." for letter in value) else None
