"""Sessions: the proof each was made with, and the accounts it opens.

A session that an account's identity provider made opens that account and no other: whoever runs the provider says who
somebody is, and only their own account believes them. A session by password or passkey opens the accounts that do not
require single sign-on of its user. `dashboard.active_roles` holds each request to that.
"""

from typing import Any

from allauth.account.signals import password_changed, password_reset, password_set
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_reset
from django.contrib import messages
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils.translation import gettext as _

from dashboard.access import Scope
from dashboard.active_roles import OWN, THROUGH, through
from dashboard.models import SingleSignOn, User
from dashboard.queries.belonging import is_vouched_for
from dashboard.scoped_request import ScopedRequest
from sync.models import Account

# Addresses at which a reader changes what they sign in with, and as whom: it opens every account of theirs.
OWN_SIGN_IN = frozenset(
    {
        *("account_change_password", "account_set_password", "mfa_activate_totp", "mfa_deactivate_totp"),
        *("mfa_view_recovery_codes", "mfa_generate_recovery_codes", "mfa_download_recovery_codes"),
        *("mfa_add_webauthn", "mfa_edit_webauthn", "mfa_remove_webauthn", "end_session", "end_other_sessions"),
        *("your_name", "confirm_email"),
    }
)


def note_provider(request: HttpRequest, key: str) -> None:
    """Remember that a provider signed the reader in."""
    request.session[THROUGH] = key


@receiver(user_logged_in, dispatch_uid="note_own_sign_in")
def note_own(*, request: HttpRequest | None = None, **_rest: Any) -> None:
    """Remember a sign-in; the adapter then says which provider it came through, if one did."""
    if request is not None and hasattr(request, "session"):
        request.session[THROUGH] = OWN


def tell_if_closed(request: ScopedRequest, user: User, account: Account) -> None:
    """Tell a reader who has just been given a role in an account when this session does not open it."""
    if account not in Scope.of(user, at=request.now, through=through(request)).accounts:
        messages.info(
            request,
            _(
                "How you are signed in now does not open %(account)s: sign in with a password or a passkey, or as its"
                " members do."
            )
            % {"account": account},
        )


def provider_of(request: HttpRequest) -> SingleSignOn | None:
    """Return the provider that made the session; None for a password or passkey, and for a provider that is gone."""
    key = through(request)
    return SingleSignOn.objects.filter(key=key).select_related("account").first() if key else None


@receiver([password_set, password_changed, authenticator_added, authenticator_reset], dispatch_uid="note_vouched_by")
def note_vouched_by(*, request: HttpRequest, user: User, **_rest: Any) -> None:
    """Remember whose word it is that the user set what was just set: the account's whose provider signed them in.

    What that word is worth is asked when another account gives them a role (`dashboard.services.first_role`): a domain
    may have passed to that one by then.
    """
    provider = provider_of(request)
    if provider is not None and user.vouched_by_id is None:
        user.vouched_by = provider.account
        user.save(update_fields=["vouched_by"])


@receiver(password_reset, dispatch_uid="prove_mailbox")
def prove_mailbox(*, user: User, **_rest: Any) -> None:
    """Forget what was set by a provider's word alone when a link in a mail sets the password: the mailbox is proof.

    A second factor that a member of the domain's own account set stays: else the mailbox alone would do.
    """
    if user.vouched_by_id is not None and not is_vouched_for(user):
        Authenticator.objects.filter(user=user).delete()
        user.vouched_by = None
        user.save(update_fields=["vouched_by"])
