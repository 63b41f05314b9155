"""Reason of a provider's last refused answer, kept for the account's administrators: the reader sees less."""

import re
from datetime import datetime
from typing import Any

import jwt
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from requests import RequestException

from dashboard.models import SingleSignOn

_LONGEST = 500
_WORD = re.compile(r"[a-z_]{1,60}")
# How python3-saml begins to say it, and what to change.
_SAML = (
    (
        "The Assertion of the Response is not signed",
        gettext_lazy(
            "The assertion was not signed; a signature around the response alone does not count. Have the provider "
            "sign assertions."
        ),
    ),
    ("No Signature found", gettext_lazy("Nothing in the answer was signed. Have the provider sign assertions.")),
    (
        "Signature validation failed",
        gettext_lazy(
            "The signature does not fit the signing certificate below, or what it signs was changed on the way. Enter "
            "the certificate that the provider signs with now."
        ),
    ),
    ("Could not validate timestamp", gettext_lazy("Its clock and this server's differ: the answer was not valid now.")),
)
# Why an ID token is refused, by the error of PyJWT.
_TOKEN = (
    (jwt.InvalidAudienceError, gettext_lazy("The ID token was for another client ID than the one below.")),
    (jwt.InvalidIssuerError, gettext_lazy("The ID token names another issuer than the provider's configuration does.")),
    (jwt.ExpiredSignatureError, gettext_lazy("Its clock and this server's differ: the ID token was over already.")),
    (jwt.ImmatureSignatureError, gettext_lazy("Its clock and this server's differ: the ID token was not valid yet.")),
)


def note_refusal(key: str, why: str | Exception, at: datetime) -> None:
    """Keep why an answer of the provider with this key was refused at `at`; the last one is kept, and nothing else."""
    text = (getattr(why, "hint", "") or str(why)).replace("\0", "")
    SingleSignOn.objects.filter(key=key).update(last_refusal=text[:_LONGEST], last_refused_at=at)


def note_untold_groups(single_sign_on: SingleSignOn, at: datetime) -> None:
    """Note that the provider left out groups of somebody: the account's administrators are told (`alerts.causes`)."""
    SingleSignOn.objects.filter(pk=single_sign_on.pk).update(groups_untold_at=at)


def reason_of(request: HttpRequest, **said: Any) -> str:
    """Return why allauth could not use an answer, as a sentence: `exception` and `extra_context` as it gives them."""
    saml = (said.get("extra_context") or {}).get("saml_last_error_reason")
    if saml:
        known = next((words for beginning, words in _SAML if str(saml).startswith(beginning)), None)
        return str(known or _("The answer is not valid: %(why)s.") % {"why": str(saml).rstrip(".")})
    exception = said.get("exception")
    if isinstance(exception, RequestException):
        return _("The provider did not answer, or answered with an error, when it was asked who signs in.")
    if exception is not None:
        return _of_token(exception)
    error = request.GET.get("error", "")
    if _WORD.fullmatch(error):
        return _("The provider answered with the error %(error)s.") % {"error": error}
    return _(
        "The answer fits no sign-in that began here. Sign-ins begin on Rollcall's own page, in the same browser: those "
        "that begin at the provider are not taken."
    )


def _of_token(exception: Exception) -> str:
    cause = exception.__cause__
    known = next((words for kind, words in _TOKEN if isinstance(cause, kind)), None)
    if known is not None:
        return str(known)
    if cause is not None:
        return _("The ID token is not valid: none of the provider's published keys signed it, or something is missing.")
    return _("The provider gave no token. Look at the client ID, the client secret and the redirect URI.")
