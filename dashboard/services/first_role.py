"""Sign-in of a user whom an account gives a role: it is their own, by no other account's word.

Whoever runs the identity provider of an account can come in as anybody whom it may name, and set a password, a passkey
or an authenticator for them. None of it may open an account that comes later.
"""

from allauth.mfa.models import Authenticator
from django.http import HttpRequest
from django.utils.translation import gettext as _

from dashboard.active_roles import OWN
from dashboard.audit import Action, Subject, record
from dashboard.models import Membership, SingleSignOn, User
from dashboard.outbox.notices import tell
from dashboard.queries.belonging import is_vouched_for
from dashboard.services.sessions import end_sessions
from sync.models import Account


def is_unproven(user: User, account: Account) -> bool:
    """Return whether what the user signs in with was set by another account's word alone."""
    return user.vouched_by_id not in {None, account.pk} and not is_vouched_for(user)


def settle_sign_in(user: User, account: Account, *, request: HttpRequest | None = None) -> bool:
    """Before the account gives the user a role: delete a password, passkeys and authenticators that are unproven.

    Their sessions end, and they are told by mail. At a first role sessions through other accounts' providers end in any
    case. Return whether anything was deleted. `user` must be the object that signs in afterwards.
    """
    this = request.session.session_key if request is not None else None
    if not is_unproven(user, account):
        if user.vouched_by_id not in {None, account.pk}:
            # It is good from now on, whoever the domain belongs to later.
            user.vouched_by = None
            user.save(update_fields=["vouched_by"])
        if not Membership.objects.filter(user=user).exists():
            own = {OWN, *SingleSignOn.objects.filter(account=account).values_list("key", flat=True)}
            _note_ended(end_sessions(user, but=this, made=lambda key: key not in own), user, account, request)
        return False
    factors = Authenticator.objects.filter(user=user)
    had_password, had_factors = user.has_usable_password(), factors.exists()
    factors.delete()
    # Another text in its place, so that no session goes on.
    user.set_unusable_password()
    user.vouched_by = None
    user.save(update_fields=["password", "vouched_by"])
    _note_ended(end_sessions(user, but=this), user, account, request)
    removed = [
        *([Action.PASSWORD_CHANGED] if had_password else []),
        *([Action.SECOND_FACTOR_CHANGED] if had_factors else []),
    ]
    for action in removed:
        _note(action, user, account, request, removed_before_first_role=True)
    if removed:
        _tell(user, account)
    return bool(removed)


def _note_ended(sessions: int, user: User, account: Account, request: HttpRequest | None) -> None:
    if sessions:
        _note(Action.SESSION_ENDED, user, account, request, sessions=sessions, before_first_role=True)


def _note(action: Action, user: User, account: Account, request: HttpRequest | None, **details: object) -> None:
    record(
        action,
        account=account,
        user=None,
        subject=Subject.USER,
        subject_id=user.pk,
        details=details,
        request=request,
    )


def _tell(user: User, account: Account) -> None:
    tell(
        user.email,
        _("What you signed in with was removed"),
        _("%(account)s has given you access to Rollcall.") % {"account": account},
        _(
            "A password, passkey or authenticator app was set for your email before: at a time when no account had "
            "accepted you, or through the single sign-on of another one. Nobody could tell that it was you who set it, "
            "so it was removed, and all sessions were ended."
        ),
        _("Sign in through your organization, or choose a new password with “Reset password” on the sign-in page."),
    )
