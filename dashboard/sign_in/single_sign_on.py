"""Single sign-on: each account's identity provider, whom it may sign in, and the roles its groups give."""

from contextlib import suppress
from typing import Any

from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin
from allauth.socialaccount.providers.base.constants import AuthProcess
from django.conf import settings
from django.contrib import messages
from django.forms import ValidationError
from django.http import HttpRequest
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from config.email_addresses import on_the_wire, validate_address
from dashboard.decisions.single_sign_on import follow_groups
from dashboard.models import SingleSignOn, User
from dashboard.sign_in.required import accounts_of

# Where identity providers put an email when nobody says otherwise.
EMAIL_ATTRIBUTES = (
    "urn:oid:0.9.2342.19200300.100.1.3",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
    "email",
    "mail",
)
FIRST_NAME_ATTRIBUTES = (
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname",
    "urn:oid:2.5.4.42",
    "first_name",
    "givenName",
)
LAST_NAME_ATTRIBUTES = (
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname",
    "urn:oid:2.5.4.4",
    "last_name",
    "sn",
)


class RefusedSignInError(Exception):
    """What an identity provider said is not believed; the message is a sentence to show."""


class SingleSignOnAdapter(DefaultSocialAccountAdapter):
    """Providers come from `SingleSignOn`, one an account; nothing is read from allauth's own table of them.

    An account's provider opens that account and no other: whoever has something elsewhere, too, is refused, for else
    those who run one organization's provider could come in as a member of another.
    """

    def list_apps(self, request: HttpRequest, provider: str | None = None, client_id: str | None = None) -> list[Any]:
        """Return the enabled providers, as allauth wants them; secrets are decrypted for this request only.

        SecretUnreadableError for one that is named, to be used, whose secret cannot be read; in a list it has none.
        """
        enabled = SingleSignOn.objects.filter(is_enabled=True).select_related("account").order_by("name", "pk")
        found = [
            (one, app)
            for one, app in ((one, _app(one)) for one in enabled)
            if provider in (None, app.provider, app.provider_id)
            and client_id in (None, "", app.client_id if app.provider == "openid_connect" else app.provider_id)
        ]
        if provider or client_id:
            for one, app in found:
                app.secret = one.secret
        return [app for _one, app in found]

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Let in whom the provider vouches for: without a mapped group they get the page that says whom to ask."""
        return True

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Decide whether to believe the provider, find the user, and give the roles of their groups.

        Ends the sign-in with a sentence on the sign-in page for an email of another domain or one that the provider
        has not verified, and for a user who has something in another account.
        """
        single_sign_on = SingleSignOn.objects.select_related("account").get(key=sociallogin.account.provider)
        try:
            if sociallogin.state.get("process") not in {None, AuthProcess.LOGIN}:
                raise RefusedSignInError(_("Single sign-on only signs in."))
            claims = _claims(sociallogin)
            email = _believed_email(single_sign_on, sociallogin, claims)
            user = sociallogin.user if sociallogin.is_existing else User.objects.filter(email__iexact=email).first()
            if user is not None:
                _refuse_elsewhere(single_sign_on, user)
        except RefusedSignInError as error:
            messages.error(request, str(error))
            raise ImmediateHttpResponse(redirect(settings.LOGIN_URL)) from None
        groups = _groups(single_sign_on, claims)
        # What the provider says of somebody is used, not kept.
        sociallogin.account.extra_data = {}
        if user is None:
            sociallogin.user.email = User.objects.normalize_email(email)
            sociallogin.email_addresses = [EmailAddress(email=sociallogin.user.email, verified=True, primary=True)]
            sociallogin.rollcall_groups = (single_sign_on, groups)
            return
        if sociallogin.is_existing:
            sociallogin.account.save(update_fields=["extra_data"])
        else:
            # Some providers name the same person anew each time.
            SocialAccount.objects.filter(user=user, provider=single_sign_on.key).delete()
            sociallogin.connect(request, user)
        if user.is_active:
            follow_groups(single_sign_on, user, groups, at=timezone.now(), request=request)

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> User:
        """Make the user of a first sign-in, and give the roles of their groups."""
        user: User = super().save_user(request, sociallogin, form)
        single_sign_on, groups = sociallogin.rollcall_groups
        follow_groups(single_sign_on, user, groups, at=timezone.now(), request=request)
        return user

    def on_authentication_error(self, request: HttpRequest, provider: Any, **kwargs: Any) -> None:
        """Say on the sign-in page that it did not work; why is in the server's log."""
        messages.error(
            request,
            _("%(name)s did not let you in, or its answer could not be used. Try again, or ask an administrator.")
            % {"name": provider.name},
        )
        raise ImmediateHttpResponse(redirect(settings.LOGIN_URL))


