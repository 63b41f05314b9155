"""The accounts that a user has something in, whose email domain theirs is, and who must say who they are."""

from django.db.models import Q
from django.utils import timezone

from config.email_addresses import domain_of
from dashboard.models import Delegation, EmailDomain, Membership, Role, SingleSignOn, User
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
    """Return the single sign-on that the user must come through; None for whoever a password or a passkey is of use to.

    Administrators may use one: when the identity provider is down or set up wrongly, somebody must get in to mend it.
    So may those who have something in another account that does not require it; that is all such a session opens. Of
    several providers it is the first by name.
    """
    accounts = accounts_of(user)
    required = SingleSignOn.objects.filter(account__in=accounts, is_enabled=True, is_required=True)
    found = {one.account_id: one for one in required if Role.ADMINISTRATOR not in accounts[one.account_id]}
    if not found or found.keys() != accounts.keys():
        return None
    return min(found.values(), key=lambda one: (one.name, one.pk))


def enabled_single_sign_on(account: Account) -> SingleSignOn | None:
    """Return the account's single sign-on; None when it has none, or it is switched off."""
    return SingleSignOn.objects.filter(account=account, is_enabled=True).first()


def replaces_password(account: Account, role: str) -> SingleSignOn | None:
    """Return the single sign-on through which whoever takes this role must come; None where a password is of use."""
    single_sign_on = enabled_single_sign_on(account)
    is_needed = single_sign_on is not None and single_sign_on.is_required and role != Role.ADMINISTRATOR
    return single_sign_on if is_needed else None


def accounts_ever_of(user: User | None) -> list[Account]:
    """Return the accounts that a user has, or had, something in. Always in one order: two that sign in never wait for
    each other's chains in turn.
    """
    if user is None:
        return []
    held = Membership.objects.filter(user=user).values("account")
    borrowed = Delegation.objects.filter(borrower=user).values("account")
    return list(Account.objects.filter(pk__in=held.union(borrowed)).order_by("pk"))


def owns_domain(account_id: int, email: str) -> bool:
    """Return whether the email's domain belongs to the account."""
    return EmailDomain.objects.filter(account=account_id, name=domain_of(email)).exclude(proven_at=None).exists()


def belongs_to_another(account_id: int, email: str) -> bool:
    """Return whether the email's domain belongs to an account other than this one."""
    proven = EmailDomain.objects.filter(name=domain_of(email)).exclude(proven_at=None)
    return proven.exclude(account=account_id).exists()


def is_vouched_for(user: User) -> bool:
    """Return whether the account whose word it is what the user signs in with owns their email's domain, and has them.

    Such a word is as good as the mailbox's: whoever has a domain reads its mail.
    """
    account = user.vouched_by_id
    return account is not None and owns_domain(account, user.email) and account in accounts_of(user)
