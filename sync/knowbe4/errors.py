# ruff: noqa: N818 - the names say what happened, and the two parents say that they are errors
"""Errors of KnowBe4's API, each named by what to do next.

A `RetriableError` may go away by itself (after `until`, where known); a `FatalError` needs somebody to change
something. No message holds a key, a header or a body.
"""

from datetime import datetime


class KnowBe4Error(Exception):
    """A request to KnowBe4 that brought no usable answer.

    `status` is the HTTP status if there was one, `x_request_id` the handle KnowBe4's support asks for, `until` the
    moment (UTC) from which asking again makes sense, where known.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        x_request_id: str | None = None,
        until: datetime | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.x_request_id = x_request_id
        self.until = until

    def __str__(self) -> str:
        message = str(self.args[0])
        return f"{message} (KnowBe4 request id {self.x_request_id})" if self.x_request_id else message


class RetriableError(KnowBe4Error):
    """The same request may succeed later."""


class FatalError(KnowBe4Error):
    """The same request will fail again until somebody changes something."""


class BadRequest(FatalError):
    """KnowBe4 did not accept the request's ids or parameters (400)."""


class Unauthorized(FatalError):
    """The key is not valid here (401, or 200 with a message in place of data)."""


class Forbidden(FatalError):
    """The key is valid but may not read this (403)."""


class NotFound(FatalError):
    """No such id (404)."""


class Refused(FatalError):
    """KnowBe4, or something in between, refused in a way its documentation does not know."""


class PagingBroken(FatalError):
    """A list cannot be read to its end without losing or repeating rows."""


class PositionLost(PagingBroken):
    """KnowBe4 no longer knows the position; the list can be read again from its start."""


class RateLimited(RetriableError):
    """KnowBe4 holds all requests of the account back until `until` (429)."""

    def __init__(
        self,
        message: str,
        *,
        status: int | None = 429,
        x_request_id: str | None = None,
        until: datetime | None = None,
        daily: bool = False,
    ) -> None:
        super().__init__(message, status=status, x_request_id=x_request_id, until=until)
        self.daily = daily


class BudgetExhausted(RetriableError):
    """Our own allowance of requests is used up until `until`; KnowBe4 was not asked."""


class ServerFault(RetriableError):
    """KnowBe4 failed or is under maintenance (5xx)."""


class Unreachable(RetriableError):
    """No connection, or none that lasted; also Redis, which paces the requests."""


class InvalidReply(RetriableError):
    """The reply was not the JSON KnowBe4 sends: HTML, cut off, or another shape."""


def for_status(status: int, *, host: str, subject: str, x_request_id: str | None = None) -> KnowBe4Error:
    """Return the error for an HTTP `status` other than 200, in one sentence that says what to do.

    `subject` names what was asked for, ids included ("training campaign (campaign_id 3)").
    """
    match status:
        case 400 | 422:
            kind: type[KnowBe4Error] = BadRequest
            message = f"KnowBe4 did not accept the request for {subject}: check the content and group ids."
        case 401:
            return unauthorized(host=host, status=401, x_request_id=x_request_id)
        case 403:
            kind = Forbidden
            message = f"KnowBe4 does not let this key read {subject}: the token or plan lacks the Reporting API."
        case 404:
            kind = NotFound
            message = f"KnowBe4 has no {subject}: the id does not exist, or no longer does."
        case 408 | 500 | 502 | 503 | 504:
            kind = ServerFault
            message = f"KnowBe4 failed to answer for {subject} (status {status}): try again later."
        case 429:
            return rate_limited(until=None, x_request_id=x_request_id)
        case _ if status >= 500:
            kind = ServerFault
            message = f"KnowBe4 failed to answer for {subject} (status {status}): try again later."
        case _:
            kind = Refused
            message = (
                f"{host} refused the request for {subject} with status {status}: "
                "check KNOWBE4_BASE_URL and any proxy in between."
            )
    return kind(message, status=status, x_request_id=x_request_id)


def unauthorized(*, host: str, status: int, x_request_id: str | None = None) -> Unauthorized:
    """Return the error for a key that is not valid at `host`; a key of another region looks the same (seen live)."""
    return Unauthorized(
        f"KnowBe4 did not accept the key at {host}: check KNOWBE4_API_KEY and the region.",
        status=status,
        x_request_id=x_request_id,
    )


def rate_limited(*, until: datetime | None, daily: bool = False, x_request_id: str | None = None) -> RateLimited:
    """Return the error for a 429: which limit, as far as known, and until when requests are held back."""
    limit = "daily limit of requests" if daily else "limit of requests"
    when = f"backed off until {moment(until)}" if until else "wait before asking again"
    return RateLimited(f"KnowBe4's {limit} is reached: {when}.", x_request_id=x_request_id, until=until, daily=daily)


def moment(at: datetime) -> str:
    """Return a moment as a sentence shows it, to the minute, in the zone `at` is in."""
    return f"{at:%Y-%m-%d %H:%M} {at.tzname()}"
