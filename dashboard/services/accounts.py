"""Accounts of an installation: which names are free, and who administers a new one."""

from dashboard.models import Membership, User
from sync.models import Account


def is_name_free(account: Account, name: str) -> bool:
    """Return whether no other account, whoever administers it, is called so: names are unique in an installation."""
    return not Account.objects.filter(name=name).exclude(pk=account.pk).exists()


def grant_administrator(user: User, account: Account) -> None:
    """Make the user an administrator of an account; for whoever adds one."""
    Membership.objects.get_or_create(user=user, account=account, role=Membership.Role.ADMINISTRATOR)
