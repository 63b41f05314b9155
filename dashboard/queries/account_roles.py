"""Members of an account as mail needs them: who administers it, and who may still decide there."""

from datetime import datetime

from django.db.models import Q

from dashboard.access import Scope
from dashboard.models import Membership, Role, User
from sync.models import Account


def administrators(account: Account, at: datetime) -> list[User]:
    """Return who administers an account at `at` and can sign in, by email."""
    return _holders(account, at, Role.ADMINISTRATOR)


def auditors(account: Account, at: datetime) -> list[User]:
    """Return who audits an account at `at` and can sign in, by email."""
    return _holders(account, at, Role.AUDITOR)


def _holders(account: Account, at: datetime, role: Role) -> list[User]:
    held = Membership.objects.filter(Q(ends_at=None) | Q(ends_at__gt=at), account=account, role=role)
    return list(User.objects.filter(pk__in=held.values("user"), is_active=True).order_by("email", "pk"))


def may_decide(user: User, account: Account, at: datetime) -> bool:
    """Return whether a user decides anything in an account at `at`: only then a schedule of theirs has an owner."""
    scope = Scope.of(user, chosen=account.pk, at=at)
    return scope.account == account and scope.may_decide
