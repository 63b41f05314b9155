"""Answers that refuse: each error status has its page, and below /api/ its problem (RFC 9457).

Views of the API answer problems of their own; here is what goes wrong before a view is reached, or in any.
"""

import sys
from collections.abc import Callable

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.views import defaults

from dashboard.requests.account_paths import ASSISTANTS_PATHS
from dashboard.web.outages import is_outage, unavailable
from dashboard.web.problems import PROBLEM_TYPE, Problem

# Characters: more than the longest filter that a page takes, less than gunicorn hands on (`config.web_worker`).
LONGEST_ADDRESS = 32_000
# For programs, which read no page.
_DETAILS = {
    400: "The request cannot be understood.",
    403: "This is not allowed.",
    404: "There is no such address; /api/v1/openapi.json lists all there are.",
    405: "The API only reads: ask with GET or HEAD.",
    411: "Send the body with a Content-Length.",
    413: "The body is too large.",
    414: "The address is too long: ask for less in one call.",
    500: "Something broke on our side; the server's log has the details.",
}


def refusal(request: HttpRequest, status: int, **headers: str) -> HttpResponse:
    """Return the page of an error status, or its problem where a program asks."""
    if is_for_programs(request):
        return Problem(status, _DETAILS[status], headers=headers).response()
    # Without the request: it may be what is wrong.
    return HttpResponse(loader.get_template(f"{status}.html").render(), status=status, headers=headers)


def is_for_programs(request: HttpRequest) -> bool:
    """Return whether the address is one of the API's or of the assistants'."""
    return request.path_info.startswith("/api/") or request.path_info in ASSISTANTS_PATHS


class RefusalMiddleware:
    """Gives answers without words their page or problem, refuses addresses that are too long, and answers OPTIONS."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if len(request.META.get("QUERY_STRING", "")) + len(request.path) > LONGEST_ADDRESS:
            return refusal(request, 414)
        response = self.get_response(request)
        if response.status_code != 405:
            return response
        allowed = [method.strip() for method in response.get("Allow", "").split(",") if method.strip()]
        if request.method == "OPTIONS":
            return HttpResponse(status=204, headers={"Allow": ", ".join([*allowed, "OPTIONS"])})
        is_told = response.get("Content-Type", "") in {PROBLEM_TYPE, "application/json"}
        return response if is_told else refusal(request, 405, Allow=", ".join(allowed))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer for what cannot be understood, or is too large."""
    return refusal(request, 413 if isinstance(exception, RequestDataTooBig) else 400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer for what the reader may not do."""
    return refusal(request, 403)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer for what is not there, or out of the reader's scope."""
    return refusal(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer to an error that nothing handled: 503 to an outage, else 500."""
    if is_outage(sys.exc_info()[1]):
        return unavailable(request)
    return refusal(request, 500) if is_for_programs(request) else defaults.server_error(request)
