"""Errors that say that Postgres cannot do its work just now, as against those that say that ours was wrong."""

from django.db import Error, InterfaceError, OperationalError
from psycopg.errors import ReadOnlySqlTransaction


def is_read_only(error: object) -> bool:
    """Return whether a database takes nothing at the moment: a standby at a fail-over, or a disk that filled up."""
    return isinstance(error, Error) and getattr(error.__cause__, "sqlstate", None) == ReadOnlySqlTransaction.sqlstate


def is_away(error: object) -> bool:
    """Return whether a database cannot be asked, or takes nothing: what was to be done can be done later."""
    return isinstance(error, OperationalError | InterfaceError) or is_read_only(error)
