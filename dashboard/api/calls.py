"""Token, rate limit, scope and audit event around each call of the API."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Any, Concatenate, ParamSpec

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja.security.base import AuthBase

from dashboard.access import Scope
from dashboard.api import paging
from dashboard.api.answers import One, Origin, Rows, Told, respond, wants_csv
from dashboard.api.fields import chosen
from dashboard.api.paging import Place
from dashboard.api.parameters import LARGEST_ID, AsOf, Listed, Shown, moment
from dashboard.audit import asked as asked_for
from dashboard.identity import tokens
from dashboard.identity.tokens import Caller
from dashboard.queries.fields import Field
from dashboard.row_security import within
from dashboard.web.problems import Problem
from sync.models import Account

Arguments = ParamSpec("Arguments")
Answer = Rows | One | Told


@dataclass
class Call:
    """One call: who calls, and what every view asks of it. `now` is the clock, read once; `as_of` the moment."""

    caller: Caller
    now: datetime
    request: HttpRequest
    as_of: datetime
    day: Any = None
    as_csv: bool = False

    @property
    def scope(self) -> Scope:
        """Scope of the call."""
        return self.caller.scope

    @property
    def account(self) -> Account:
        """The token's account."""
        assert self.scope.account is not None  # noqa: S101 - there is no caller without one
        return self.scope.account

    @property
    def question(self) -> str:
        """A digest of what is asked for, whatever the page."""
        return paging.question_of(self.request.path, self.request.GET, self.account.pk)

    def place(self, asked: Listed, *, first: int = -1) -> Place:
        """Return where the page begins, and take the first page's moment over; Problem 400 for a bad cursor.

        `first` is a key before the first one.
        """
        if not asked.cursor:
            return Place(first, self.as_of)
        found = paging.read(asked.cursor, self.question)
        self.as_of = found.as_of
        return found

    def page(self, fields: Sequence[Field], rows: Sequence[Sequence[Any]], limit: int) -> Rows:
        """Return a page of rows with one value more than fields, the key; of one row more than `limit`, if there is."""
        shown = rows[:limit]
        cursor = ""
        if len(rows) > limit:
            cursor = paging.write(Place(shown[-1][-1], self.as_of), self.question)
        return Rows(fields, [row[:-1] for row in shown], cursor)


class TokenAuth(AuthBase):
    """`Authorization: Bearer rollcall_...`, and nothing else: no cookie, no parameter."""

    openapi_type = "http"
    openapi_scheme = "bearer"
    openapi_description = "A token from the page “API and assistants”."

    def __call__(self, request: HttpRequest) -> Call | None:
        """Return the call of a token; None without one that holds. Problem 429 for one that calls too often."""
        now = timezone.now()
        # Set by `trying` alone, for a reader who is signed in and asks on our own page.
        caller: Caller | None = getattr(request, "tried_by", None)
        if caller is None:
            secret = tokens.bearer(request)
            caller = tokens.authenticate(secret, at=now) if secret else None
            if caller is None:
                return None
            if wait := tokens.seconds_to_wait(caller):
                raise Problem(
                    429, f"Too many calls with this token: wait {wait} seconds.", headers={"Retry-After": str(wait)}
                )
        return Call(caller, now, request, as_of=now)


def view_of(
    name: str, *, tells_of_people: bool = False
) -> Callable[[Callable[Concatenate[Any, Arguments], Answer]], Callable[Concatenate[Any, Arguments], HttpResponse]]:
    """Make a function that answers a `Call` a view: in scope, in the account's zone, and on record.

    `name` is the address as the audit log tells it; `tells_of_people` refuses tokens that read figures only.
    """

    def decorate(
        view: Callable[Concatenate[Any, Arguments], Answer],
    ) -> Callable[Concatenate[Any, Arguments], HttpResponse]:
        @wraps(view)
        def answered(request: Any, *args: Arguments.args, **kwargs: Arguments.kwargs) -> HttpResponse:
            call: Call = request.auth
            with within(call.scope), timezone.override(call.account.zone):
                response, count = _answered(view, request, call, tells_of_people, args, kwargs)
                ids = {key: value for key, value in kwargs.items() if isinstance(value, int)}
                note(call, name, rows=count, **ids)
            return response

        # Parameters are read from the signature, and the first of a view is a request.
        call, *parameters = signature(view).parameters.values()
        answered.__signature__ = Signature(  # type: ignore[attr-defined]
            [call.replace(name="request", annotation=Parameter.empty), *parameters]
        )
        return answered

    return decorate


def _answered(
    view: Callable[..., Answer], request: HttpRequest, call: Call, tells_of_people: bool, args: Any, kwargs: Any
) -> tuple[HttpResponse, int]:
    asked = next((value for value in kwargs.values() if isinstance(value, Shown)), None)
    _check(request, asked, kwargs)
    call.as_csv = wants_csv(request, asked.format if asked else "")
    if isinstance(asked, AsOf):
        call.as_of, call.day = moment(asked.as_of, call.account, now=call.now)
    if tells_of_people and call.scope.is_numbers_only:
        raise Problem(403, "This token reads figures only; this tells of people.")
    answer = view(call, *args, **kwargs)
    run = call.account.published_run
    origin = Origin(call.as_of, str(call.scope.label), run.pk if run else None, call.account.published_at)
    return respond(request, answer, origin, as_csv=call.as_csv, next_url=_next_url(request, answer))


def _check(request: HttpRequest, asked: Shown | None, kwargs: dict[str, Any]) -> None:
    """Refuse what no parameter is called, and what no text holds: a filter passed over would widen the answer."""
    known = type(asked).model_fields if asked is not None else {}
    for name, values in request.GET.lists():
        if name not in known:
            there = f"there are: {', '.join(known)}" if known else "there are none here"
            raise Problem(400, f"There is no parameter {name[:60]!r}; {there}.", parameter=name[:60])
        if any("\0" in value for value in values):
            raise Problem(400, "A text holds a character that none may.", parameter=name)
    for name, value in kwargs.items():
        if isinstance(value, int) and value > LARGEST_ID:
            raise Problem(404, f"No {name.removesuffix('_id')} has such an id.")


def _next_url(request: HttpRequest, answer: Answer) -> str:
    if not isinstance(answer, Rows) or not answer.next_cursor:
        return ""
    query = request.GET.copy()
    query["cursor"] = answer.next_cursor
    return f"{settings.PUBLIC_URL}{request.path}?{query.urlencode()}"


def note(call: Call, name: str, **details: object) -> None:
    """Put a call on record, with what it asked for as far as that is no text that somebody typed."""
    asked = {key: value for key, value in asked_for(call.request.GET).items() if key != "cursor"}
    tokens.note(call.caller, name, {"asked": asked, **details}, request=call.request)


def fields_of(fields: Sequence[Field], asked: Shown) -> list[Field]:
    """Return the fields that a call asks for."""
    return chosen(fields, asked.fields)
