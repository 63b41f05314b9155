"""Addresses for whoever watches this installation: /health/live, /health/ready and /metrics.

They are answered before host names, https and sessions are looked at, so that a probe needs none of them.
"""

import json
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from config.version import VERSION
from dashboard.web import readiness
from dashboard.web.outages import is_outage, unavailable

Answer = Callable[[HttpRequest], HttpResponse]


class HealthMiddleware:
    """Answers the addresses of this module, with GET and HEAD, and hands every other request on."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = ADDRESSES.get(request.path)
        if answer is None:
            return self.get_response(request)
        if request.method not in {"GET", "HEAD"}:
            return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
        response = answer(request)
        response.headers.setdefault("Cache-Control", "no-store")
        return response


def live(_request: HttpRequest) -> HttpResponse:
    """Answer that this process answers; it asks nobody else."""
    return _json({"status": "live", "version": VERSION})


def ready(_request: HttpRequest) -> HttpResponse:
    """Answer whether everything does its work; 503 with what is missing, each thing with a sentence."""
    missing = readiness.missing(timezone.now())
    return _json(
        {"status": "not ready" if missing else "ready", "version": VERSION, "missing": missing},
        status=503 if missing else 200,
    )


def metrics(request: HttpRequest) -> HttpResponse:
    """Answer with the gauges as Prometheus reads them. 404 unless METRICS_TOKEN is set, 401 without that token."""
    if not settings.METRICS_TOKEN:
        return _json({"status": "METRICS_TOKEN is not set: there are no metrics."}, status=404)
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not constant_time_compare(secret.strip(), settings.METRICS_TOKEN):
        response = _json({"status": "Send Authorization: Bearer and METRICS_TOKEN."}, status=401)
        response["WWW-Authenticate"] = 'Bearer realm="Rollcall metrics"'
        return response
    # Not before they are asked for: the package is an optional one.
    from dashboard.web.gauges import CONTENT_TYPE, exposition  # noqa: PLC0415

    try:
        return HttpResponse(exposition(timezone.now()), content_type=CONTENT_TYPE)
    except Exception as error:
        if not is_outage(error):
            raise
        return unavailable(request)


def _json(told: dict[str, object], status: int = 200) -> HttpResponse:
    response = HttpResponse(json.dumps(told), status=status, content_type="application/json")
    # A probe comes every few seconds: what it is told it tells itself.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


ADDRESSES: dict[str, Answer] = {"/health/live": live, "/health/ready": ready, "/metrics": metrics}
