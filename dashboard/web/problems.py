"""Error answers after RFC 9457: application/problem+json, with a sentence that says what to do."""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

PROBLEM_TYPE = "application/problem+json"
# Every problem a call can meet, for the description.
MEANINGS = {
    400: "A parameter cannot be understood, or names what is not there. `errors` says which.",
    401: "No token, or one that is unknown, ended or revoked, or whose member has no access any more.",
    403: "The token reads figures only, and this tells of people.",
    404: "There is no such thing, or it is out of the token's scope.",
    406: "Neither JSON nor CSV is accepted.",
    414: "The address is too long: ask for less in one call.",
    429: "Too many calls with this token. `Retry-After` says how many seconds to wait.",
    503: "Rollcall cannot reach its database just now. `Retry-After` says how many seconds to wait.",
}


class Problem(Exception):  # noqa: N818 - the word of RFC 9457
    """A call that cannot be answered; `parameter` is the one to blame, if any."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        parameter: str = "",
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = [*errors, *([{"parameter": parameter, "detail": detail}] if parameter else [])]
        self.headers = dict(headers or {})

    def response(self) -> HttpResponse:
        """Return it as an answer."""
        told: dict[str, Any] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            told["errors"] = self.errors
        return HttpResponse(
            json.dumps(told, ensure_ascii=False), status=self.status, content_type=PROBLEM_TYPE, headers=self.headers
        )


SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "A problem as RFC 9457 defines it.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "examples": ["about:blank"]},
        "title": {"type": "string", "examples": ["Bad Request"]},
        "status": {"type": "integer", "examples": [400]},
        "detail": {"type": "string", "examples": ["There is no department 'Clams'."]},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["parameter", "detail"],
                "properties": {"parameter": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}


@csrf_exempt
@login_not_required
def not_found(request: HttpRequest, path: str = "") -> HttpResponse:
    """Answer for an address below /api/v1/ that is none."""
    said = "Addresses of the API end without a slash" if path.endswith("/") else "There is no such address"
    return Problem(404, f"{said}; /api/v1/openapi.json lists all there are.").response()
