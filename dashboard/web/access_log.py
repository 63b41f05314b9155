"""One line of the log for each request (ACCESS_LOG=yes): method, path, status, milliseconds, and the client's network.

Neither query strings, which say what somebody looks for, nor whole addresses of machines are written down.
"""

import logging
import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from dashboard.client_address import client_network

logger = logging.getLogger("access")


class AccessLogMiddleware:
    """Notes each request when its answer begins."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        begun = time.perf_counter()
        response = self.get_response(request)
        took = round((time.perf_counter() - begun) * 1000)
        logger.info(
            "%s %s %s %s ms %s", request.method, request.path, response.status_code, took, client_network(request)
        )
        return response
