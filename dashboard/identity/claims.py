"""Claims of an identity provider: those of OpenID Connect and the attributes of SAML, read as one thing.

The shapes are those of Entra ID, Okta, Google and Keycloak; tests/dashboard/provider_shapes.py has one of each.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from allauth.socialaccount.models import SocialLogin
from django.forms import ValidationError
from django.utils.translation import gettext as _

from config.email_addresses import domain_of, validate_address
from dashboard.models import SingleSignOn, User
from dashboard.queries.belonging import owns_domain

_CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
# Where providers put an email when nobody says otherwise.
EMAILS = (
    *("email", "urn:oid:0.9.2342.19200300.100.1.3", f"{_CLAIMS}emailaddress", "mail"),
    *("urn:oid:1.2.840.113549.1.9.1", "Email", "emailAddress"),
)
# Names to sign in with, which are emails in most organizations. Nobody at the provider verifies them.
SIGN_IN_NAMES = ("preferred_username", "upn", f"{_CLAIMS}upn", f"{_CLAIMS}name")
FIRST_NAMES = ("given_name", f"{_CLAIMS}givenname", "urn:oid:2.5.4.42", "first_name", "firstName", "givenName")
LAST_NAMES = ("family_name", f"{_CLAIMS}surname", "urn:oid:2.5.4.4", "last_name", "lastName", "sn")
WHOLE_NAMES = ("name", "http://schemas.microsoft.com/identity/claims/displayname", "displayName", "cn")
# Of whoever is in too many groups Entra ID says where to ask for them: above 200 in OpenID Connect, 150 in SAML.
_ELSEWHERE, _HAS_GROUPS = "_claim_names", "hasgroups"
_GROUPS_LINK = "http://schemas.microsoft.com/claims/groups.link"


class RefusedSignInError(Exception):
    """Claims of an identity provider are not believed; the message is a sentence to show.

    `hint` is for the account's administrators: what to change at the provider, without anything about the person.
    """

    def __init__(self, said: str, hint: str = "") -> None:
        super().__init__(said)
        self.hint = hint


@dataclass(frozen=True)
class Said:
    """Claims of a provider. Names are empty where it says none.

    Without `are_groups_told` it left the groups out because there are too many: that is not "in no group".
    """

    email: str
    first_name: str
    last_name: str
    groups: frozenset[str]
    are_groups_told: bool


def read(single_sign_on: SingleSignOn, sociallogin: SocialLogin) -> Said:
    """Return what is believed of what the provider says. RefusedSignInError when that is nothing.

    An email is believed in the domains of the single sign-on; a name to sign in with instead of it in proven ones only.
    """
    sources = _sources(sociallogin)
    first, last = _first_of(sources, FIRST_NAMES), _first_of(sources, LAST_NAMES)
    if not (first or last):
        first, _blank, last = _first_of(sources, WHOLE_NAMES).partition(" ")
    groups = _groups(single_sign_on, sources)
    return Said(
        email=_email(single_sign_on, sociallogin, sources),
        first_name=_short(first, "first_name"),
        last_name=_short(last, "last_name"),
        groups=groups,
        are_groups_told=bool(groups) or not _has_too_many_groups(single_sign_on, sources),
    )


def _sources(sociallogin: SocialLogin) -> list[dict[str, Any]]:
    """Return what was said, what counts more first: the user's data, then the ID token; or the attributes of SAML."""
    said = sociallogin.account.extra_data or {}
    if "userinfo" not in said and "id_token" not in said:
        return [said]
    token, info = said.get("id_token"), said.get("userinfo")
    if token is None:
        raise RefusedSignInError(_("The provider sent no ID token."))
    if info is not None and info.get("sub") != token.get("sub"):
        raise RefusedSignInError(_("The provider contradicts itself about who you are."))
    return [claims for claims in (info, token) if claims is not None]


