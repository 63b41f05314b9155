"""Adapters of django-allauth: Rollcall's own decisions about signing in."""

import time
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.sealing import Purpose, seal, unseal
from dashboard.identity.limits import EMAIL_KEY, note_guess, remember, take_guesses
from dashboard.identity.sessions import note_provider
from dashboard.models import User
from dashboard.queries.belonging import required_single_sign_on


def signed_in_lately(request: HttpRequest) -> bool:
    """Return whether the reader proved who they are within ACCOUNT_REAUTHENTICATION_TIMEOUT, by whatever way."""
    if not isinstance(request.user, User):
        return False
    now, records = time.time(), get_authentication_records(request, request.user)
    # One of the future was written by a clock that was ahead, and proves nothing now.
    latest = max((record["at"] for record in records if record["at"] <= now), default=0.0)
    return now - latest < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT


def _email_of(credentials: dict[str, Any]) -> str:
    return str(credentials.get("email") or credentials.get("username") or "").replace("\0", "")


class InvitationOnlyAdapter(DefaultAccountAdapter):
    """Nobody opens an account for themselves: who may see training records is an administrator's decision."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "too_many_login_attempts": gettext_lazy(
            "Too many wrong tries. Try again in five minutes or later; a passkey works at once."
        )
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Refuse every sign-up; the page says whom to ask."""
        return False

    def is_safe_url(self, url: str | None) -> bool:
        """Return whether it leads to this site; what is no address does not."""
        try:
            return bool(super().is_safe_url(url))
        except ValueError:
            return False

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        """Refuse closed users, and those who must come through their organization's single sign-on."""
        response: HttpResponse | None = super().pre_login(request, user, **kwargs)
        if response is not None or (kwargs.get("signal_kwargs") or {}).get("sociallogin"):
            return response
        required = required_single_sign_on(user)
        if required is None:
            return None
        messages.error(request, _("Your organization signs in through %(name)s.") % {"name": required})
        return redirect(settings.LOGIN_URL)

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        """Remember which provider signed the user in, for the session opens only what that provider may open, else the
        browser; say how often a wrong password or code was tried lately.
        """
        social = (kwargs.get("signal_kwargs") or {}).get("sociallogin")
        if social:
            note_provider(request, social.account.provider)
        response: HttpResponse = super().post_login(request, user, **kwargs)
        if not social:
            # Whoever runs a provider could have any number of browsers known as a member's, each free to guess.
            remember(request, response, user)
        guesses = take_guesses(request, user)
        if guesses:
            messages.warning(
                request,
                _("Lately %(n)s wrong passwords or codes were tried for your email, from browsers you had not used.")
                % {"n": guesses},
            )
        return response

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Count a wrong password for whom it was tried."""
        note_guess(request, User.objects.called(_email_of(credentials)))

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        return EMAIL_KEY + _email_of(credentials).lower()

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Ask again only when the last sign-in or confirmation is a while ago."""
        return not signed_in_lately(self.request)

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Lead to the first page."""
        url: str = super().get_login_redirect_url(request)
        return url


class SecondFactorAdapter(DefaultMFAAdapter):
    """Second factors: their secrets are encrypted at rest, their names are ours."""

    def encrypt(self, text: str) -> str:
        """Return an authenticator's secret as it is stored."""
        return seal(text, Purpose.SIGN_IN).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Return an authenticator's secret in clear."""
        return unseal(encrypted_text.encode(), Purpose.SIGN_IN)

    def get_totp_issuer(self) -> str:
        """Return what authenticator apps call this site."""
        return "Rollcall"

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:  # noqa: A002 - allauth's name
        """Return a first name for a new passkey; its owner changes it."""
        number = Authenticator.objects.filter(user=user, type=type).count() + 1
        return _("Passkey") if number == 1 else _("Passkey %(number)s") % {"number": number}
