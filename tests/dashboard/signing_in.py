"""Clients of readers who have just signed in, as sensitive acts want it, without the second that a password takes."""

from allauth.account.internal.flows import login
from django.test import Client

from dashboard.models import User
from tests.clock import MOMENT


def sign_in_lately(client: Client, user: User) -> Client:
    """Sign the user in and note it as allauth does; return the client."""
    client.force_login(user)
    session = client.session
    signed_in = {"method": "password", "at": MOMENT.timestamp(), "email": user.email}
    session[login.AUTHENTICATION_METHODS_SESSION_KEY] = [signed_in]
    session[login._AUTHENTICATION_METHODS_USER_SESSION_KEY] = str(user.pk)
    session.save()
    return client
