"""Forms sent by who was no longer signed in: after signing in one is back where the form was, told that nothing was
done, with what was typed in it.

What was typed waits in the session of the browser, and is given to nobody but the user whom the form was shown to
(its key says so); nothing is kept of forms without a key of ours, of files, and of fields that hold secrets.
"""

import json
import re
from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.urls import Resolver404, resolve
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from dashboard.requests.account_paths import split_path
from dashboard.requests.sent_forms import FIELD, reader_of

_KEPT = "unsent"
_NOT_TYPED = frozenset({"csrfmiddlewaretoken", FIELD, "next"})
# Names of fields that hold what nobody should find in a session. The suite holds every password field to it.
SECRET = re.compile(r"key|secret|password|code|token|credential|again")
_MOST_CHARACTERS = 20_000


class SignInRequiredMiddleware(LoginRequiredMiddleware):
    """Asks who it is; whoever sent a form meanwhile comes back to the page it was on."""

    def handle_no_permission(self, request: HttpRequest, view_func: Any) -> HttpResponseRedirect:
        """Lead to the sign-in page."""
        if request.method in {"GET", "HEAD", "OPTIONS"}:
            return super().handle_no_permission(request, view_func)
        page = page_of(request)
        # Files of these are not for the handlers that write them to a disk.
        if getattr(view_func, "csrf_exempt", False) or not keep(request, page):
            messages.info(request, nothing_done())
        return redirect_to_login(page)


def nothing_done() -> str:
    """Say that a form was sent in vain."""
    return _("Nothing was done with what you sent, because you had to sign in first. Press the button again.")


def page_of(request: HttpRequest) -> str:
    """Return the address of the page that a form was on; the first page where the browser does not tell."""
    try:
        parts = urlsplit(request.headers.get("Referer", ""))
        resolve(split_path(parts.path)[1])
    except (ValueError, Resolver404):
        return resolve_url("overview")
    if parts.netloc != request.get_host():
        return resolve_url("overview")
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def keep(request: HttpRequest, page: str, *, said: str = "") -> bool:
    """Keep what a form said until its reader is back, and what to say then; return whether it was one of ours.

    Without `said` they had to sign in first.
    """
    reader = reader_of(request)
    if reader is None:
        return False
    typed = {
        name: values
        for name, values in request.POST.lists()
        if name not in _NOT_TYPED and not SECRET.search(name.lower())
    }
    if len(json.dumps(typed)) > _MOST_CHARACTERS:
        typed = {}
    request.session[_KEPT] = {
        **{"reader": reader, "page": page, "action": request.get_full_path(), "typed": typed},
        "said": said or str(nothing_done()),
    }
    return True


def unsent(request: HttpRequest) -> dict[str, Any]:
    """Return the context of every page: what the reader sent in vain, told once; and whether something waits."""
    return {
        "unsent": SimpleLazyObject(lambda: _take(request)),
        "unsent_waits": _KEPT in getattr(request, "session", ()),
    }


def _take(request: HttpRequest) -> dict[str, Any] | None:
    found = request.session.pop(_KEPT, None)
    if found is None or found["reader"] != request.user.pk:
        return None
    return {"said": found["said"], "typed": found["typed"], "form": {name: found[name] for name in ("action", "typed")}}
