"""Possessions of a member in an account beside their roles, and what becomes of them when a role ends."""

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest

from dashboard.access import DECIDE, LEND, Scope
from dashboard.models import ApiToken, Delegation, Invitation, Membership, Role, Schedule, User
from dashboard.queries.possessions import LeftBehind, open_invitations, possessions
from dashboard.services import tokens
from dashboard.services.deciding import RefusedError
from dashboard.services.invitations import revoke
from dashboard.services.loans import end_loan
from dashboard.services.schedules import hand_on
from sync.models import Account

logger = logging.getLogger(__name__)


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
        (open_invitations(at), "invited_by", [Role.ADMINISTRATOR]),
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
