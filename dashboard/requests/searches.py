"""Search terms: mostly people's names, which stand in no address, no history and no log of a proxy.

The words are posted and kept in Redis, for that reader alone. The address carries their key, `?found=`: the same words
of the same reader have the same key, and nobody can make one up or open another reader's.
"""

import base64
import re
from typing import cast

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from dashboard.isolation import visible
from dashboard.queries.search import NOTHING, Search

LONGEST = 100
# The name of the key in an address.
PARAMETER = "found"
_KEY = re.compile(r"[A-Za-z0-9_-]{16}")


def keep(reader: int, text: str) -> str:
    """Keep what a reader looks for as long as a session lasts; return its key, empty for nothing but blanks.

    Without Redis nothing is kept: the page at the key's address says that the search is gone.
    """
    # A name that was copied from a page may bring the isolate along that it stands in.
    text = visible(text.replace("\0", " ")).strip()[:LONGEST].rstrip()
    if not text:
        return ""
    digest = salted_hmac("dashboard.searches", f"{reader}:{text}", algorithm="sha256").digest()
    key = base64.urlsafe_b64encode(digest[:12]).decode()
    cache.set(_place(reader, key), text, timeout=settings.SESSION_COOKIE_AGE)
    return key


def searched(request: HttpRequest) -> Search:
    """Return what the address looks for. A question that a worker asks brings its own `search`."""
    found = cast("Search | None", getattr(request, "search", None))
    if found is None:
        found = _read(request)
        request.search = found  # type: ignore[attr-defined]
    return found


def _read(request: HttpRequest) -> Search:
    key = request.GET.get(PARAMETER, "")
    if not key:
        return NOTHING
    text = cache.get(_place(request.user.pk, key)) if _KEY.fullmatch(key) else None
    return Search(text) if text else Search(is_lost=True)


def _place(reader: int | None, key: str) -> str:
    return f"search:{reader}:{key}"
