"""Trying the API on our own page: the reader who is signed in calls it, without a token, in the scope of the page."""

import json
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest, QueryDict
from django.urls import resolve

from dashboard.api.answers import JSON
from dashboard.api.site import PREFIX
from dashboard.identity.tokens import Caller
from dashboard.scoped_request import ScopedRequest

# Enough to see what a row is like.
FEW = 3


@dataclass(frozen=True)
class Tried:
    """A call that was tried: its address, the status and the body, indented."""

    address: str
    status: int
    body: str


def try_it(request: ScopedRequest, route: str, query: str) -> Tried:
    """Call an address below /api/v1/ as the reader and return what a program would have got.

    Lists have three rows. `query` is what stands after the question mark.
    """
    asked = QueryDict(query.removeprefix("?"), mutable=True)
    if not asked.get("limit") and route in _LISTS:
        asked["limit"] = str(FEW)
    path = f"/{PREFIX}{route}"
    inner = HttpRequest()
    inner.method, inner.path, inner.path_info = "GET", path, path
    inner.GET = asked  # type: ignore[assignment]  # of a request that nobody sent
    inner.META = {"HTTP_ACCEPT": JSON, "REMOTE_ADDR": request.META.get("REMOTE_ADDR", "")}
    inner.tried_by = Caller(None, request.scope)  # type: ignore[attr-defined]
    match = resolve(path)
    inner.resolver_match = match
    response = match.func(inner, *match.args, **match.kwargs)
    body = response.content.decode()
    if response["Content-Type"].endswith("json"):
        body = json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    address = path + (f"?{urlencode([(k, v) for k, vs in asked.lists() for v in vs])}" if asked else "")
    return Tried(address, response.status_code, body)


ROUTES = (
    *("metrics", "campaigns", "enrollments", "people", "groups", "content", "store-purchases", "phishing-tests"),
    *("phishing-results", "changes", "sync", "sync/runs"),
)
_LISTS = frozenset(ROUTES) - {"metrics", "sync"}
