"""Cookie of a session: its key, signed. Whoever reads the table of sessions, by injected SQL or a backup, has none."""

from django.conf import settings
from django.contrib.sessions.middleware import SessionMiddleware
from django.core import signing
from django.http import HttpRequest, HttpResponse

_SALT = "rollcall session"


def signed(session_key: str) -> str:
    """Return what a cookie holds of a session's key."""
    return signing.Signer(salt=_SALT).sign(session_key)


def key_in(cookie: str | None) -> str | None:
    """Return the session's key in a cookie; None for one that was not signed here."""
    try:
        return signing.Signer(salt=_SALT).unsign(cookie) if cookie else None
    except signing.BadSignature:
        return None


class SignedSessionMiddleware(SessionMiddleware):
    """Django's sessions, by a signed cookie."""

    def process_request(self, request: HttpRequest) -> None:
        """Open the session that the cookie names, if it was signed here."""
        request.session = self.SessionStore(key_in(request.COOKIES.get(settings.SESSION_COOKIE_NAME)))

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Save the session as Django does, and sign the key where its cookie is set."""
        response = super().process_response(request, response)
        cookie = response.cookies.get(settings.SESSION_COOKIE_NAME)
        if cookie is not None and cookie.value:
            value = signed(cookie.value)
            cookie.set(settings.SESSION_COOKIE_NAME, value, value)
        return response
