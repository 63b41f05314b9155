"""The addresses of the API, and what answers when something goes wrong before or in a view."""

import logging
import re
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import URLPattern, reverse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from dashboard.api import campaigns, changes, content, enrollments, groups, metrics, people, phishing, sync
from dashboard.api.calls import Call, TokenAuth, note
from dashboard.web.problems import Problem

log = logging.getLogger(__name__)
PREFIX = "api/v1/"
_ARGUMENT = re.compile(r"<int:(\w+)>")

api = NinjaAPI(
    title="Rollcall",
    version="1.0.0",
    description=(
        "Training compliance from Rollcall's own database: the rows and numbers of its pages, in the scope of the "
        "token's member at the moment of the call. Ids are KnowBe4's. Moments are in UTC, days in the account's zone. "
        "Lists come a page at a time: send `next_cursor` as `cursor` until it is null; `Link` has the whole address. "
        "Every page of a list is of the same moment. `ETag` and `If-None-Match` save reading anew what is as it was."
    ),
    openapi_url=None,
    docs_url=None,
    auth=TokenAuth(),
    urls_namespace="api",
)
for noun in (metrics, campaigns, enrollments, people, groups, content, phishing, changes, sync):
    api.add_router("", noun.router)


@api.exception_handler(Problem)
def _problem(request: HttpRequest, problem: Problem) -> HttpResponse:
    return _refused(request, problem)


@api.exception_handler(AuthenticationError)
def _unknown(request: HttpRequest, _error: AuthenticationError) -> HttpResponse:
    return Problem(
        401,
        "Send a token that holds, as Authorization: Bearer rollcall_...; the page API and assistants makes one: "
        f"{settings.PUBLIC_URL}{reverse('tokens')}.",
        headers={"WWW-Authenticate": 'Bearer realm="Rollcall"'},
    ).response()


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    names = [_name(one["loc"]) for one in error.errors]
    errors = [{"parameter": name, "detail": str(one["msg"])} for name, one in zip(names, error.errors, strict=True)]
    said = f"{', '.join(dict.fromkeys(names))}: this cannot be understood."
    return _refused(request, Problem(400, said, errors=errors))


@api.exception_handler(Http404)
def _missing(request: HttpRequest, _error: Http404) -> HttpResponse:
    return _refused(request, Problem(404, "There is no such thing in the token's scope."))


@api.exception_handler(BadRequest)
def _bad(request: HttpRequest, error: BadRequest) -> HttpResponse:
    return _refused(request, Problem(400, str(error)))


@api.exception_handler(HttpError)
def _http(request: HttpRequest, error: HttpError) -> HttpResponse:
    return _refused(request, Problem(error.status_code, str(error)))


def _name(place: Sequence[Any]) -> str:
    """Return which parameter an error is about, of the path to where it is."""
    return next((part for part in place if isinstance(part, str) and part not in {"query", "path", "asked"}), "")


def _refused(request: HttpRequest, problem: Problem) -> HttpResponse:
    """Answer with a problem; a caller's is on record, too."""
    call = getattr(request, "auth", None)
    if isinstance(call, Call) and problem.status != 429:
        match = request.resolver_match
        route = match.route.removeprefix(PREFIX) if match else ""
        note(call, "GET /" + _ARGUMENT.sub(r"{\1}", route), status=problem.status)
    return problem.response()


def _for_reading(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Answer HEAD as GET, whose body the server leaves out, and refuse what would change something."""

    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        # Ninja knows the methods that a view was made for, and no other.
        asked, request.method = request.method, "GET"
        try:
            return view(request, *args, **kwargs)
        finally:
            request.method = asked

    return answered


def addresses() -> list[URLPattern]:
    """Return the addresses below /api/v1/: they ask no session, and take no part in one."""
    found = [pattern for pattern in api.urls[0] if isinstance(pattern, URLPattern) and pattern.name != "api-root"]
    for pattern in found:
        pattern.callback = _for_reading(pattern.callback)
        pattern.callback.login_required = False  # type: ignore[attr-defined]
        pattern.callback.is_by_token = True  # type: ignore[attr-defined]
    return found
