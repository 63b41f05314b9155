"""Seal audit events as a commit does, for tests that never commit."""

from django.db import connection


def seal() -> None:
    """Run the deferred constraints now: events written so far are chained as at the end of a transaction."""
    connection.check_constraints()
