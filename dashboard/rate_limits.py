"""Rate limits: counted in Redis, by the window, for each reader and each kind of request.

Sign-in has limits of its own (`ACCOUNT_RATE_LIMITS`). Without Redis nothing is counted and nobody is refused, and
`config.cache` says so in the log: the limits keep readers from taking everything along in an hour; what somebody may
see does not depend on them.
"""

import time
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.conf import settings
from django.core.cache import cache
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render

from dashboard.scoped_request import ScopedRequest

Arguments = ParamSpec("Arguments")
View = Callable[Concatenate[ScopedRequest, Arguments], HttpResponseBase]


def limited(
    kind: str, *, when: Callable[[ScopedRequest], object] = lambda request: True
) -> Callable[[View[Arguments]], View[Arguments]]:
    """Answer 429, saying when to try again, to a reader who asked too often for this kind of thing.

    `kind` is one of the settings' RATE_LIMITS; `when` says which requests count.
    """

    def decorate(view: View[Arguments]) -> View[Arguments]:
        @wraps(view)
        def guarded(request: ScopedRequest, *args: Arguments.args, **kwargs: Arguments.kwargs) -> HttpResponseBase:
            wait = seconds_to_wait(kind, request.user.pk, at=time.time()) if when(request) else 0
            return too_many(request, wait) if wait else view(request, *args, **kwargs)

        return guarded

    return decorate


def seconds_to_wait(kind: str, reader: int | None, *, at: float) -> int:
    """Count one request of a reader at `at` (seconds of the epoch); return how long they must wait, 0 if not at all."""
    most, window = settings.RATE_LIMITS[kind]
    number = int(at // window)
    key = f"limit:{kind}:{reader}:{number}"
    cache.add(key, 0, timeout=window)
    try:
        asked = cache.incr(key)
    except ValueError:
        # The count ended between the two.
        return 0
    return max(1, int((number + 1) * window - at)) if asked > most else 0


def too_many(request: ScopedRequest, wait: int) -> HttpResponse:
    """Answer that the reader asked too often, and when to try again."""
    response = render(request, "429.html", {"minutes": -(-wait // 60)}, status=429)
    response["Retry-After"] = str(wait)
    return response
