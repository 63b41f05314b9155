"""Single sign-on: each account's identity provider, whom it may sign in, and the roles its groups give."""

from datetime import datetime
from typing import Any

from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin
from allauth.socialaccount.providers.base.constants import AuthError, AuthProcess
from django.conf import settings
from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from dashboard.audit import Action, Subject, record
from dashboard.identity.admission import refuse_uninvited
from dashboard.identity.claims import RefusedSignInError, Said, read
from dashboard.identity.refused import note_refusal, note_untold_groups, reason_of
from dashboard.models import SingleSignOn, User
from dashboard.outbox.notices import tell
from dashboard.queries.belonging import accounts_of, owns_domain
from dashboard.services.identity import EmailTakenError, Identity, Source, rename
from dashboard.services.single_sign_on import follow_groups


class GoneProviderError(SocialApp.DoesNotExist, ValueError):
    """No provider has this name now; what waits for a second factor begins anew (a ValueError, to allauth)."""


class SingleSignOnAdapter(DefaultSocialAccountAdapter):
    """Providers come from `SingleSignOn`, one an account; nothing is read from allauth's own table of them.

    An account's provider opens that account and no other (`dashboard.identity.sessions`): those who run one
    organization's provider cannot come in as a member of another.
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

    def get_provider(self, request: HttpRequest, provider: str, client_id: str | None = None) -> Any:
        """Return a provider as allauth wants it, named by our key where a sign-in waits for its second factor.

        allauth would name it by kind and client ID, which two organizations' providers may share. GoneProviderError for
        one that is removed or switched off.
        """
        try:
            found = super().get_provider(request, provider, client_id)
        except SocialApp.DoesNotExist:
            raise GoneProviderError from None
        found.serialize = lambda: {"id": found.app.provider_id}
        return found

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Let in whom the provider vouches for: without a mapped group they get the page that says whom to ask."""
        return True

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Decide whether to believe the provider, find the user, and give the roles of their groups.

        Ends the sign-in with a sentence on the sign-in page for an email of another domain or one that the provider
        has not verified, for whoever is not admitted (`refuse_uninvited`), and for one without a role whose groups were
        not told; with a page of its own for an email that another user has.
        """
        single_sign_on = SingleSignOn.objects.select_related("account").get(key=sociallogin.account.provider)
        now = timezone.now()
        user: User | None = None
        try:
            if sociallogin.state.get("process") not in {None, AuthProcess.LOGIN}:
                raise RefusedSignInError(_("Single sign-on only signs in."))
            said = _heard(single_sign_on, sociallogin)
            user = sociallogin.user if sociallogin.is_existing else User.objects.called(said.email)
            refuse_uninvited(single_sign_on, said.email, user)
            if user is not None:
                _follow_identity(request, single_sign_on, user, said)
            if not said.are_groups_told:
                note_untold_groups(single_sign_on, now)
                _refuse_without_role(single_sign_on, user)
        except EmailTakenError:
            _note_failed(single_sign_on, user, request)
            raise ImmediateHttpResponse(_taken(request, single_sign_on, said, now)) from None
        except RefusedSignInError as error:
            _note_failed(single_sign_on, user, request)
            note_refusal(single_sign_on.key, error, now)
            messages.error(request, str(error))
            raise ImmediateHttpResponse(redirect(settings.LOGIN_URL)) from None
        if user is None:
            made = sociallogin.user
            made.email, made.first_name, made.last_name = (
                User.objects.normalize_email(said.email),
                said.first_name,
                said.last_name,
            )
            sociallogin.email_addresses = [EmailAddress(email=made.email, verified=True, primary=True)]
            sociallogin.rollcall_said = (single_sign_on, said)
            return
        if not sociallogin.is_existing:
            # Some providers name the same person anew each time.
            SocialAccount.objects.filter(user=user, provider=single_sign_on.key).delete()
            sociallogin.connect(request, user)
        if user.is_active:
            _follow(request, single_sign_on, user, said, now)

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> User:
        """Make the user of a first sign-in, and give the roles of their groups."""
        single_sign_on, said = sociallogin.rollcall_said
        try:
            with transaction.atomic():
                user: User = super().save_user(request, sociallogin, form)
        except IntegrityError:
            # In another tab they came in at this moment: the next time they are known.
            messages.error(request, _("You came in a moment ago, in another tab. Sign in once more."))
            raise ImmediateHttpResponse(redirect(settings.LOGIN_URL)) from None
        _follow(request, single_sign_on, user, said, timezone.now())
        return user

    def on_authentication_error(self, request: HttpRequest, provider: Any, **kwargs: Any) -> None:
        """Say on the sign-in page that it did not work; why is kept for the account's administrators."""
        if kwargs.get("error") not in {AuthError.CANCELLED, AuthError.DENIED}:
            note_refusal(provider.app.provider_id, reason_of(request, **kwargs), timezone.now())
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
            # Who somebody is stays when their email changes. All else is read by `dashboard.identity.claims`.
            "attribute_mapping": {
                "uid": [
                    "urn:oasis:names:tc:SAML:attribute:subject-id",
                    "http://schemas.microsoft.com/identity/claims/objectidentifier",
                ],
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


def _note_failed(single_sign_on: SingleSignOn, user: User | None, request: HttpRequest) -> None:
    """Record a refused answer of the provider in its account's log, with whom it is about if that is a user."""
    record(
        Action.SIGN_IN_FAILED,
        account=single_sign_on.account,
        user=None,
        subject=Subject.USER if user else "",
        subject_id=user.pk if user else None,
        details={"source": "single_sign_on"},
        request=request,
    )


def _refuse_without_role(single_sign_on: SingleSignOn, user: User | None) -> None:
    """Refuse whose groups nobody knows and who has no role from before, so that they hear why they have none."""
    if user is None or single_sign_on.account_id not in accounts_of(user):
        raise RefusedSignInError(
            _(
                "You are in so many groups that %(name)s does not say which, so your role is not known. The "
                "administrators of Rollcall are told how to change that."
            )
            % {"name": single_sign_on}
        )


def _heard(single_sign_on: SingleSignOn, sociallogin: SocialLogin) -> Said:
    """Return what the provider says; it is used, not kept, even by a sign-in that is refused."""
    try:
        return read(single_sign_on, sociallogin)
    finally:
        sociallogin.account.extra_data = {}
        if sociallogin.is_existing:
            sociallogin.account.save(update_fields=["extra_data"])


def _follow_identity(request: HttpRequest, single_sign_on: SingleSignOn, user: User, said: Said) -> None:
    """Take over the email and name that the provider says of a user it has signed in before, or found by email.

    In a domain of the account alone; and who has something in another account keeps an email of a domain that is not
    the account's, for a link to set a password goes there. Says so where it differs. EmailTakenError when another user
    has the email.
    """
    if not user.is_active:
        return
    is_other_email = said.email.casefold() != user.email.casefold()
    account = single_sign_on.account_id
    is_ours = owns_domain(account, user.email) or not accounts_of(user).keys() - {account}
    if is_ours and owns_domain(account, said.email):
        identity = Identity(said.email, said.first_name or user.first_name, said.last_name or user.last_name)
        changed = rename(user, identity, by=user, source=Source.SINGLE_SIGN_ON, request=request)
        if changed:
            user.refresh_from_db(fields=changed)
        if "email" in changed:
            messages.info(
                request, _("Your email here is %(email)s now, as at %(name)s.") % _about(single_sign_on, user)
            )
    elif is_other_email:
        messages.warning(
            request,
            _(
                "%(name)s says another email of yours. It stays %(email)s here, as not both domains are proven to be "
                "this account's: an administrator of Rollcall can correct it."
            )
            % _about(single_sign_on, user),
        )


def _about(single_sign_on: SingleSignOn, user: User) -> dict[str, object]:
    return {"name": single_sign_on, "email": user.email}


def _taken(request: HttpRequest, single_sign_on: SingleSignOn, said: Said, at: datetime) -> HttpResponse:
    """Answer that the email the provider says now is another user's: to make one of two is for an administrator."""
    hint = _(
        "The provider says a new email of somebody, with which another member signs in already. Correct that member's "
        "email, or end their sign-in, on their page under Members."
    )
    note_refusal(single_sign_on.key, hint, at)
    context = {"email": said.email, "provider": single_sign_on}
    return render(request, "account/email_taken.html", context, status=409)


def _follow(request: HttpRequest, single_sign_on: SingleSignOn, user: User, said: Said, at: datetime) -> None:
    """Give the roles of the groups that were told, and tell the user which ended; held ones stay where none were."""
    if not said.are_groups_told:
        messages.warning(
            request,
            _("You are in so many groups that %(name)s does not say which. You keep the roles you had.")
            % {"name": single_sign_on},
        )
        return
    ended = follow_groups(single_sign_on, user, said.groups, at=at, request=request)
    if ended:
        roles = ", ".join(membership.get_role_display() for membership in ended)
        about = {"name": single_sign_on, "roles": roles, "account": single_sign_on.account}
        words = _(
            "%(name)s no longer names a group of yours that gives this role in %(account)s, so it has ended: "
            "%(roles)s. Was that a mistake? Ask an administrator of Rollcall."
        )
        messages.warning(request, words % about)
        tell(user.email, _("Your role in %(account)s has ended") % about, words % about, page="your_access")