def _email(single_sign_on: SingleSignOn, sociallogin: SocialLogin, sources: list[dict[str, Any]]) -> str:
    """Return the email that the provider says; RefusedSignInError for none, and for one it may not speak for."""
    if single_sign_on.email_attribute:
        email, is_vouched = _first_address(_texts(sources, (single_sign_on.email_attribute,))), True
    else:
        # allauth reads the name ID where its format says that it is an email.
        email, is_vouched = _first_address([*_texts(sources, EMAILS), sociallogin.user.email or ""]), True
        if not email:
            name_id = [sociallogin.account.uid] if single_sign_on.kind == SingleSignOn.Kind.SAML else []
            email, is_vouched = _first_address([*_texts(sources, SIGN_IN_NAMES), *name_id]), False
    if not email:
        raise RefusedSignInError(_("The provider did not say your email."), _no_email(single_sign_on, sources))
    if any(said.get("email_verified") in (False, "false", ["false"]) for said in sources):
        raise RefusedSignInError(
            _("The provider has not verified your email."),
            _("It says that the email is not verified. Mark it as verified there."),
        )
    domain = domain_of(email)
    if domain not in map(domain_of, single_sign_on.email_domains):
        raise RefusedSignInError(
            _("%(name)s does not sign in this email.") % {"name": single_sign_on},
            _("The email was of %(domain)s. Add it to the email domains below if it is yours.") % {"domain": domain},
        )
    if not is_vouched and not owns_domain(single_sign_on.account_id, email):
        raise RefusedSignInError(
            _("The provider did not say your email, and the name you sign in with there is not taken for one."),
            _(
                "It sent a name to sign in with and no email. Such a name counts in domains of this account alone, and "
                "%(domain)s is not proven to be. Have the provider send the email."
            )
            % {"domain": domain},
        )
    return email


def _no_email(single_sign_on: SingleSignOn, sources: list[dict[str, Any]]) -> str:
    """Say which claims came instead of an email, by their names alone."""
    sent = ", ".join(sorted({name for said in sources for name in said if isinstance(name, str)})) or "–"
    looked = single_sign_on.email_attribute
    if looked:
        return _("It sent no email in %(claim)s. It sent: %(sent)s.") % {"claim": looked, "sent": sent}
    return _(
        "It sent no email. It sent: %(sent)s. Have it send one, or name the claim or attribute that holds it below."
    ) % {"sent": sent}


def _groups(single_sign_on: SingleSignOn, sources: Iterable[dict[str, Any]]) -> frozenset[str]:
    """Return the groups that the provider says; one alone may come without a list around it."""
    return frozenset(_texts(sources, (single_sign_on.groups_claim,)))


def _has_too_many_groups(single_sign_on: SingleSignOn, sources: Iterable[dict[str, Any]]) -> bool:
    """Return whether the provider says that there are groups it did not send. App roles are never too many."""
    claim = single_sign_on.groups_claim
    is_about_groups = "group" in claim.lower()
    for said in sources:
        elsewhere = said.get(_ELSEWHERE)
        if isinstance(elsewhere, dict) and claim in elsewhere:
            return True
        if is_about_groups and (_GROUPS_LINK in said or str(said.get(_HAS_GROUPS)).lower() == "true"):
            return True
    return False


def _texts(sources: Iterable[dict[str, Any]], names: Iterable[str]) -> list[str]:
    """Return the texts of these claims that are not empty, by source, then by name."""
    sources, names = list(sources), list(names)
    values = [said.get(name) for said in sources for name in names]
    listed = [item for value in values for item in (value if isinstance(value, list | tuple) else [value])]
    return [item.strip() for item in listed if isinstance(item, str) and item.strip()]


def _first_of(sources: list[dict[str, Any]], names: Iterable[str]) -> str:
    return next(iter(_texts(sources, names)), "")


def _first_address(texts: Iterable[str]) -> str:
    """Return the first text that is an email; empty where none is."""
    for text in texts:
        try:
            validate_address(text)
        except ValidationError:
            continue
        return text
    return ""


def _short(name: str, field: str) -> str:
    length = getattr(User._meta.get_field(field), "max_length", 0)
    return name.replace("\0", "")[:length].strip()