def _app(single_sign_on: SingleSignOn) -> SocialApp:
    """Return a provider as allauth wants it, without its secret; the row is never saved."""
    if single_sign_on.kind == SingleSignOn.Kind.OIDC:
        return SocialApp(
            provider="openid_connect",
            provider_id=single_sign_on.key,
            name=single_sign_on.name,
            client_id=single_sign_on.client_id,
            settings={"server_url": single_sign_on.server_url, "oauth_pkce_enabled": True, "fetch_userinfo": True},
        )
    emails = [single_sign_on.email_attribute] if single_sign_on.email_attribute else list(EMAIL_ATTRIBUTES)
    return SocialApp(
        provider="saml",
        provider_id=single_sign_on.key,
        name=single_sign_on.name,
        client_id=single_sign_on.key,
        settings={
            "idp": {
                "entity_id": single_sign_on.idp_entity_id,
                "sso_url": single_sign_on.idp_sso_url,
                "x509cert": single_sign_on.idp_certificate,
            },
            "attribute_mapping": {
                "uid": ["urn:oasis:names:tc:SAML:attribute:subject-id"],
                "email": emails,
                "first_name": list(FIRST_NAME_ATTRIBUTES),
                "last_name": list(LAST_NAME_ATTRIBUTES),
            },
            "advanced": {
                "strict": True,
                "want_assertion_signed": True,
                "want_name_id": True,
                "want_attribute_statement": False,
                "reject_deprecated_algorithm": True,
                "reject_idp_initiated_sso": True,
                # A server inside an organization may be called "rollcall" and no more.
                "allow_single_label_domains": True,
            },
        },
    )


def _claims(sociallogin: SocialLogin) -> list[dict[str, Any]]:
    """Return what the provider says: the ID token and the user's data of OpenID Connect, the attributes of SAML."""
    said = sociallogin.account.extra_data or {}
    if "userinfo" not in said and "id_token" not in said:
        return [said]
    token, info = said.get("id_token"), said.get("userinfo")
    if token is None:
        raise RefusedSignInError(_("The provider sent no ID token."))
    if info is not None and info.get("sub") != token.get("sub"):
        raise RefusedSignInError(_("The provider contradicts itself about who you are."))
    return [claims for claims in (info, token) if claims is not None]


def _believed_email(single_sign_on: SingleSignOn, sociallogin: SocialLogin, claims: list[dict[str, Any]]) -> str:
    """Return the email that the provider says; RefusedSignInError for none, and for one it may not speak for."""
    email = (sociallogin.user.email or "").strip()
    try:
        validate_address(email)
    except ValidationError:
        raise RefusedSignInError(_("The provider did not say your email.")) from None
    if any(said.get("email_verified") in (False, "false") for said in claims):
        raise RefusedSignInError(_("The provider has not verified your email."))
    if _domain(email) not in {_domain(domain) for domain in single_sign_on.email_domains}:
        raise RefusedSignInError(_("%(name)s does not sign in this email.") % {"name": single_sign_on})
    return email


def _domain(address: str) -> str:
    """Return a domain, or that of an address, in the one spelling of its two."""
    with suppress(UnicodeError):
        address = on_the_wire(address)
    return address.rpartition("@")[2].lower()


def _refuse_elsewhere(single_sign_on: SingleSignOn, user: User) -> None:
    if accounts_of(user).keys() - {single_sign_on.account_id}:
        raise RefusedSignInError(
            _("You have access to another account, too. Sign in with your password or a passkey instead.")
        )


def _groups(single_sign_on: SingleSignOn, claims: list[dict[str, Any]]) -> frozenset[str]:
    """Return the groups that the provider says; one alone may come without a list around it."""
    found: set[str] = set()
    for said in claims:
        value = said.get(single_sign_on.groups_claim)
        values = value if isinstance(value, list | tuple) else [value]
        found.update(item for item in values if isinstance(item, str) and item)
    return frozenset(found)
