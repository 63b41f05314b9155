"""Databases of their own for what the suite's one must not see: an older schema, half a migration."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection

HERE = Path(__file__).parent


def dump_path(version: str) -> Path:
    """Return where the dump of a release is kept."""
    return HERE / f"{version}.sql.gz"


@contextmanager
def new_database(name: str) -> Iterator[None]:
    """Point Django at a new, empty database; drop it at the end and point back."""
    before = connection.settings_dict["NAME"]
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')
        cursor.execute(f'CREATE DATABASE "{name}"')
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{name}"')


def restore(version: str) -> None:
    """Run the dump of a release in the database that Django points at."""
    with connection.cursor() as cursor:
        cursor.execute(gzip.decompress(dump_path(version).read_bytes()).decode())
    # The dump leaves the session without a search path.
    connection.close()
