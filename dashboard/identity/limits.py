"""Limits on guessing that lock nobody else out: wrong guesses are counted by email and client.

Whoever guesses from elsewhere must not keep the person out: a browser that signed in to the same user within 90 days
has counts of its own (a signed cookie says so), and a passkey is no guess and is not counted. Over all other browsers
an email has a limit, too, so that many addresses together guess hardly more than one does.

The counting is allauth's (`ACCOUNT_RATE_LIMITS`), by two of its functions that `install` replaces: which key a count
has, and which tries count.
"""

import time
from datetime import timedelta
from secrets import token_urlsafe
from typing import Any

from allauth.core.internal import ratelimit
from django.conf import settings
from django.core import signing
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from dashboard.models import User
from dashboard.outbox.notices import tell

KNOWN_FOR = timedelta(days=90)
EMAIL_KEY, _CODE_KEY = "email:", "mfa-auth-user-"
# From so many wrong guesses on the person is told: by mail, once a day, and on the page when they sign in.
TOLD_FROM = 5
_COUNTED_FOR, _TOLD_AGAIN_AFTER = 30 * 24 * 60 * 60, 24 * 60 * 60
_SALT, _MOST_USERS = "rollcall known browser", 10
_own_key, _own_rate = ratelimit.get_cache_key, ratelimit.apply_rate


def install() -> None:
    """Have allauth count as this module says."""
    ratelimit.get_cache_key, ratelimit.apply_rate = get_cache_key, apply_rate


def apply_rate(history: list[float], now: float, rate: Any, *, dry_run: bool = False) -> tuple[bool, list[float]]:
    """Do as allauth does, without tries of the future: a clock that was ahead wrote them, and they would not end."""
    allowed, kept = _own_rate([at for at in history if at <= now], now, rate, dry_run=dry_run)
    return bool(allowed), list(kept)


def get_cache_key(
    request: HttpRequest, *, app: str, action: str, rate: Any, key: str | None = None, user: Any = None
) -> str:
    """Return the name of a count. A known browser has its own; `client` in a rate is the email and the client."""
    browser = _browser(request, action, key)
    if browser and rate.per == "key":
        # All known browsers together: somebody who knew the password once may have made many.
        key = f"{key} in known browsers"
    elif browser and rate.per in {"ip", "client"}:
        rate, key = _by_key(rate), f"{key} in {browser}"
    elif rate.per == "client":
        rate, key = _by_key(rate), f"{key} from {ratelimit.get_ip(request)}"
    return str(_own_key(request, app=app, action=action, rate=rate, key=key, user=user))


def remember(request: HttpRequest, response: HttpResponse, user: User) -> None:
    """Have the browser known as one that signed in to this user."""
    known = _cookie(request)
    users = {**known.get("users", {}), str(user.pk): int(time.time())}
    latest = dict(sorted(users.items(), key=lambda pair: pair[1])[-_MOST_USERS:])
    response.set_cookie(
        settings.KNOWN_BROWSER_COOKIE_NAME,
        signing.dumps({"browser": known.get("browser") or token_urlsafe(16), "users": latest}, salt=_SALT),
        max_age=KNOWN_FOR,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def note_guess(request: HttpRequest, user: User | None, *, is_code: bool = False) -> None:
    """Count a wrong password, or code after the right one, for a user; tell them from the fifth on.

    Nothing for nobody, and for a browser that is known: there somebody mistypes.
    """
    if user is None or not user.is_active or _known_browser(request, user.pk):
        return
    name = _counted(user)
    cache.add(name, 0, timeout=_COUNTED_FOR)
    try:
        count = cache.incr(name)
    except ValueError:
        # The count ended between the two.
        return
    if count < TOLD_FROM or not cache.add(f"{name}:{is_code}:told", True, timeout=_TOLD_AGAIN_AFTER):
        return
    if is_code:
        tell(
            user.email,
            _("Somebody has your password for Rollcall"),
            _("They signed in with it and typed wrong codes of your second factor, so they did not get in."),
            _("Was that not you? Change your password now."),
        )
        return
    tell(
        user.email,
        _("Somebody guesses at your password for Rollcall"),
        _("Wrong passwords were typed for your email from a browser you have not used. Nobody got in by that."),
        _("You can still sign in: from a browser you used within 90 days, or with a passkey, nothing holds you up."),
    )


def take_guesses(request: HttpRequest, user: User) -> int:
    """Return how many wrong guesses there were lately if they are many, else 0, to a user who has just signed in.

    They are forgotten once a browser heard of them that was known before: whoever guessed right ends no warning.
    """
    count = int(cache.get(_counted(user), 0))
    if _is_remembered(_cookie(request), user.pk):
        cache.delete(_counted(user))
    return count if count >= TOLD_FROM else 0


def _counted(user: User) -> str:
    return f"guesses:{user.pk}"


def _by_key(rate: Any) -> Any:
    return ratelimit.Rate(rate.amount, rate.duration, "key")


def _browser(request: HttpRequest, action: str, key: str | None) -> str:
    """Return the name of the browser if it is known to whom a count is about; empty for any other."""
    if action == "login":
        # Of all tries from an address, whomever they are for.
        return str(_cookie(request).get("browser", ""))
    if action != "login_failed" or key is None:
        return ""
    if key.startswith(EMAIL_KEY):
        # Nobody needs to be looked up for a browser that knows nobody.
        is_any = bool(_cookie(request)) or request.user.is_authenticated
        user = User.objects.called(key.removeprefix(EMAIL_KEY)) if is_any else None
        return "" if user is None else _known_browser(request, user.pk)
    number = key.removeprefix(_CODE_KEY)
    return _known_browser(request, int(number)) if number.isdecimal() else ""


def _known_browser(request: HttpRequest, user_id: int) -> str:
    """Return the name of the browser if it signed in to the user within 90 days, or is signed in; empty for another."""
    if request.user.pk == user_id:
        return f"session {request.session.session_key}"
    known = _cookie(request)
    return str(known["browser"]) if _is_remembered(known, user_id) else ""


def _is_remembered(known: dict[str, Any], user_id: int) -> bool:
    at = known.get("users", {}).get(str(user_id))
    return at is not None and 0 <= time.time() - at < KNOWN_FOR.total_seconds()


def _cookie(request: HttpRequest) -> dict[str, Any]:
    """Return what the browser's cookie says; nothing where it has none, or not one of ours."""
    text = request.COOKIES.get(settings.KNOWN_BROWSER_COOKIE_NAME, "")
    try:
        found: dict[str, Any] = signing.loads(text, salt=_SALT, max_age=KNOWN_FOR) if text else {}
    except signing.BadSignature:
        return {}
    return found
