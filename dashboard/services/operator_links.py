"""Links that whoever runs the server makes at its command line: for the first administrator, and for whoever is locked
out. They are invitations by nobody, hold for a day, and are good once.
"""

from datetime import datetime

from allauth.mfa.models import Authenticator
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext as _

from dashboard.audit import Action, Subject, record
from dashboard.models import Invitation, Role, SingleSignOn, User
from dashboard.queries.belonging import accounts_of
from dashboard.services.deciding import RefusedError, deciding
from dashboard.services.first_role import is_unproven
from dashboard.services.invitations import note
from dashboard.services.members import OPERATOR_LINK_HOLDS, Offer, accept, check, digest, holding, new_token
from sync.models import Account


def has_administrator(account: Account, *, at: datetime) -> bool:
    """Return whether an administrator of the account can sign in: with a password or passkey, or through single
    sign-on.
    """
    administrators = User.objects.filter(
        Q(memberships__ends_at=None) | Q(memberships__ends_at__gt=at),
        memberships__account=account,
        memberships__role=Role.ADMINISTRATOR,
        is_active=True,
    )
    if SingleSignOn.objects.filter(account=account, is_enabled=True).exists() and administrators.exists():
        return True
    return any(user.has_usable_password() or has_passkey(user) for user in administrators.distinct())


def has_passkey(user: User) -> bool:
    """Return whether a passkey lets the user in."""
    return Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN).exists()


def first_administrator_link(account: Account, email: str, *, at: datetime) -> tuple[Invitation, str] | None:
    """Offer the role of an administrator as long as none can sign in; return the invitation and its link's token.

    Each call ends the link of the one before. None, and no link works any more, once somebody can. Without an email
    whoever opens the link says theirs. RefusedError for a user who is switched off, and while the email has another
    invitation to the role: that stays open.
    """
    with deciding(account):
        earlier = Invitation.objects.filter(
            account=account, invited_by=None, sets_password=False, accepted_at=None, revoked_at=None
        )
        earlier.update(revoked_at=at)
        if has_administrator(account, at=at):
            return None
        refusal = _switched_off(email) or _invited_otherwise(account, email, at=at)
        if not refusal:
            return _offer(account, email, Offer(Role.ADMINISTRATOR), at=at)
    # Not inside: the links of before stay ended.
    raise RefusedError(refusal)


def _switched_off(email: str) -> str:
    """Return a sentence where the user of this email is switched off; empty for anybody else."""
    user = User.objects.called(email)
    if user is None or user.is_active:
        return ""
    return _("The sign-in of %(email)s is switched off.") % {"email": email}


def _invited_otherwise(account: Account, email: str, *, at: datetime) -> str:
    """Return a sentence where an invitation of the email to administer the account is open; empty where none is."""
    others = Invitation.objects.filter(
        account=account,
        email__iexact=email,
        role=Role.ADMINISTRATOR,
        accepted_at=None,
        revoked_at=None,
        expires_at__gt=at,
    )
    if not email or not others.exists():
        return ""
    return _(
        "%(email)s has an open invitation as an administrator: use its link, or make another with manage.py invite."
    ) % {"email": email}


def way_in(account: Account, email: str, offer: Offer, *, at: datetime) -> tuple[Invitation, str]:
    """Offer a role to somebody new, or to a user another password beside it; return the invitation and its token.

    It takes the place of any open invitation to the role. RefusedError for an offer that `check` refuses, and for a
    user who is switched off.
    """
    check(account, offer, at=at)
    with deciding(account):
        if refusal := _switched_off(email):
            raise RefusedError(refusal)
        return _offer(account, email, offer, at=at, sets_password=True)


def _offer(
    account: Account, email: str, offer: Offer, *, at: datetime, sets_password: bool = False
) -> tuple[Invitation, str]:
    open_ones = Invitation.objects.filter(
        account=account, email__iexact=email, role=offer.role, accepted_at=None, revoked_at=None
    )
    open_ones.update(revoked_at=at)
    token = new_token()
    invitation = Invitation.objects.create(
        account=account,
        email=User.objects.normalize_email(email),
        role=offer.role,
        ends_at=offer.ends_at,
        token_digest=digest(token),
        sets_password=sets_password,
        invited_at=at,
        expires_at=at + OPERATOR_LINK_HOLDS,
    )
    invitation.departments.set(offer.departments)
    note(Action.MEMBER_INVITED, invitation, None, None, role=offer.role, sets_password=sets_password)
    return invitation, token


def may_choose_password(invitation: Invitation, user: User) -> bool:
    """Return whether the link alone lets this user choose a password: it says so, or there is no way in to lose.

    It does, too, where what they sign in with will be removed: the link went to their mailbox, that is proof enough.
    """
    if invitation.sets_password or is_unproven(user, invitation.account):
        return True
    return invitation.is_from_operator and not user.has_usable_password() and not has_passkey(user)


def come_back_in(
    invitation: Invitation, user: User, *, password: str, at: datetime, request: HttpRequest | None = None
) -> None:
    """Give a user another password, and the role that goes with the link; their sessions end.

    RefusedError unless the link lets them, for a user who is switched off, and when it ended meanwhile.
    """
    if not may_choose_password(invitation, user):
        raise RefusedError(_("This link sets no password."))
    with holding(invitation, at=at):
        if refusal := _switched_off(user.email):
            raise RefusedError(refusal)
        accept(invitation, user=user, at=at, request=request)
        user.set_password(password)
        user.save(update_fields=["password"])
        # It opens each account in which they have something.
        for account in Account.objects.filter(pk__in=accounts_of(user)).order_by("pk"):
            record(
                Action.PASSWORD_CHANGED,
                account=account,
                user=user,
                subject=Subject.USER,
                subject_id=user.pk,
                details={"by_link": invitation.pk},
                request=request,
            )
