"""The PostgreSQL server is looked at before anything is done with it."""

from io import StringIO

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection

from config import database_server

pytestmark = pytest.mark.django_db


def test_the_server_of_the_suite_will_do() -> None:
    assert 150_000 <= connection.pg_version < 190_000  # type: ignore[attr-defined]
    database_server.require_usable_server()


def test_an_older_server_is_refused_before_anything_is_migrated(monkeypatch: pytest.MonkeyPatch) -> None:
    running = connection.pg_version // 10_000  # type: ignore[attr-defined]
    monkeypatch.setattr(database_server, "OLDEST_VERSION", running + 1)
    with pytest.raises(
        ImproperlyConfigured, match=f"^The database is PostgreSQL {running}: Rollcall needs {running + 1}"
    ):
        call_command("migrate", stdout=StringIO())


def test_a_database_with_few_connections_is_refused_with_what_to_raise() -> None:
    database = connection.ops.quote_name(connection.settings_dict["NAME"])
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER DATABASE {database} CONNECTION LIMIT 12")
    with pytest.raises(
        ImproperlyConfigured, match=r"leaves 12 connections .* 22: raise the CONNECTION LIMIT of the database"
    ):
        call_command("migrate", stdout=StringIO())


def test_a_role_with_few_connections_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    # Only a superuser may give the suite's own role a limit.
    monkeypatch.setattr(database_server, "_LIMITS", "SELECT 77, 12, -1")
    with pytest.raises(ImproperlyConfigured, match="raise the CONNECTION LIMIT of the role"):
        database_server.require_usable_server()


def test_a_server_with_few_connections_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_server, "CONNECTIONS", 10_000)
    with pytest.raises(ImproperlyConfigured, match="raise the max_connections of the server"):
        database_server.require_usable_server()
