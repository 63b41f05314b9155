"""Tokens of programs and assistants: made, shown once, recognized, limited, and every call of theirs on record.

Whoever serves them (REST, MCP) does the same four things for a call: `authenticate` the secret, `seconds_to_wait`,
`note` the call, and answer inside `row_security.within(caller.scope)`. No session and no cookie has a part in it.
"""

import hashlib
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from dashboard import audit, rate_limits
from dashboard.access import Scope
from dashboard.audit import Action, Subject, Through
from dashboard.decisions.deciding import RefusedError, deciding
from dashboard.models import ApiToken, User
from sync.models import Account

# So that whoever finds one in a file, a program that looks for secrets too, knows what it is.
MARK = "rollcall_"
_BYTES = 32
_SHOWN = len(MARK) + 5
_SECRET = re.compile(rf"{MARK}[A-Za-z0-9_-]{{43}}")
LONGEST = timedelta(days=366)
MOST = 25
# Often enough to see whether a token is in use; a row written per call would be the call's main cost.
USED_WITHIN = timedelta(minutes=1)


@dataclass(frozen=True)
class Caller:
    """Who calls: the token, and the scope its member has at the moment of the call, narrowed as the token is.

    Without a token it is a reader who is signed in and tries the API on its page, or a command.
    """

    token: ApiToken | None
    scope: Scope


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


def tokens_of(user: User, account: Account) -> QuerySet[ApiToken]:
    """Return the tokens that a member has for an account, ended ones too, the latest first."""
    return ApiToken.objects.filter(account=account, user=user).order_by("-pk")


def digest(secret: str) -> str:
    """Return what is kept of a secret: its SHA-256. It is random and long, so a slower hash would add nothing."""
    return hashlib.sha256(secret.encode()).hexdigest()


def bearer(request: HttpRequest) -> str | None:
    """Return the secret that a request brings as `Authorization: Bearer ...`; None for any other head, or none."""
    scheme, _blank, secret = request.headers.get("Authorization", "").partition(" ")
    secret = secret.strip()
    return secret if scheme.lower() == "bearer" and _SECRET.fullmatch(secret) else None


def authenticate(secret: str, *, at: datetime) -> Caller | None:
    """Return who calls with a secret at `at`; None for an unknown, ended or revoked one, and for a member no more.

    That it was used is kept, once a minute at most. Must not run inside `within`: who asks is not known yet.
    """
    if _SECRET.fullmatch(secret) is None:
        return None
    token = (
        ApiToken.objects.select_related("user", "account__published_run").filter(token_digest=digest(secret)).first()
    )
    if token is None or not token.holds(at):
        return None
    scope = Scope.of(token.user, chosen=token.account_id, at=at)
    if scope.account is None or scope.account.pk != token.account_id:
        return None
    _touch(token, at=at)
    narrowed = replace(scope, accounts=(scope.account,), administered=frozenset(), is_numbers_only=token.numbers_only)
    return Caller(token, narrowed)


def _touch(token: ApiToken, *, at: datetime) -> None:
    if token.last_used_at is not None and token.last_used_at > at - USED_WITHIN:
        return
    unused = Q(last_used_at=None) | Q(last_used_at__lte=at - USED_WITHIN)
    ApiToken.objects.filter(unused, pk=token.pk).update(last_used_at=at)


def seconds_to_wait(caller: Caller) -> int:
    """Count one call of a token; return how long it must wait, 0 if not at all. The limit is RATE_LIMITS["api"]."""
    return rate_limits.seconds_to_wait("api", caller.token.pk if caller.token else None, at=time.time())


def note(
    caller: Caller, call: str, details: Mapping[str, object] | None = None, *, request: HttpRequest | None = None
) -> None:
    """Add a call to the audit log: its name, like "GET /people" or "tool find_person", and what it asked for.

    Details are ids, counts, days and words of ours, as `audit.record` has them; never what somebody typed.
    """
    audit.record(
        Action.API_CALL,
        account=caller.scope.account,
        user=caller.token.user if caller.token else caller.scope.viewer or caller.scope.user,
        subject=Subject.TOKEN if caller.token else "",
        subject_id=caller.token.pk if caller.token else None,
        details={"call": call, **(details or {})},
        request=request,
        through=Through.TOKEN if caller.token else None,
    )
