"""The dumps of releases beside this file, and how to restore one."""

import gzip
from pathlib import Path

from django.db import connection


def dump_path(version: str) -> Path:
    """Return where the dump of a release is kept."""
    return Path(__file__).with_name(f"{version}.sql.gz")


def restore(version: str) -> None:
    """Run the dump of a release in the database that Django points at."""
    with connection.cursor() as cursor:
        cursor.execute(gzip.decompress(dump_path(version).read_bytes()).decode())
    # The dump leaves the session without a search path.
    connection.close()
