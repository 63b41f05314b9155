"""Roles that somebody holds just now: read first by every request.

Raw SQL, for Django takes three times as long to write this question as Postgres to answer it.
"""

from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import Model
from django.http import HttpRequest

from dashboard.models import Membership, User
from sync.models import Account, SyncRun

# By a password or passkey of the user's own.
OWN = ""
# Of a session that does not say: no provider's key is spelled so, and no account accepts it.
UNKNOWN = "unknown"
THROUGH = "signed_in_through"
# What the rows hold side by side, by the name each table has in the question.
_MODELS: dict[str, type[Model]] = {"held": Membership, "account": Account, "run": SyncRun, "holder": User}
_HELD = """
    SELECT {columns}
    FROM dashboard_membership held
    JOIN sync_account account ON account.id = held.account_id
    LEFT JOIN sync_syncrun run ON run.id = account.published_run_id
    JOIN dashboard_user holder ON holder.id = held.user_id
    WHERE (held.ends_at IS NULL OR held.ends_at > %(at)s) AND (
        held.user_id = %(user)s
        OR held.role = ANY(%(lent)s) AND EXISTS (
            SELECT FROM dashboard_delegation loan
            WHERE loan.borrower_id = %(user)s AND loan.lender_id = held.user_id AND loan.account_id = held.account_id
              AND loan.starts_at <= %(at)s AND loan.ends_at > %(at)s AND holder.is_active
              AND (loan.ended_at IS NULL OR loan.ended_at > %(at)s)
        )
    )
    AND (%(through)s::text IS NULL OR CASE WHEN %(through)s::text = '' THEN
        NOT EXISTS (
            SELECT FROM dashboard_singlesignon provider
            WHERE provider.account_id = held.account_id AND provider.is_enabled AND provider.is_required
        ) OR EXISTS (
            SELECT FROM dashboard_membership own
            WHERE own.user_id = %(user)s AND own.account_id = held.account_id AND own.role = 'administrator'
              AND (own.ends_at IS NULL OR own.ends_at > %(at)s)
        )
        ELSE EXISTS (
            SELECT FROM dashboard_singlesignon provider
            WHERE provider.account_id = held.account_id AND provider.is_enabled AND provider.key = %(through)s::text
        )
    END)
    ORDER BY account.name, account.id, held.user_id, held.role
"""


def through(request: HttpRequest) -> str:
    """Return how the session was made: the key of a provider, or OWN."""
    return str(request.session.get(THROUGH, UNKNOWN))


def active_roles(user: User, at: datetime, *, lent: frozenset[str], through: str | None = None) -> list[Membership]:
    """Return the roles that the user holds at `at`, and those of others, held as well, whose scope they borrowed.

    Only the roles `lent` are borrowed. Each comes with its user, its account, and the run that account shows. With
    `through`, how a session was made (`dashboard.identity.sessions`), only those of accounts that accept it: a key of a
    provider opens its own account, a password or passkey ("") those that do not require single sign-on of the user.
    """
    with connection.cursor() as cursor:
        cursor.execute(_sql(), {"user": user.pk, "at": at, "lent": sorted(lent), "through": through})
        return [_membership(row) for row in cursor.fetchall()]


@cache
def _sql() -> str:
    name = connection.ops.quote_name
    columns = (f"{table}.{name(field.column)}" for table, field in _fields())
    return _HELD.format(columns=", ".join(columns))


def _fields() -> Iterator[tuple[str, Any]]:
    return ((table, field) for table, model in _MODELS.items() for field in model._meta.concrete_fields)


def _membership(row: tuple[Any, ...]) -> Membership:
    found: list[Any] = []
    start = 0
    for model in _MODELS.values():
        end = start + len(model._meta.concrete_fields)
        found.append(_instance(model, row[start:end]))
        start = end
    held: Membership
    held, held.account, held.account.published_run, held.user = found
    return held


def _instance(model: type[Model], values: tuple[Any, ...]) -> Model | None:
    """Return the row as an object of the model; None where nothing was joined."""
    fields = model._meta.concrete_fields
    if values[0] is None:
        return None
    read = [
        field.from_db_value(value, None, connection) if hasattr(field, "from_db_value") else value
        for field, value in zip(fields, values, strict=True)
    ]
    return model.from_db(connection.alias, [field.attname for field in fields], read)
