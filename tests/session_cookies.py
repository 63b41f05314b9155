"""Clients of tests with signed session cookies, as browsers get them (`dashboard.web.session_cookie`)."""

from importlib import import_module
from typing import Any

from django.conf import settings
from django.test.client import ClientMixin

# What clients do by themselves, for tests of programs that have one.
PLAIN = (ClientMixin._login, ClientMixin.session)  # type: ignore[attr-defined]


def sign_cookies_of_clients() -> None:
    """Have every client of Django's sign the key of the session that it makes itself, and read such cookies."""
    login = ClientMixin._login  # type: ignore[attr-defined]

    def logged_in(client: Any, user: Any, backend: str | None = None) -> None:
        login(client, user, backend)
        _sign(client)

    ClientMixin._login = logged_in  # type: ignore[attr-defined]
    ClientMixin.session = property(_session)  # type: ignore[assignment,method-assign]


def _session(client: Any) -> Any:
    from dashboard.web.session_cookie import key_in  # noqa: PLC0415 - settings are loaded only now

    store = import_module(settings.SESSION_ENGINE).SessionStore
    cookie = client.cookies.get(settings.SESSION_COOKIE_NAME)
    if cookie is not None and cookie.value:
        return store(key_in(cookie.value))
    session = store()
    session.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    _sign(client)
    return session


def _sign(client: Any) -> None:
    from dashboard.web.session_cookie import key_in, signed  # noqa: PLC0415 - settings are loaded only now

    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    if key_in(cookie.value) is None:
        cookie.set(settings.SESSION_COOKIE_NAME, signed(cookie.value), signed(cookie.value))
