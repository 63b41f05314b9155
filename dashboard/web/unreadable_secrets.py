"""Answers to whoever needs a stored secret that `SECRET_KEY` no longer reads: pages, or as programs read them."""

import logging

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from config.sealing import SecretUnreadableError
from dashboard.requests.account_paths import ASSISTANTS_PATHS
from dashboard.web.json_rpc import refusal
from dashboard.web.outages import RETRY_AFTER
from dashboard.web.problems import Problem

logger = logging.getLogger(__name__)


def secret_unreadable(request: HttpRequest, error: SecretUnreadableError) -> HttpResponse:
    """Answer 503 and say why and what to do: a page, a problem of the API, or an error of JSON-RPC."""
    logger.error("%s cannot be answered: %s", request.path, error)
    headers = {"Retry-After": str(RETRY_AFTER), "Cache-Control": "no-store"}
    if request.path.startswith("/api/"):
        return Problem(503, str(error), headers=headers).response()
    if request.path in ASSISTANTS_PATHS:
        return refusal(f"503 Unavailable. {error}", 503, headers)
    return render(request, "secret_unreadable.html", {"problem": error}, status=503)
