"""/mcp: streamable HTTP for callers who show a token, without sessions, answered in JSON.

The SDK's transport is asynchronous and the site is not. Each request drives it in an event loop of its own, in which
nothing waits for anything but this request; the tool itself runs in the request's thread, with its connection to the
database. So it scales as every page does, and any process can answer any request.
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from asgiref.sync import async_to_sync
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from dashboard.identity import tokens
from dashboard.identity.tokens import Caller
from dashboard.mcp.answering import answer
from dashboard.mcp.reading import Reader, ToolError, rate_limited, unauthorized
from dashboard.web.json_rpc import refusal

LARGEST = 256 * 1024


@login_not_required
@csrf_exempt
def mcp(request: HttpRequest) -> HttpResponse:
    """Answer a request of the Model Context Protocol; only a token lets anybody in, no session does."""
    if not _is_ours(request):
        return refusal(ToolError(403, "Origin refused", "Pages of other sites may not call this."), 403)
    now = timezone.now()
    secret = tokens.bearer(request)
    caller = tokens.authenticate(secret, at=now) if secret else None
    if caller is None:
        return refusal(unauthorized(), 401, {"WWW-Authenticate": 'Bearer realm="Rollcall"'})
    if request.method != "POST":
        # Nothing is ever sent unasked, and there is no session to end.
        return refusal(ToolError(405, "Not allowed", "Send messages with POST."), 405, {"Allow": "POST"})
    if int(request.headers.get("Content-Length") or 0) > LARGEST:
        return refusal(ToolError(413, "Too large", "Ask for less in one call."), 413)
    wait = tokens.seconds_to_wait(caller)
    if wait and _method(request) != "tools/call":
        return refusal(rate_limited(wait), 429, {"Retry-After": str(wait)})

    def call(name: str, arguments: Mapping[str, Any]) -> dict[str, Any] | str:
        if wait:
            # As the tool's answer, so that the assistant reads how long to wait.
            return str(rate_limited(wait))
        return answer_for(caller, name, arguments, request=request)

    return _drive(request, call)


def answer_for(caller: Caller, name: str, arguments: Mapping[str, Any], *, request: HttpRequest) -> Any:
    """Return a tool's answer to a token's call, and put it on record."""
    return answer(
        Reader(caller.scope, timezone.now()),
        name,
        arguments,
        note=lambda called, details: tokens.note(caller, called, details, request=request),
    )


mcp.is_by_token = True  # type: ignore[attr-defined]  # so that no session has a part in it


def _is_ours(request: HttpRequest) -> bool:
    """Return whether no browser, or a page of this very site, sends the request."""
    origin = request.headers.get("Origin")
    own = {urlsplit(settings.PUBLIC_URL)[:2], (request.scheme, request.get_host())}
    return origin is None or urlsplit(origin)[:2] in own


def _method(request: HttpRequest) -> str:
    try:
        message = json.loads(request.body)
    except ValueError:
        return ""
    method = message.get("method") if isinstance(message, dict) else ""
    return method if isinstance(method, str) else ""


def _drive(request: HttpRequest, call: Any) -> HttpResponse:
    """Let the SDK answer the request."""
    # Not before the first request: they are a third of what every process, most of which never answer one, would load.
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager  # noqa: PLC0415

    from dashboard.mcp.server import build  # noqa: PLC0415

    body = request.body
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": request.scheme,
        "path": request.path,
        "raw_path": request.path.encode(),
        "query_string": request.META.get("QUERY_STRING", "").encode("latin-1", "replace"),
        "root_path": "",
        "headers": [
            (name.lower().encode("latin-1", "replace"), value.encode("latin-1", "replace"))
            for name, value in request.headers.items()
        ],
        "client": None,
        "server": None,
    }
    sent: list[dict[str, Any]] = []
    is_read = False

    async def receive() -> dict[str, Any]:
        nonlocal is_read
        if is_read:
            return {"type": "http.disconnect"}
        is_read = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    async def run() -> None:
        manager = StreamableHTTPSessionManager(
            build(call), json_response=True, stateless=True, max_request_body_size=LARGEST
        )
        async with manager.run():
            await manager.handle_request(scope, receive, send)

    async_to_sync(run)()
    start = next(message for message in sent if message["type"] == "http.response.start")
    content = b"".join(message.get("body", b"") for message in sent if message["type"] == "http.response.body")
    response = HttpResponse(content, status=start["status"])
    for name, value in start.get("headers", ()):
        if name.lower() != b"content-length":
            response[name.decode("latin-1")] = value.decode("latin-1")
    response["Cache-Control"] = "no-store"
    return response
