"""Possessions of a member in an account beside their roles."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from dashboard.access import DECIDE, LEND
from dashboard.models import ApiToken, Delegation, Invitation, Membership, Role, Schedule, User
from sync.models import Account


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
        list(tokens_of(user, account).filter(revoked_at=None, expires_at__gt=at)),
        list(open_invitations(at).filter(account=account, invited_by=user).order_by("email", "pk")),
    )


def open_invitations(at: datetime) -> QuerySet[Invitation]:
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


@dataclass(frozen=True)
class LeftBehind:
    """Acts as a role ended: schedules handed on (to whom, they say), loans ended, tokens and invitations
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


def tokens_of(user: User, account: Account) -> QuerySet[ApiToken]:
    """Return the tokens that a member has for an account, ended ones too, the latest first."""
    return ApiToken.objects.filter(account=account, user=user).order_by("-pk")
