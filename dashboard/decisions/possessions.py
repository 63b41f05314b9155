"""What a member has in an account beside their roles, and what becomes of it when a role ends."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest

from dashboard import tokens
from dashboard.access import DECIDE, LEND, Scope
from dashboard.decisions.deciding import RefusedError
from dashboard.decisions.invitations import revoke
from dashboard.decisions.loans import end_loan
from dashboard.decisions.schedules import hand_on
from dashboard.models import ApiToken, Delegation, Invitation, Membership, Role, Schedule, User
from sync.models import Account

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Possessions:
    """Schedules that are owned and received and have not ended, loans that are not over, tokens in use, and invitations
    of theirs that are open.
    """

    owned: list[Schedule]
    received: list[Schedule]
    lent: list[Delegation]
    borrowed: list[Delegation]
    tokens: list[ApiToken]
    invited: list[Invitation]


@dataclass(frozen=True)
class Without:
    """A member without one of their roles: whether they still decide, lend, see anything here, and administer it."""

    decides: bool
    lends: bool
    sees: bool
    administers: bool


@dataclass(frozen=True)
class LeftBehind:
    """What was done as a role ended: schedules handed on (to whom, they say), loans ended, tokens and invitations
    revoked.
    """

    schedules: list[Schedule]
    loans: list[Delegation]
    tokens: list[ApiToken]
    invitations: list[Invitation]

    @property
    def is_something(self) -> bool:
        """Whether anything was done."""
        return bool(self.schedules or self.loans or self.tokens or self.invitations)


def possessions(user: User, account: Account, *, at: datetime) -> Possessions:
    """Return what a user has in an account at `at`."""
    schedules = Schedule.objects.filter(account=account, ended_at=None).select_related("owner").order_by("name", "pk")
    loans = (
        Delegation.objects.filter(account=account, ended_at=None, ends_at__gt=at)
        .select_related("lender", "borrower", "account")
        .order_by("starts_at", "pk")
    )
    return Possessions(
        list(schedules.filter(owner=user)),
        list(schedules.filter(recipients=user)),
        list(loans.filter(lender=user)),
        list(loans.filter(borrower=user)),
        list(tokens.tokens_of(user, account).filter(revoked_at=None, expires_at__gt=at)),
        list(_open_invitations(at).filter(account=account, invited_by=user).order_by("email", "pk")),
    )


def _open_invitations(at: datetime) -> QuerySet[Invitation]:
    return Invitation.objects.filter(accepted_at=None, revoked_at=None, expires_at__gt=at).select_related("account")


def without(membership: Membership, *, at: datetime) -> Without:
    """Return what the holder of a role still is in the account without it."""
    others = Membership.objects.filter(Q(ends_at=None) | Q(ends_at__gt=at), account=membership.account_id)
    roles = set(others.filter(user=membership.user_id).exclude(pk=membership.pk).values_list("role", flat=True))
    borrows = Delegation.objects.filter(
        account=membership.account_id, borrower=membership.user_id, ended_at=None, starts_at__lte=at, ends_at__gt=at
    ).exists()
    return Without(
        not DECIDE.isdisjoint(roles), not LEND.isdisjoint(roles), bool(roles) or borrows, Role.ADMINISTRATOR in roles
    )


def leave_behind(
    account: Account, user: User, *, by: User | None, at: datetime, request: HttpRequest | None = None
) -> LeftBehind:
    """Settle what a user has, as one of their roles has ended or become another; return what was done.

    Schedules pass on where they decide nothing any more, loans end where they have nothing left to lend, tokens are
    revoked where they see nothing here, and invitations where they invite nobody any more: else whoever knows that they
    will leave could let themselves in again. What colleagues lent to them stays: that is the colleague's decision.
    `by` is None where the role came to its end by itself.
    """
    held = Membership.objects.filter(Q(ends_at=None) | Q(ends_at__gt=at), account=account, user=user)
    has = possessions(user, account, at=at)
    ended: list[Delegation] = []
    if not held.filter(role__in=LEND).exists():
        for loan in has.lent:
            end_loan(loan, by=by, at=at, request=request)
            ended.append(loan)
    revoked: list[ApiToken] = []
    if Scope.of(user, chosen=account.pk, at=at).account != account:
        for token in has.tokens:
            tokens.revoke(token, by=by, at=at, request=request)
            revoked.append(token)
    uninvited: list[Invitation] = []
    if not held.filter(role=Role.ADMINISTRATOR).exists():
        for invitation in has.invited:
            revoke(invitation, by=by, at=at, request=request)
            uninvited.append(invitation)
    return LeftBehind(hand_on(account, user, by=by, at=at), ended, revoked, uninvited)


def settle_ended(at: datetime) -> int:
    """Settle what those have whose roles ended by themselves, in every account; return for how many that did something.

    What cannot be settled now, while a sync is being published, is when this is next called.
    """
    roles = Membership.objects.filter(account=OuterRef("account"))
    ended, held = roles.filter(ends_at__lte=at), roles.filter(Q(ends_at=None) | Q(ends_at__gt=at))
    # Each with the roles that keep it: who has another of these has left nothing behind.
    left: tuple[tuple[QuerySet[Any], str, Iterable[str]], ...] = (
        (Schedule.objects.filter(ended_at=None), "owner", DECIDE),
        (Delegation.objects.filter(ended_at=None, ends_at__gt=at), "lender", LEND),
        (ApiToken.objects.filter(revoked_at=None, expires_at__gt=at), "user", Role.values),
        (_open_invitations(at), "invited_by", [Role.ADMINISTRATOR]),
    )
    pairs: set[tuple[int, int]] = set()
    for rows, whose, keeping in left:
        had, has = ended.filter(user=OuterRef(whose)), held.filter(user=OuterRef(whose), role__in=keeping)
        pairs.update(rows.filter(Exists(had), ~Exists(has)).values_list("account", whose))
    settled = 0
    for account_id, user_id in sorted(pairs):
        account, user = Account.objects.get(pk=account_id), User.objects.get(pk=user_id)
        try:
            settled += leave_behind(account, user, by=None, at=at).is_something
        except RefusedError:
            logger.warning("What somebody left behind in account %s waits for a sync.", account_id)
    return settled
