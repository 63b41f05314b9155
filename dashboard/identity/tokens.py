"""Tokens of programs and assistants: recognized, limited, and every call of theirs on record.

Whoever serves them (REST, MCP) does the same four things for a call: `authenticate` the secret, `seconds_to_wait`,
`note` the call, and answer inside `row_security.within(caller.scope)`. No session and no cookie has a part in it.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db.models import Q
from django.http import HttpRequest

from dashboard import audit, rate_limits
from dashboard.access import Scope
from dashboard.audit import Action, Subject, Through
from dashboard.models import ApiToken
from dashboard.services.tokens import MARK, digest

_SECRET = re.compile(rf"{MARK}[A-Za-z0-9_-]{{43}}")
# Often enough to see whether a token is in use; a row written per call would be the call's main cost.
USED_WITHIN = timedelta(minutes=1)


@dataclass(frozen=True)
class Caller:
    """Caller: the token, and the scope its member has at the moment of the call, narrowed as the token is.

    Without a token it is a reader who is signed in and tries the API on its page, or a command.
    """

    token: ApiToken | None
    scope: Scope


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
