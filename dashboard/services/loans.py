"""Heads and managers lend their scope to a colleague for a time."""

from datetime import datetime, timedelta

from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext as _

from dashboard.audit import Action, Subject, record
from dashboard.models import Delegation, Invitation, Membership, Role, User
from dashboard.services.deciding import RefusedError, deciding
from dashboard.services.first_role import settle_sign_in
from sync.models import Account

LONGEST = timedelta(days=366)
LENDING = (Role.DEPARTMENT_HEAD, Role.PEOPLE_MANAGER)


def lend(
    account: Account,
    email: str,
    *,
    by: User,
    starts_at: datetime,
    ends_at: datetime,
    at: datetime,
    note: str = "",
    request: HttpRequest | None = None,
) -> Delegation:
    """Lend what the user sees as head or manager to the colleague with an email.

    RefusedError unless the lender holds such a role and the colleague can sign in here; for oneself; for a span that is
    over, empty or longer than a year; and while a loan to the same colleague runs in it.
    """
    if ends_at <= starts_at or ends_at <= at:
        raise RefusedError(_("The last day must not be before the first, nor in the past."))
    if ends_at - max(starts_at, at) > LONGEST:
        raise RefusedError(_("A loan lasts a year at most."))
    with deciding(account):
        if not any(role.holds(at) for role in Membership.objects.filter(user=by, account=account, role__in=LENDING)):
            raise RefusedError(_("Only department heads and people managers lend what they see."))
        borrower = _colleague(account, email, at=at)
        if borrower == by:
            raise RefusedError(_("Lend it to somebody else."))
        running = Delegation.objects.filter(account=account, lender=by, borrower=borrower, ended_at=None)
        if running.filter(starts_at__lt=ends_at, ends_at__gt=max(starts_at, at)).exists():
            raise RefusedError(_("They have a loan of yours in that time already."))
        settle_sign_in(borrower, account, request=request)
        loan = Delegation.objects.create(
            account=account,
            lender=by,
            borrower=borrower,
            note=note.strip(),
            starts_at=starts_at,
            ends_at=ends_at,
            created_at=at,
        )
        _note(Action.SCOPE_LENT, loan, by, request)
    return loan


def end_loan(loan: Delegation, *, by: User | None, at: datetime, request: HttpRequest | None = None) -> None:
    """End a loan now, for its lender, its borrower or an administrator; for nobody where the lender's role is over.

    RefusedError when it is over already.
    """
    with deciding(loan.account):
        loan.refresh_from_db()
        if loan.ended_at is not None or loan.ends_at <= at:
            raise RefusedError(_("This loan is over already."))
        loan.ended_by, loan.ended_at = by, at
        loan.save(update_fields=["ended_by", "ended_at"])
        _note(Action.LOAN_ENDED, loan, by, request)


def _colleague(account: Account, email: str, *, at: datetime) -> User:
    """Return who can sign in with the email and belongs here: a member, somebody invited, or one without any role.

    RefusedError for anybody else, in the same words: who has access to other accounts is nobody's business here.
    """
    user = User.objects.called(email.strip())
    if user is not None and user.is_active:
        roles = Membership.objects.filter(user=user)
        is_invited = Invitation.objects.filter(
            Q(accepted_at=None, revoked_at=None, expires_at__gt=at), account=account, email__iexact=user.email
        ).exists()
        if is_invited or roles.filter(account=account).exists() or not roles.exists():
            return user
    raise RefusedError(_("Nobody signs in here with this email. An administrator can invite them."))


def _note(action: Action, loan: Delegation, by: User | None, request: HttpRequest | None) -> None:
    record(
        action,
        account=loan.account,
        user=by,
        subject=Subject.DELEGATION,
        subject_id=loan.pk,
        details={
            "lender": loan.lender_id,
            "borrower": loan.borrower_id,
            "starts_at": loan.starts_at.isoformat(),
            "ends_at": loan.ends_at.isoformat(),
        },
        request=request,
    )
