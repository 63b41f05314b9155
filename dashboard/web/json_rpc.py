"""Errors of JSON-RPC, as assistants' clients read them."""

import json
from collections.abc import Mapping

from django.http import HttpResponse

# JSON-RPC's first code for a server's own errors.
_REFUSED = -32000


def refusal(error: object, status: int, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """Answer with an error that the client of the SDK hands on, words and all."""
    told = {"jsonrpc": "2.0", "id": None, "error": {"code": _REFUSED, "message": str(error)}}
    return HttpResponse(json.dumps(told), status=status, content_type="application/json", headers=dict(headers or {}))
