"""Who must sign in through their organization."""

from django.db.models import Q
from django.utils import timezone

from dashboard.models import Delegation, Membership, Role, SingleSignOn, User
from sync.models import Account


def accounts_of(user: User) -> dict[int, set[str]]:
    """Return the accounts in which the user has something now, each with the roles held there; a loan is no role."""
    now = timezone.now()
    found: dict[int, set[str]] = {}
    held = Membership.objects.filter(Q(ends_at=None) | Q(ends_at__gt=now), user=user)
    for account_id, role in held.values_list("account_id", "role"):
        found.setdefault(account_id, set()).add(role)
    lent = Delegation.objects.filter(borrower=user, ended_at=None, ends_at__gt=now)
    for account_id in lent.values_list("account_id", flat=True):
        found.setdefault(account_id, set())
    return found


def required_single_sign_on(user: User) -> SingleSignOn | None:
    """Return the single sign-on that the user must come through; None for whoever may use a password or a passkey.

    Administrators may: when the identity provider is down or set up wrongly, somebody must get in to mend it. So may
    those who have something in another account, too: an account's provider never opens another account (see
    `dashboard.sign_in.single_sign_on`), and they would have no way in at all.
    """
    accounts = accounts_of(user)
    if len(accounts) != 1:
        return None
    (account_id, roles), *_ = accounts.items()
    if Role.ADMINISTRATOR in roles:
        return None
    return SingleSignOn.objects.filter(account=account_id, is_enabled=True, is_required=True).first()


def enabled_single_sign_on(account: Account) -> SingleSignOn | None:
    """Return the account's single sign-on; None when it has none, or it is switched off."""
    return SingleSignOn.objects.filter(account=account, is_enabled=True).first()


def replaces_password(account: Account, role: str) -> SingleSignOn | None:
    """Return the single sign-on through which whoever takes this role must come; None where a password is of use."""
    single_sign_on = enabled_single_sign_on(account)
    is_needed = single_sign_on is not None and single_sign_on.is_required and role != Role.ADMINISTRATOR
    return single_sign_on if is_needed else None
