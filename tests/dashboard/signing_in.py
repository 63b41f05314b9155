"""Clients of readers who have just signed in, as sensitive acts want it, without the second that a password takes."""

import time

from allauth.account.internal.flows import login
from django.test import Client

from dashboard.models import User


def sign_in_lately(client: Client, user: User) -> Client:
    """Sign the user in and note it as allauth does; return the client."""
    client.force_login(user)
    session = client.session
    session[login.AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": "password", "at": time.time(), "email": user.email}]
    session[login._AUTHENTICATION_METHODS_USER_SESSION_KEY] = str(user.pk)
    session.save()
    return client
