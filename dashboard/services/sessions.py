"""Sessions ended for somebody."""

from collections.abc import Callable
from importlib import import_module

from allauth.usersessions.models import UserSession
from django.conf import settings

from dashboard.active_roles import THROUGH, UNKNOWN
from dashboard.models import User


def end_sessions(user: User, *, but: str | None = None, made: Callable[[str], bool] = lambda key: True) -> int:
    """End the user's sessions, but for the one with the key `but`; return how many.

    `made` is asked how each came about, as `through` says it: false lets it go on.
    """
    store, ended = import_module(settings.SESSION_ENGINE).SessionStore, 0
    for session in UserSession.objects.filter(user=user).exclude(session_key=but):
        if made(str(store(session.session_key).get(THROUGH, UNKNOWN))):
            session.end()
            ended += 1
    return ended
