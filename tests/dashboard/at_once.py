"""Somebody else who writes a row at the same moment: their transaction ends as soon as ours waits for it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection


@contextmanager
def at_once(sql: str, values: list[Any]) -> Iterator[None]:
    """Run the statement beside the block, and commit once the block waits for it: for tests with real transactions."""
    with psycopg.connect(**connection.get_connection_params(), autocommit=False) as other:
        other.execute(sql, values)
        commits = threading.Thread(target=_commit, args=[other])
        commits.start()
        yield
        commits.join()


def _commit(other: psycopg.Connection[Any]) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        row = other.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone()
        if row is not None and row[0]:
            break
        time.sleep(0.01)
    other.commit()
