"""Clients of readers who have just signed in, as sensitive acts want it, without the second that a password takes; and
domains that belong to an account, as single sign-on wants it."""

from allauth.account.internal.flows import login
from django.test import Client

from dashboard.models import EmailDomain, SingleSignOn, User
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


def own_domains(single_sign_on: SingleSignOn) -> SingleSignOn:
    """Let all domains that the provider speaks for belong to its account; return the provider."""
    for name in single_sign_on.email_domains:
        EmailDomain.objects.update_or_create(
            account=single_sign_on.account,
            name=name,
            defaults={"proof": EmailDomain.Proof.OPERATOR, "proven_at": MOMENT},
        )
    return single_sign_on
