"""Membership: invitations, the roles they become, and when those end."""

import hashlib
import secrets
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext as _

from dashboard.audit import Action
from dashboard.models import Invitation, Membership, Role, User
from dashboard.queries.possessions import LeftBehind
from dashboard.services.deciding import RefusedError, deciding
from dashboard.services.first_role import settle_sign_in
from dashboard.services.invitations import note, refuse_closed
from dashboard.services.possessions import leave_behind
from sync.models import Account, Department

INVITATION_HOLDS = timedelta(days=7)
# A link of the command line is a way in by itself.
OPERATOR_LINK_HOLDS = timedelta(hours=24)


@dataclass(frozen=True)
class Offer:
    """A role, for a department head with departments. `ends_at` is the first moment without it; None: no end."""

    role: Role
    departments: Collection[Department] = ()
    ends_at: datetime | None = None


def new_token() -> str:
    """Return a secret for a link, as it stands there."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """Return what is kept of an invitation's token: its SHA-256."""
    return hashlib.sha256(token.encode()).hexdigest()


def invite(
    account: Account, email: str, offer: Offer, *, by: User, at: datetime, request: HttpRequest | None = None
) -> tuple[Invitation, str]:
    """Offer a role to whoever receives mail at an address; return the invitation and the token for its link.

    The token is not kept. RefusedError for an offer that `check` refuses, for one who has the role already, and while
    another invitation to it is open.
    """
    check(account, offer, at=at)
    email = email.strip()
    with deciding(account):
        if any(
            membership.holds(at)
            for membership in Membership.objects.filter(
                account=account, role=offer.role, user=User.objects.called(email)
            )
        ):
            raise RefusedError(_("They have this role already."))
        open_ones = Invitation.objects.filter(
            account=account, email__iexact=email, role=offer.role, accepted_at=None, revoked_at=None
        )
        if open_ones.filter(expires_at__gt=at).exists():
            raise RefusedError(_("They are invited to this role already. Send that invitation again, or revoke it."))
        # One that ran out makes room for the new one.
        open_ones.update(revoked_by=by, revoked_at=at)
        token = new_token()
        invitation = Invitation.objects.create(
            account=account,
            email=User.objects.normalize_email(email),
            role=offer.role,
            ends_at=offer.ends_at,
            token_digest=digest(token),
            invited_by=by,
            invited_at=at,
            expires_at=at + INVITATION_HOLDS,
        )
        invitation.departments.set(offer.departments)
        note(Action.MEMBER_INVITED, invitation, by, request, role=offer.role)
    return invitation, token


def renew(invitation: Invitation, *, by: User, at: datetime, request: HttpRequest | None = None) -> str:
    """Return a new token for an invitation that nobody accepted; the old link ends, its time begins anew.

    It is then of whoever sends it again, unless it came from the command line. RefusedError once it is accepted or
    revoked, when the role it offers has ended, and where it goes to no address.
    """
    with deciding(invitation.account):
        invitation.refresh_from_db()
        refuse_closed(invitation)
        if not invitation.email:
            raise RefusedError(_("It was shown in the terminal and is for no address. Invite somebody instead."))
        if invitation.ends_at is not None and invitation.ends_at <= at:
            raise RefusedError(_("The role it offers has ended. Invite them anew."))
        token = new_token()
        holds = OPERATOR_LINK_HOLDS if invitation.is_from_operator else INVITATION_HOLDS
        invitation.token_digest, invitation.expires_at = digest(token), at + holds
        if not invitation.is_from_operator:
            invitation.invited_by = by
        invitation.save(update_fields=["token_digest", "expires_at", "invited_by"])
        note(Action.MEMBER_INVITED, invitation, by, request, role=invitation.role, again=True)
    return token


def find_invitation(token: str, *, at: datetime) -> Invitation | None:
    """Return the invitation of a link that works at `at`; None for any other text."""
    return (
        Invitation.objects.filter(token_digest=digest(token), accepted_at=None, revoked_at=None, expires_at__gt=at)
        .filter(Q(ends_at=None) | Q(ends_at__gt=at))
        .select_related("account", "invited_by")
        .first()
    )


@contextmanager
def holding(invitation: Invitation, *, at: datetime) -> Iterator[None]:
    """Run the block while nobody else can accept or revoke the invitation, in one transaction.

    RefusedError when it ended meanwhile: of two who open a link at once, one is too late.
    """
    with deciding(invitation.account):
        invitation.refresh_from_db(fields=["expires_at", "ends_at", "accepted_at", "revoked_at"])
        has_ended = invitation.ends_at is not None and invitation.ends_at <= at
        if invitation.expires_at <= at or has_ended:
            raise RefusedError(_("This invitation has run out."))
        refuse_closed(invitation)
        yield


