"""The page for whoever needs a stored secret that `SECRET_KEY` does not read any more."""

import logging

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from config.sealing import SecretUnreadableError

logger = logging.getLogger(__name__)


def secret_unreadable(request: HttpRequest, error: SecretUnreadableError) -> HttpResponse:
    """Answer 503 with a page that says why and what to do."""
    logger.error("%s cannot be answered: %s", request.path, error)
    return render(request, "secret_unreadable.html", {"problem": error}, status=503)
