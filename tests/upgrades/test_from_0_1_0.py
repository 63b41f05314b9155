"""A database of 0.1.0, with an invented company and its readers in it, goes on under today's code."""

from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from sync.models import Account, Person
from tests import factories
from tests.databases import new_database
from tests.upgrades.catalog import LISTINGS, listing
from tests.upgrades.dumps import restore

# Without it the suite's own database, which a new one stands for, would not be made.
pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Upgrade:
    """Observations of the database while it was upgraded, which Django points at still."""

    fresh: dict[str, set[str]]
    upgraded: dict[str, set[str]]
    said: str
    rows: dict[str, int]
    rows_after: dict[str, int]


def count_rows() -> dict[str, int]:
    """Return how many rows each of our tables holds."""
    tables = sorted(
        model._meta.db_table
        for app in ("sync", "dashboard")
        for model in apps.get_app_config(app).get_models(include_auto_created=True)
    )
    with connection.cursor() as cursor:
        return {
            table: cursor.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0]
            for table in tables
            if table in connection.introspection.table_names(cursor)
        }


@pytest.fixture(scope="module")
def upgrade(django_db_setup: None, django_db_blocker: Any) -> Iterator[Upgrade]:
    """Restore the dump, migrate it and leave Django pointing at it; look at a database that was made new before.

    Not at the suite's own: tests of syncs leave schemas there.
    """
    name, said = connection.settings_dict["NAME"], StringIO()
    with django_db_blocker.unblock():
        with new_database(f"{name}_new", is_migrated=True):
            fresh = listing()
        with new_database(f"{name}_upgraded"):
            restore("0.1.0")
            rows = count_rows()
            call_command("migrate", no_color=True, stdout=said)
            yield Upgrade(fresh, listing(), said.getvalue(), rows, count_rows())


@pytest.mark.slow
@pytest.mark.parametrize("kind", LISTINGS)
def test_an_upgraded_database_is_made_as_a_new_one(upgrade, kind):
    assert upgrade.upgraded[kind] - upgrade.fresh[kind] == set(), "only in the upgraded database"
    assert upgrade.fresh[kind] - upgrade.upgraded[kind] == set(), "only in the new database"


def test_nothing_is_left_to_do_before_migrations_of_later_versions(upgrade):
    assert "0001_squashed_0009" not in upgrade.said
    assert "0002_squashed_0023" not in upgrade.said


def test_every_row_is_kept(upgrade):
    filled = {table for table, count in upgrade.rows.items() if count}

    assert {"sync_person", "sync_enrollment", "sync_change", "dashboard_auditevent", "dashboard_tally"} <= filled
    assert upgrade.rows.items() <= upgrade.rows_after.items()


def test_its_audit_log_is_whole(upgrade):
    call_command("verify_audit", stdout=StringIO())


@pytest.mark.parametrize("account", ["Marked Mutual", "Filled"])
def test_what_is_in_it_holds_together(upgrade, account):
    call_command("check_data", account=account, stdout=StringIO())


def test_the_next_row_has_a_key_of_its_own(upgrade):
    newest = max(Person.objects.values_list("pk", flat=True))

    assert factories.PersonFactory(account=Account.objects.get(name="Filled")).pk > newest


@pytest.mark.parametrize(
    "stopped_before", [("sync", "0002"), ("sync", "0009"), ("dashboard", "0003"), ("dashboard", "0023")]
)
def test_a_database_of_before_says_what_to_do(upgrade, stopped_before):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = %s AND name > %s", stopped_before)

    with pytest.raises(CommandError, match=r"version before 0\.1\.0: upgrade it with version 0\.1\.0 first"):
        call_command("migrate", stdout=StringIO())
