"""What a member has in an account beside their roles, and what becomes of it when a role ends."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.http import HttpRequest

from dashboard import tokens
from dashboard.access import DECIDE, LEND, Scope
from dashboard.decisions.loans import end_loan
from dashboard.decisions.schedules import hand_on
from dashboard.models import ApiToken, Delegation, Membership, Schedule, User
from sync.models import Account


@dataclass(frozen=True)
class Possessions:
    """Schedules that are owned and received and have not ended, loans that are not over, and tokens in use."""

    owned: list[Schedule]
    received: list[Schedule]
    lent: list[Delegation]
    borrowed: list[Delegation]
    tokens: list[ApiToken]


@dataclass(frozen=True)
class Without:
    """A member without one of their roles: whether they still decide, lend what they see, and see anything here."""

    decides: bool
    lends: bool
    sees: bool


@dataclass(frozen=True)
class LeftBehind:
    """What was done as a role ended: schedules handed on (to whom, they say), loans ended, tokens revoked."""

    schedules: list[Schedule]
    loans: list[Delegation]
    tokens: list[ApiToken]


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
    )


def without(membership: Membership, *, at: datetime) -> Without:
    """Return what the holder of a role still is in the account without it."""
    others = Membership.objects.filter(Q(ends_at=None) | Q(ends_at__gt=at), account=membership.account_id)
    roles = set(others.filter(user=membership.user_id).exclude(pk=membership.pk).values_list("role", flat=True))
    borrows = Delegation.objects.filter(
        account=membership.account_id, borrower=membership.user_id, ended_at=None, starts_at__lte=at, ends_at__gt=at
    ).exists()
    return Without(not DECIDE.isdisjoint(roles), not LEND.isdisjoint(roles), bool(roles) or borrows)


def leave_behind(
    account: Account, user: User, *, by: User, at: datetime, request: HttpRequest | None = None
) -> LeftBehind:
    """Settle what a user has, as one of their roles has ended or become another; return what was done.

    Schedules pass on where they decide nothing any more, loans end where they have nothing left to lend, and tokens
    are revoked where they see nothing here. What colleagues lent to them stays: that is the colleague's decision.
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
    return LeftBehind(hand_on(account, user, by=by, at=at), ended, revoked)
