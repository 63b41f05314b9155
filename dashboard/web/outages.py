"""Answers while Postgres or Redis cannot be asked: 503 and when to try again, never 500.

Errors that no view handles come here by `refusals.server_error`, wherever in the middleware they arose.
"""

import logging
from collections.abc import Iterator

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.template.loader import get_template
from kombu.exceptions import OperationalError as QueueError
from redis.exceptions import RedisError

from config.database_errors import is_away
from dashboard.requests.account_paths import ASSISTANTS_PATHS

# Seconds after which whoever asked may try again.
RETRY_AFTER = 10
SENTENCE = "Rollcall cannot reach its database or its queue just now; nothing was changed. Try again in a moment."
FOR_ASSISTANTS = f"503 Unavailable. {SENTENCE}"


def is_outage(error: BaseException | None) -> bool:
    """Return whether an error, or one that led to it, says that Postgres or Redis cannot do their work now."""
    return any(is_away(one) or isinstance(one, RedisError | QueueError) for one in _chain(error))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def unavailable(request: HttpRequest) -> HttpResponse:
    """Answer that Rollcall cannot work just now: a page, a problem of the API, or an error of JSON-RPC."""
    headers = {"Retry-After": str(RETRY_AFTER), "Cache-Control": "no-store"}
    if request.path.startswith("/api/"):
        # The log is set up before what these import can be.
        from dashboard.web.problems import Problem  # noqa: PLC0415

        return Problem(503, SENTENCE, headers=headers).response()
    if request.path in ASSISTANTS_PATHS:
        from dashboard.web.json_rpc import refusal  # noqa: PLC0415

        return refusal(FOR_ASSISTANTS, 503, headers)
    # Without the request: what else templates are given is read from the database.
    return HttpResponse(get_template("503.html").render(), status=503, headers=headers)


class InShort(logging.Filter):
    """Says in one line of a request that an outage ended, or that asked what cannot be, what it was.

    A page of traceback each would hide the rest: a crawler of bad addresses writes thousands.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten the record of an outage or a bad request; let every record through."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, BadRequest):
            # Django has put what it says before the address.
            record.exc_info = record.exc_text = None
        elif is_outage(error):
            said = str(error).strip().partition("\n")[0]
            record.msg, record.args = "%s (%s: %s)", (record.getMessage(), type(error).__name__, said)
            record.exc_info = record.exc_text = None
        return True
