"""Writes to the tables of who may sign in and see what, each with its proof (`dashboard.proofs`)."""

import re
from collections.abc import Callable
from typing import Any

import psycopg
from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from dashboard.proofs import GUARDED, own_connection, prove
from dashboard.row_security import is_held

_WRITES = re.compile(r'(?:INSERT INTO|UPDATE|DELETE FROM) "(\w+)"')


def guard_writes(connection: BaseDatabaseWrapper, **_kwargs: Any) -> None:
    """Prove the ORM's own writes to guarded tables; a receiver of `connection_created`."""
    if connection.alias == "default" and _proven not in connection.execute_wrappers:
        connection.execute_wrappers.append(_proven)


def _proven(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """Execute a statement; one that begins as a write to a guarded table with its proof, which is taken back after."""
    found = _WRITES.match(sql) if isinstance(sql, str) else None
    if found is None or found[1] not in GUARDED or not is_held():
        return execute(sql, params, many, context)
    with transaction.atomic(savepoint=False):
        _tell(prove(f"write {found[1]}", ""))
        result = execute(sql, params, many, context)
        # After an error the transaction is lost, and what was told with it.
        _tell("")
    return result


def _tell(proof: str) -> None:
    with connection.wrap_database_errors, psycopg.Cursor(own_connection()) as cursor:
        cursor.execute("SELECT set_config('rollcall.write', %s, true)", [proof])
