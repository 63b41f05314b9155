"""Tokens of programs and assistants: made, shown once, and revoked."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.http import HttpRequest
from django.utils.translation import gettext as _

from dashboard import audit
from dashboard.access import Scope
from dashboard.audit import Action, Subject
from dashboard.models import ApiToken, User
from dashboard.queries.possessions import tokens_of
from dashboard.services.deciding import RefusedError, deciding
from sync.models import Account

# So that whoever finds one in a file, a program that looks for secrets too, knows what it is.
MARK = "rollcall_"
_BYTES = 32
_SHOWN = len(MARK) + 5
LONGEST = timedelta(days=366)
MOST = 25


def create(
    user: User,
    account: Account,
    name: str,
    *,
    expires_at: datetime,
    at: datetime,
    numbers_only: bool = False,
    request: HttpRequest | None = None,
) -> tuple[ApiToken, str]:
    """Make a token for a member of the account; return it and its secret, which is not kept and cannot be had again.

    RefusedError without a name, for an end that is past or more than a year off, for whoever is no member, and for one
    who has 25 tokens in use there.
    """
    name = " ".join(name.replace("\0", " ").split())
    if not name:
        raise RefusedError(_("A name is needed: say what the token is for."))
    if not at < expires_at <= at + LONGEST:
        raise RefusedError(_("A token ends within a year."))
    secret = MARK + secrets.token_urlsafe(_BYTES)
    with deciding(account):
        if Scope.of(user, chosen=account.pk, at=at).account != account:
            raise RefusedError(_("Only members of the account have tokens for it."))
        if tokens_of(user, account).filter(revoked_at=None, expires_at__gt=at).count() >= MOST:
            raise RefusedError(_("You have %(most)s tokens in use. Revoke one first.") % {"most": MOST})
        token = ApiToken.objects.create(
            account=account,
            user=user,
            name=name[: ApiToken._meta.get_field("name").max_length],
            token_digest=digest(secret),
            prefix=secret[:_SHOWN],
            numbers_only=numbers_only,
            created_at=at,
            expires_at=expires_at,
        )
        audit.record(
            Action.TOKEN_CREATED,
            account=account,
            user=user,
            subject=Subject.TOKEN,
            subject_id=token.pk,
            details={"expires_at": expires_at.isoformat(), "numbers_only": numbers_only},
            request=request,
        )
    return token, secret


def revoke(token: ApiToken, *, by: User | None, at: datetime, request: HttpRequest | None = None) -> None:
    """End a token now; by nobody where its member's roles are over. RefusedError when it is revoked already."""
    with deciding(token.account):
        token.refresh_from_db()
        if token.revoked_at is not None:
            raise RefusedError(_("This token is revoked already."))
        token.revoked_at = at
        token.save(update_fields=["revoked_at"])
        audit.record(
            Action.TOKEN_REVOKED,
            account=token.account,
            user=by,
            subject=Subject.TOKEN,
            subject_id=token.pk,
            details={"of": token.user_id},
            request=request,
        )


def digest(secret: str) -> str:
    """Return what is kept of a secret: its SHA-256. It is random and long, so a slower hash would add nothing."""
    return hashlib.sha256(secret.encode()).hexdigest()
