"""Sign-ins in the audit log: who came in, who went, and whose password was guessed at."""

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from dashboard.audit import Action, Subject, record
from dashboard.models import Delegation, Membership, User
from sync.models import Account


@receiver(user_logged_in, dispatch_uid="audit_signed_in")
def signed_in(*, user: User, request: HttpRequest | None = None, **_rest: Any) -> None:
    """Record a sign-in in each account the user has something in, or in none's."""
    _record(Action.SIGNED_IN, user, request, actor=user)


@receiver(user_logged_out, dispatch_uid="audit_signed_out")
def signed_out(*, user: User | None, request: HttpRequest | None = None, **_rest: Any) -> None:
    """Record a sign-out; nothing when nobody was signed in."""
    if isinstance(user, User):
        _record(Action.SIGNED_OUT, user, request, actor=user)


@receiver(user_login_failed, dispatch_uid="audit_sign_in_failed")
def sign_in_failed(*, credentials: dict[str, Any], request: HttpRequest | None = None, **_rest: Any) -> None:
    """Record a failed sign-in, with whom it was tried for if that is a user: what else was typed is kept nowhere."""
    email = str(credentials.get("email") or credentials.get("username") or "").replace("\0", "")
    _record(Action.SIGN_IN_FAILED, User.objects.filter(email__iexact=email).first() if email else None, request)


def _record(action: Action, about: User | None, request: HttpRequest | None, *, actor: User | None = None) -> None:
    accounts: list[Account | None] = [*accounts_ever_of(about)]
    for account in accounts or [None]:
        record(
            action,
            account=account,
            user=actor,
            subject=Subject.USER if about else "",
            subject_id=about.pk if about else None,
            request=request,
        )


def accounts_ever_of(user: User | None) -> list[Account]:
    """Return the accounts that a user has, or had, something in. Always in one order: two that sign in never wait for
    each other's chains in turn.
    """
    if user is None:
        return []
    held = Membership.objects.filter(user=user).values("account")
    borrowed = Delegation.objects.filter(borrower=user).values("account")
    return list(Account.objects.filter(pk__in=held.union(borrowed)).order_by("pk"))
