"""Members and invitations of an account, and the scopes lent in it."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from dashboard.access import Scope
from dashboard.models import Delegation, EmailDomain, Invitation, Membership, SingleSignOn, SingleSignOnRole, User
from dashboard.queries.sign_in import untold_groups


@dataclass(frozen=True)
class Loans:
    """Loans of one user in one account, as lender and as borrower, the newest first."""

    given: list[Delegation]
    held: list[Delegation]


def memberships(scope: Scope) -> QuerySet[Membership]:
    """Return the account's members with their roles, past ones too, by user; none unless the reader may read them."""
    if not scope.may_read_members:
        return Membership.objects.none()
    found = Membership.objects.filter(account=scope.account).select_related("user", "account")
    return found.prefetch_related("departments").order_by("user__last_name", "user__first_name", "user__email", "pk")


def invitations(scope: Scope) -> QuerySet[Invitation]:
    """Return the account's invitations that nobody accepted or revoked, those that ran out too, the newest first.

    None unless the reader may read the members.
    """
    if not scope.may_read_members:
        return Invitation.objects.none()
    found = Invitation.objects.filter(account=scope.account, accepted_at=None, revoked_at=None)
    found = found.select_related("account", "invited_by").prefetch_related("departments")
    return found.order_by("-invited_at", "-pk")


def own_roles(scope: Scope, *, at: datetime) -> list[Membership]:
    """Return the roles that the reader holds at `at` in the account, with their departments."""
    found = Membership.objects.filter(Q(ends_at=None) | Q(ends_at__gt=at), user=scope.user, account=scope.account)
    return list(found.prefetch_related("departments").order_by("role"))


def own_loans(scope: Scope) -> Loans:
    """Return the loans that the reader gives and holds in the account, past ones too."""
    loans = (
        Delegation.objects.filter(Q(lender=scope.user) | Q(borrower=scope.user), account=scope.account)
        .select_related("lender", "borrower", "account", "ended_by")
        .order_by("-starts_at", "-pk")
    )
    given = [loan for loan in loans if loan.lender_id == (scope.user.pk if scope.user else None)]
    return Loans(given, [loan for loan in loans if loan not in given])


def loans(scope: Scope) -> QuerySet[Delegation]:
    """Return the account's loans that nobody ended, the newest first; none unless the reader may read the members."""
    if not scope.may_read_members:
        return Delegation.objects.none()
    found = Delegation.objects.filter(account=scope.account, ended_at=None)
    return found.select_related("lender", "borrower", "account").order_by("-starts_at", "-pk")


def single_sign_on(scope: Scope) -> SingleSignOn | None:
    """Return the account's single sign-on; None for none, and unless the reader may read the members."""
    if not scope.may_read_members:
        return None
    return SingleSignOn.objects.filter(account=scope.account).select_related("account").first()


def leaves_groups_out(scope: Scope, at: datetime) -> bool:
    """Return whether the account's provider lately left out somebody's groups; False unless the reader administers."""
    provider = single_sign_on(scope)
    return provider is not None and SingleSignOn.objects.filter(untold_groups(at), pk=provider.pk).exists()


def email_domains(scope: Scope) -> QuerySet[EmailDomain]:
    """Return the domains that the account's single sign-on speaks for; none unless the reader administers it."""
    if not scope.is_administrator:
        return EmailDomain.objects.none()
    return EmailDomain.objects.filter(account=scope.account).select_related("account").order_by("name")


def single_sign_on_roles(scope: Scope) -> QuerySet[SingleSignOnRole]:
    """Return what groups give in the account; none unless the reader administers it."""
    if not scope.is_administrator:
        return SingleSignOnRole.objects.none()
    found = SingleSignOnRole.objects.filter(single_sign_on__account=scope.account)
    return found.prefetch_related("departments").order_by("group", "role", "pk")


def find_user(email: str) -> User | None:
    """Return who signs in with this email, whatever its case; None for nobody, and for no email."""
    return User.objects.called(email)


def has_user(email: str) -> bool:
    """Return whether somebody can sign in with this email already: an invited one signs in, another makes a user."""
    return find_user(email) is not None


def is_real_member(user: User) -> bool:
    """Return whether the user has, or had, a role in an account that is not the demo's."""
    return Membership.objects.filter(user=user, account__is_demo=False).exists()
