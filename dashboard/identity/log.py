"""Sign-ins in the audit log: who came in, who went, whose password was guessed at, and who changed how they come in."""

from typing import Any

from allauth.account.signals import password_changed, password_reset, password_set
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import Signal, receiver
from django.http import HttpRequest

from dashboard.audit import Action, Subject, record
from dashboard.models import User
from dashboard.queries.belonging import accounts_ever_of
from sync.models import Account


@receiver(user_logged_in, dispatch_uid="audit_signed_in")
def signed_in(*, user: User, request: HttpRequest | None = None, **_rest: Any) -> None:
    """Record a sign-in in each account the user has something in, or in none's."""
    _record(Action.SIGNED_IN, user, request, actor=user)


@receiver(user_logged_out, dispatch_uid="audit_signed_out")
def signed_out(*, user: User | None, request: HttpRequest | None = None, **_rest: Any) -> None:
    """Record a sign-out; nothing when nobody was signed in."""
    if isinstance(user, User):
        scope = getattr(request, "scope", None)
        if scope is not None and scope.viewer is not None:
            stopped_viewing(scope.account, viewer=user, member=scope.user, request=request, because="signed out")
        _record(Action.SIGNED_OUT, user, request, actor=user)


@receiver([password_changed, password_set, password_reset], dispatch_uid="audit_password_changed")
def password_was_changed(*, user: User, signal: Signal, request: HttpRequest | None = None, **_rest: Any) -> None:
    """Record that a user chose another password, by which way."""
    way = {password_changed: "changed", password_set: "set", password_reset: "reset by mail"}[signal]
    _record(Action.PASSWORD_CHANGED, user, request, actor=user, way=way)


@receiver([authenticator_added, authenticator_removed, authenticator_reset], dispatch_uid="audit_second_factor_changed")
def second_factor_was_changed(
    *, user: User, authenticator: Authenticator, signal: Signal, request: HttpRequest | None = None, **_rest: Any
) -> None:
    """Record that a passkey, an authenticator app or recovery codes were added, removed or made anew."""
    act = {authenticator_added: "added", authenticator_removed: "removed", authenticator_reset: "made anew"}[signal]
    _record(Action.SECOND_FACTOR_CHANGED, user, request, actor=user, kind=str(authenticator.type), act=act)


@receiver(user_login_failed, dispatch_uid="audit_sign_in_failed")
def sign_in_failed(*, credentials: dict[str, Any], request: HttpRequest | None = None, **_rest: Any) -> None:
    """Record a failed sign-in, with whom it was tried for if that is a user: what else was typed is kept nowhere."""
    email = str(credentials.get("email") or credentials.get("username") or "").replace("\0", "")
    _record(Action.SIGN_IN_FAILED, User.objects.called(email), request)


def stopped_viewing(
    account: Account | None, *, viewer: User, member: User | None, request: HttpRequest | None, because: str
) -> None:
    """Record that an administrator sees the product as themself again, and why."""
    record(
        Action.STOPPED_VIEWING_AS,
        account=account,
        user=viewer,
        subject=Subject.USER,
        subject_id=member.pk if member else None,
        details={"because": because},
        request=request,
    )


def _record(
    action: Action, about: User | None, request: HttpRequest | None, *, actor: User | None = None, **details: str
) -> None:
    accounts: list[Account | None] = [*accounts_ever_of(about)]
    for account in accounts or [None]:
        record(
            action,
            account=account,
            user=actor,
            subject=Subject.USER if about else "",
            subject_id=about.pk if about else None,
            details=details,
            request=request,
        )
