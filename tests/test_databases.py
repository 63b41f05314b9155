"""The migrated database that tests copy is made once, and anew when something it is made of changes."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader

from sync.models import Department
from tests import databases, factories

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cursor() -> Iterator[Any]:
    """Return a cursor outside any database of tests; what the test made is dropped."""
    with databases._one_at_a_time() as cursor:
        yield cursor
        for name in _present(cursor):
            databases._drop(cursor, name)


@pytest.fixture
def migrations(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Return how often something was migrated; one table stands for all that migrating makes."""
    made = []

    def migrate(*_arguments: str, **_options: Any) -> None:
        made.append(connection.settings_dict["NAME"])
        with connection.cursor() as inside:
            inside.execute("CREATE TABLE migrated (at timestamptz)")

    monkeypatch.setattr(databases, "call_command", migrate)
    return lambda: len(made)


def _present(cursor: Any) -> list[str]:
    """Return the migrated databases of this process: those the suite copies have another name."""
    stem = f"{connection.settings_dict['NAME']}_migrated_"
    cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s) ORDER BY 1", [stem])
    return [name for (name,) in cursor.fetchall()]


def test_the_migrated_database_is_made_once(cursor, migrations):
    first, second = databases._template(cursor), databases._template(cursor)

    assert first == second
    assert migrations() == 1
    assert _present(cursor) == [first]


def test_it_is_made_anew_when_something_changed(cursor, migrations, monkeypatch):
    databases._template(cursor)
    monkeypatch.setattr(databases, "_digest", lambda: "another")

    assert databases._template(cursor).endswith("_another")
    assert migrations() == 2
    assert len(_present(cursor)) == 1


def test_half_a_migrated_database_is_never_copied(cursor, migrations):
    unfinished = f"{connection.settings_dict['NAME']}_migrated_unfinished"
    cursor.execute(f'CREATE DATABASE "{unfinished}"')

    assert databases._template(cursor) != unfinished
    assert migrations() == 1
    assert unfinished not in _present(cursor)


def test_the_digest_follows_every_file(tmp_path, monkeypatch):
    file, digests = tmp_path / "0001_initial.py", set()
    monkeypatch.setattr(databases, "_files", lambda: [file])
    for text in ("one", "two"):
        file.write_text(text)
        digests.add(databases._digest())

    assert len(digests) == 2


def test_migrations_of_every_app_are_looked_at():
    names = {f"{path.parts[-3]}.{path.stem}" for path in databases._files() if path.parent.name == "migrations"}

    assert {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations} <= names


def test_what_tests_left_behind_is_taken_out() -> None:
    def pages() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_relation_size('sync_department')")
            return cursor.fetchone()[0] // 8192

    account = factories.AccountFactory()
    with transaction.atomic():
        Department.objects.bulk_create(Department(account=account, name=f"D {n}", key=f"d {n}") for n in range(3_000))
        transaction.set_rollback(True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
    assert pages() > 10
    databases.vacuum()
    assert pages() == 0