def accept(
    invitation: Invitation, *, user: User, at: datetime, request: HttpRequest | None = None, is_new: bool = False
) -> Membership:
    """Give the invited user the role; one they had before holds again, on the invitation's terms.

    What they sign in with goes unless it is theirs (`settle_sign_in`), or set by the link itself (`is_new`).
    RefusedError for another user than the invited, and when the invitation ended meanwhile.
    """
    if invitation.email and user.email.casefold() != invitation.email.casefold():
        raise RefusedError(_("This invitation is for another email."))
    with holding(invitation, at=at):
        if not is_new:
            settle_sign_in(user, invitation.account, request=request)
        membership = Membership.objects.filter(user=user, account=invitation.account, role=invitation.role).first()
        membership = membership or Membership(user=user, account=invitation.account, role=invitation.role)
        membership.ends_at, membership.source = invitation.ends_at, Membership.Source.INVITED
        membership.save()
        membership.departments.set(invitation.departments.all())
        invitation.accepted_by, invitation.accepted_at = user, at
        invitation.save(update_fields=["accepted_by", "accepted_at"])
        note(Action.INVITATION_ACCEPTED, invitation, user, request, role=invitation.role)
    return membership


def change(membership: Membership, offer: Offer, *, by: User, at: datetime, request: HttpRequest | None = None) -> bool:
    """Give a member another role, other departments or another end; return whether that changed anything.

    RefusedError for an offer that `check` refuses, for roles that come from single sign-on, for a role that has ended,
    when the user has the other role already, and where the account would be left without an administrator for good.
    """
    check(membership.account, offer, at=at)
    with deciding(membership.account):
        membership.refresh_from_db()
        _refuse_unchangeable(membership, at=at)
        before = (membership.role, membership.ends_at, {one.pk for one in membership.departments.all()})
        after = (offer.role, offer.ends_at, {one.pk for one in offer.departments})
        if before == after:
            return False
        stays = offer.role == Role.ADMINISTRATOR and offer.ends_at is None
        if not stays and is_last_administrator(membership, at):
            raise RefusedError(_("An account keeps one administrator without an end. Make another one first."))
        if offer.role != membership.role:
            others = Membership.objects.filter(user=membership.user, account=membership.account, role=offer.role)
            if any(other.holds(at) for other in others):
                raise RefusedError(_("They have that role already."))
            others.delete()
        old = membership.role
        membership.role, membership.ends_at = offer.role, offer.ends_at
        membership.save(update_fields=["role", "ends_at"])
        membership.departments.set(offer.departments)
        note(Action.MEMBER_CHANGED, membership, by, request, role=offer.role, old=old)
        leave_behind(membership.account, membership.user, by=by, at=at, request=request)
    return True


def end(membership: Membership, *, by: User, at: datetime, request: HttpRequest | None = None) -> LeftBehind:
    """End a member's role now; return what was done with what they had: schedules, loans and tokens.

    RefusedError for roles that come from single sign-on, for one that has ended, and for the last administrator.
    """
    with deciding(membership.account):
        membership.refresh_from_db()
        _refuse_unchangeable(membership, at=at)
        if is_last_administrator(membership, at):
            raise RefusedError(_("The last administrator of an account cannot be ended. Make another one first."))
        membership.ends_at = at
        membership.save(update_fields=["ends_at"])
        note(Action.MEMBER_ENDED, membership, by, request, role=membership.role)
        return leave_behind(membership.account, membership.user, by=by, at=at, request=request)


def check(account: Account, offer: Offer, *, at: datetime) -> None:
    """Raise RefusedError for a role that cannot be given; see `Membership`."""
    if offer.role == Role.DEPARTMENT_HEAD:
        if not offer.departments:
            raise RefusedError(_("A department head has at least one department."))
        if any(department.account_id != account.pk for department in offer.departments):
            raise RefusedError(_("Departments must be of the same account."))
    elif offer.departments:
        raise RefusedError(_("Only a department head has departments."))
    if offer.role == Role.AUDITOR and offer.ends_at is None:
        raise RefusedError(_("An auditor's role has an end."))
    if offer.ends_at is not None and offer.ends_at <= at:
        raise RefusedError(_("The end has passed already."))


def is_last_administrator(membership: Membership, at: datetime) -> bool:
    """Return whether no other administrator of the account stays for good."""
    if membership.role != Role.ADMINISTRATOR or not membership.holds(at):
        return False
    others = Membership.objects.filter(
        account=membership.account_id, role=Role.ADMINISTRATOR, ends_at=None, user__is_active=True
    )
    return not others.exclude(pk=membership.pk).exists()


def _refuse_unchangeable(membership: Membership, *, at: datetime) -> None:
    if membership.source == Membership.Source.SINGLE_SIGN_ON:
        raise RefusedError(_("This role comes from single sign-on: change the group there, or what it gives here."))
    if not membership.holds(at):
        raise RefusedError(_("This role has ended already."))
