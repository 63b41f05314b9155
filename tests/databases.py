"""The databases that tests stand on: copies of one that was migrated once, and empty ones for tests of migrations.

Migrating takes seconds and copying a fraction of one. The migrated database is kept between runs, under a name that
holds a digest of all it is made of, and made anew once any of that changes.
"""

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.utils import DatabaseError

from config.local.embedded import BASE_DIR
from config.sealing import fingerprint

logger = logging.getLogger(__name__)

# What decides how a migrated database looks, besides the migrations themselves and the packages that have their own.
_MADE_OF = (
    "config/settings.py",
    "sync/models/*.py",
    "dashboard/models/*.py",
    "dashboard/row_security.py",
    "dashboard/proofs.py",
    "dashboard/management/commands/migrate.py",
    "tests/databases.py",
)

_MUCH = 2_000
# The name of the migrated database, once this process has a copy of it.
_migrated = ""


def make_test_database() -> None:
    """Point Django at this process's own test database, new and migrated."""
    global _migrated
    name = connection.creation._get_test_db_name()
    with _one_at_a_time() as cursor:
        template = _template(cursor)
        _drop(cursor, name)
        try:
            _copy(cursor, template, name)
        except DatabaseError:
            # Where nothing waits for the disk, a power cut can leave half of it.
            logger.warning("The migrated database cannot be copied: it is made anew.", exc_info=True)
            _drop(cursor, template)
            _copy(cursor, _template(cursor), name)
    _point_at(name)
    _migrated = template


def is_test_database_made() -> bool:
    """Return whether this process has its test database: it is made when the first test asks for one."""
    return bool(_migrated)


def drop_test_database() -> None:
    """Drop it, whoever is still connected: a worker that a test killed may be at work there."""
    global _migrated
    name = connection.settings_dict["NAME"]
    _migrated = ""
    connection.close()
    with connection._nodb_cursor() as cursor:
        _drop(cursor, name)


def vacuum() -> None:
    """Take what tests left behind out of the tables that hold much of it; call it while no test is under way.

    Tests take back all that they write, and the dead rows stay: every look at a table, every index made on it passes
    over them. Autovacuum is no help: in the middle of a test it finds tables that are all dead, and notes that they are
    empty, whereupon the test's questions are planned for no rows. Between tests it is true, and the files are emptied,
    about which Postgres makes no guess.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT relid::regclass::text FROM pg_stat_user_tables WHERE n_dead_tup > %s", [_MUCH])
        if tables := [table for (table,) in cursor.fetchall()]:
            cursor.execute(f"VACUUM {', '.join(tables)}")


@contextmanager
def new_database(name: str, *, is_migrated: bool = False) -> Iterator[None]:
    """Point Django at a new database, empty or just migrated; drop it at the end and point back."""
    before = connection.settings_dict["NAME"]
    with connection._nodb_cursor() as cursor:
        _drop(cursor, name)
        _copy(cursor, _migrated if is_migrated else "template1", name)
    _point_at(name)
    try:
        yield
    finally:
        _point_at(before)
        with connection._nodb_cursor() as cursor:
            _drop(cursor, name)


def _template(cursor: Any) -> str:
    """Return the name of the migrated database, made if there is none of today's; those of other days are dropped."""
    stem = f"{settings.DATABASES['default']['NAME']}_migrated"
    name = f"{stem}_{_digest()}"
    cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [f"{stem}_"])
    present = {found for (found,) in cursor.fetchall()}
    for old in present - {name}:
        _drop(cursor, old)
    if name not in present:
        unfinished = f"{stem}_unfinished"
        with new_database(unfinished):
            call_command("migrate", verbosity=0)
            connection.close()
            cursor.execute(f'ALTER DATABASE "{unfinished}" RENAME TO "{name}"')
        # A copy can be made while nobody is connected.
        cursor.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
    return name


def _copy(cursor: Any, template: str, name: str) -> None:
    cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')


def _drop(cursor: Any, name: str) -> None:
    cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _point_at(name: str) -> None:
    connection.close()
    connection.settings_dict["NAME"] = settings.DATABASES["default"]["NAME"] = name


@contextmanager
def _one_at_a_time() -> Iterator[Any]:
    """Hold a lock over all who test on this server: the first makes the migrated database, the others wait for it."""
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtext('rollcall test databases'))")
        yield cursor


def _digest() -> str:
    """Return 16 digits that differ once a migrated database would."""
    packages = ("django", "django-allauth", "psycopg")
    digest = hashlib.sha256(" ".join([fingerprint(settings.SECRET_KEY), *map(version, packages)]).encode())
    for path in _files():
        digest.update(f"{path.parts[-3:]} {path.stat().st_size}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _files() -> list[Path]:
    """Return every file that a migrated database is made of."""
    files = [path for pattern in _MADE_OF for path in BASE_DIR.glob(pattern)]
    for app in apps.get_app_configs():
        files += Path(app.path, "migrations").glob("*.py")
    return sorted(files)
