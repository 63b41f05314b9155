"""Proofs that a scope, an audit event or a write of access comes from this program, and not from injected SQL.

A proof is an HMAC-SHA-256 with a key derived from `SECRET_KEY`. Functions of the database check it
(`rollcall_is_proven`); they run as the tables' owner, and only the owner reads the key (`rollcall_key`). A proof holds
for one purpose and message, in one transaction of one session: what was seen elsewhere or before proves nothing.
"""

import hmac
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection
from django.db.transaction import TransactionManagementError

from config.sealing import SecretUnreadableError, wall_key, wall_key_id

# What decides who may sign in, and who sees what. The pages' role reads it, and writes it with a proof alone.
GUARDED = frozenset(
    {
        *("dashboard_user", "dashboard_membership", "dashboard_membership_departments", "dashboard_delegation"),
        *("dashboard_invitation", "dashboard_apitoken"),
        *("dashboard_singlesignon", "dashboard_singlesignonrole", "dashboard_emaildomain"),
        *("mfa_authenticator", "account_emailaddress", "socialaccount_socialaccount"),
    }
)


class KeyUnknownError(SecretUnreadableError):
    """The database holds none of this process's keys, so it would believe nothing; the message says what to do."""

    def __init__(self) -> None:
        Exception.__init__(
            self,
            "The database does not know this SECRET_KEY: run manage.py migrate with the SECRET_KEY that the web server "
            "has (and SECRET_KEY_FALLBACKS), or give the web server the one that migrate ran with.",
        )


def prove(purpose: str, message: str) -> str:
    """Return the proof of a message in the transaction that is under way.

    KeyUnknownError where the database does not know our key. TransactionManagementError outside of a transaction:
    it would be over before the proof is used.
    """
    if not connection.in_atomic_block:
        raise TransactionManagementError("A proof holds in one transaction: make it inside of one.")
    connection.validate_no_broken_transaction()
    keys = {wall_key_id(key): key for key in _secret_keys()}
    # Not by Django's cursor: it would count, as no page's own question is, and write the text where others read it.
    with connection.wrap_database_errors, psycopg.Cursor(own_connection()) as cursor:
        cursor.execute("SELECT rollcall_challenge(%s)", [list(keys)])
        (challenge,) = cursor.fetchone() or (None,)
    if challenge is None:
        raise KeyUnknownError
    name, _, moment = challenge.partition(" ")
    text = f"{purpose} {moment} {message}"
    return f"{name} {hmac.digest(wall_key(keys[name]), text.encode(), 'sha256').hex()}"


def install_keys(cursor: Any) -> None:
    """Have the database know the keys of SECRET_KEY and its fallbacks, and no other. For the tables' owner."""
    pads = [(wall_key_id(key), _padded(wall_key(key), 0x36), _padded(wall_key(key), 0x5C)) for key in _secret_keys()]
    names = [name for name, _inner, _outer in pads]
    cursor.execute("DELETE FROM rollcall_key WHERE id <> ALL (%s)", [names])
    cursor.executemany(
        "INSERT INTO rollcall_key (id, inner_pad, outer_pad) VALUES (%s, %s, %s) ON CONFLICT (id) DO NOTHING", pads
    )


def own_connection() -> Any:
    """Return psycopg's own connection: what it executes neither counts as a page's question nor is logged."""
    connection.ensure_connection()
    return connection.connection


def _secret_keys() -> list[str]:
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]


def _padded(key: bytes, byte: int) -> bytes:
    """Return the key as HMAC begins a hash with it: filled up to a block of 64 bytes, each changed by `byte`."""
    return bytes(part ^ byte for part in key.ljust(64, b"\0"))
