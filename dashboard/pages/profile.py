"""Your sign-in: password, second factors, passkeys, and where you are signed in."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from config.sealing import SecretUnreadableError
from dashboard.audit import Action, Subject, record
from dashboard.models import User
from dashboard.pages.settings.guards import decider
from dashboard.queries import sign_in as queries
from dashboard.queries.belonging import required_single_sign_on
from dashboard.scoped_request import ScopedRequest

_BROWSERS = (("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    *(("Windows", "Windows"), ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad")),
    *(("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux")),
)
_NUMBERS = re.compile(r"[0-9.]+|\[.*\]")


@dataclass(frozen=True)
class SignedInAt:
    """A browser that is signed in."""

    pk: int
    where: str
    address: str
    since: datetime
    is_this: bool


@dataclass(frozen=True)
class Passkey:
    """A passkey or security key."""

    pk: int
    name: str
    added_at: datetime
    used_at: datetime | None


@require_safe
def profile(request: ScopedRequest) -> HttpResponse:
    """Show how the reader signs in, and where they are signed in."""
    user = decider(request)
    held = queries.factors(user)
    factors = {factor.type: factor for factor in held}
    codes = factors.get(Authenticator.Type.RECOVERY_CODES)
    sessions = _sessions(request, user)
    host = request.get_host()
    context: dict[str, Any] = {
        "has_password": user.has_usable_password(),
        "totp": factors.get(Authenticator.Type.TOTP),
        "passkeys": _passkeys(held),
        "has_codes": codes is not None,
        "sessions": sessions,
        "has_other_sessions": any(not session.is_this for session in sessions),
        "is_linked": queries.is_linked(user),
        "required": required_single_sign_on(user),
        # Passkeys belong to a name, and to https unless it is this machine's own.
        "takes_passkeys": request.is_secure() or host.partition(":")[0] == "localhost",
        "is_number": bool(_NUMBERS.fullmatch(host.rpartition(":")[0] or host)),
    }
    try:
        context["codes_left"] = len(codes.wrap().get_unused_codes()) if codes else None
    except SecretUnreadableError as error:
        context["secret_problem"] = str(error)
    context["lead"] = _lead(context)
    return render(request, "dashboard/profile/profile.html", context)


@require_safe
def mfa_index(request: ScopedRequest) -> HttpResponse:
    """Lead back from allauth's pages about second factors, which know this address by its name."""
    return redirect("profile")


@require_safe
def mfa_list_webauthn(request: ScopedRequest) -> HttpResponse:
    """Lead back from allauth's pages about passkeys, which know this address by its name."""
    return redirect("profile")


@require_POST
def end_session(request: ScopedRequest, pk: int) -> HttpResponse:
    """Sign out another browser of the reader's; 404 for somebody else's."""
    user = decider(request)
    session = queries.other_sessions(user, request.session.session_key).filter(pk=pk).first()
    if session is None:
        raise Http404
    session.end()
    _note(request, user, 1)
    messages.success(request, _("That browser is signed out."))
    return redirect("profile")


@require_POST
def end_other_sessions(request: ScopedRequest) -> HttpResponse:
    """Sign out every browser of the reader's but this one."""
    user = decider(request)
    others = list(queries.other_sessions(user, request.session.session_key))
    for session in others:
        session.end()
    if others:
        _note(request, user, len(others))
    said = ngettext("%(n)s other browser is signed out.", "%(n)s other browsers are signed out.", len(others))
    messages.success(request, said % {"n": len(others)})
    return redirect("profile")


def _sessions(request: ScopedRequest, user: User) -> list[SignedInAt]:
    """Return where the user is signed in, this browser first, then the latest."""
    found = [
        SignedInAt(
            session.pk,
            browser_in_words(session.user_agent),
            session.ip,
            session.created_at,
            session.session_key == request.session.session_key,
        )
        for session in queries.live_sessions(user)
    ]
    return sorted(found, key=lambda session: (not session.is_this, -session.since.timestamp()))


def _passkeys(held: list[Authenticator]) -> list[Passkey]:
    keys = [factor for factor in held if factor.type == Authenticator.Type.WEBAUTHN]
    return [Passkey(key.pk, key.wrap().name, key.created_at, key.last_used_at) for key in keys]


def _lead(context: dict[str, Any]) -> str:
    """Say how well the sign-in is guarded."""
    if context["required"]:
        return _("You sign in through %(name)s.") % {"name": context["required"]}
    if context["totp"] or context["passkeys"]:
        return _("You sign in with a second factor.")
    if context["is_linked"] and not context["has_password"]:
        return _("Your organization signs you in.")
    return _("You sign in with a password alone.")


def browser_in_words(user_agent: str) -> str:
    """Return which browser runs on what, as far as the header of its requests tells."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or _("Another program")


def _note(request: ScopedRequest, user: User, count: int) -> None:
    record(
        Action.SESSION_ENDED,
        account=request.scope.account,
        user=user,
        subject=Subject.USER,
        subject_id=user.pk,
        details={"sessions": count},
        request=request,
    )
