"""Filling empty tables: the same rows, indexes and constraints as the ordinary way, and none lost in a crash."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.db import IntegrityError, OperationalError, connection, transaction

from sync.models import Account, Enrollment, GroupMembership, Person, empty_tables
from sync.models.empty_tables import reserve_empty, set_aside
from sync.pipeline.publish.transaction import LARGE

MONDAY = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
ENROLLED = {"enrolled_at": MONDAY - timedelta(days=30)}
ROWS = {
    "person": [
        {"knowbe4_id": 501, "department_name": "Claims", "manager_email": "BO@northwind.example", "group_ids": [8, 9]},
        {"knowbe4_id": 502, "email": "bo@northwind.example", "department_name": "claims ", "group_ids": [8]},
        # Two people of one email: the active one is meant, though the other has the lower number.
        {"knowbe4_id": 503, "email": "cy@northwind.example", "status": "archived"},
        {"knowbe4_id": 504, "email": "CY@northwind.example", "manager_email": "cy@northwind.example"},
        {"knowbe4_id": 505, "email": "di@northwind.example", "manager_email": "cy@northwind.example "},
    ],
    "group": [{"knowbe4_id": 8, "name": "New hires"}, {"knowbe4_id": 9, "name": "Field"}],
    "enrollment": [
        ENROLLED,
        ENROLLED | {"knowbe4_id": 2, "user_id": 502, "reported_status": "Passed", "time_spent": 60},
        ENROLLED | {"knowbe4_id": 3, "user_id": 777, "user_email": "gone@northwind.example", "store_purchase_id": 888},
        ENROLLED | {"knowbe4_id": 4, "user_id": None, "store_purchase_id": None, "source": "policy"},
        ENROLLED | {"knowbe4_id": 5, "user_id": 504, "reported_status": "Past Due"},
    ],
}


@pytest.fixture(autouse=True)
def one_is_many(monkeypatch):
    """Take one row for many."""
    monkeypatch.setattr(empty_tables, "FEW", 0)


def definitions():
    """Return every index, constraint and sequence's stride of the large tables."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT indexdef FROM pg_indexes WHERE tablename = ANY(%(tables)s)
            UNION ALL
            SELECT format('%%s %%s %%s %%s', conrelid::regclass, conname, convalidated, pg_get_constraintdef(oid))
            FROM pg_constraint WHERE conrelid = ANY(SELECT unnest(%(tables)s::text[])::regclass)
            UNION ALL
            SELECT format('%%s %%s', seqrelid::regclass, seqcache) FROM pg_sequence
            WHERE seqrelid = ANY(SELECT pg_get_serial_sequence(name, 'id')::regclass
                                  FROM unnest(%(tables)s::text[]) name)
            """,
            {"tables": list(LARGE)},
        )
        return sorted(row[0] for row in cursor.fetchall())


def mirrored():
    """Return what was published, told by KnowBe4's ids."""
    people = Person.objects.order_by("knowbe4_id").values_list(
        "knowbe4_id", "email", "status", "department__key", "manager__knowbe4_id", "first_seen_at", "removed_at"
    )
    members = GroupMembership.objects.values_list("group__knowbe4_id", "person__knowbe4_id", "first_seen_at")
    enrollments = Enrollment.objects.order_by("knowbe4_id").values_list(
        *("knowbe4_id", "person__knowbe4_id", "campaign__knowbe4_id", "content__name", "reported_status"),
        *("started_at", "completed_at", "is_completion_observed", "due_at", "due_source", "due_after", "removed_at"),
    )
    return list(people), sorted(members), list(enrollments)


@pytest.fixture
def is_reserved():
    """Return a function that tells whether this transaction keeps everybody else from the large tables."""

    def ask():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND mode = 'AccessExclusiveLock'"
                " AND relation = 'sync_enrollment'::regclass"
            )
            return cursor.fetchone()[0] > 0

    return ask


@contextmanager
def somebody_reading(table):
    """Hold the lock of somebody who reads the table in a transaction of their own."""
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": psycopg.Cursor}) as other:
        other.execute(f"SELECT FROM {table} LIMIT 1")
        yield
        other.rollback()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_both_ways_publish_the_same(sync, account):
    before = definitions()
    with somebody_reading("sync_person"):
        sync(MONDAY, **ROWS)
    ordinary = mirrored()
    assert len(ordinary[0]) == 6
    assert {row[0]: row[4] for row in ordinary[0]} == {501: 502, 502: None, 503: None, 504: None, 505: 504, 777: None}
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(LARGE)} CASCADE")
    Account.objects.update(published_at=None)
    sync(MONDAY, **ROWS)
    assert mirrored() == ordinary
    assert definitions() == before


@pytest.mark.django_db(transaction=True)
def test_only_tables_without_a_row_of_anybody_are_reserved(sync, account, is_reserved):
    with transaction.atomic():
        assert reserve_empty(LARGE, rows_from="pg_class") == frozenset(LARGE)
        assert is_reserved()
    other = Account.objects.create(name="Southwind")
    Person.objects.create(account=other, knowbe4_id=1, status="active", first_seen_at=MONDAY)
    with transaction.atomic():
        assert reserve_empty(LARGE, rows_from="pg_class") == frozenset()
        assert not is_reserved()


@pytest.mark.django_db(transaction=True)
def test_a_reader_is_not_waited_for(is_reserved):
    with connection.cursor() as cursor, somebody_reading("sync_enrollment"), transaction.atomic():
        cursor.execute("SET LOCAL lock_timeout = '7s'")
        assert reserve_empty(LARGE, rows_from="pg_class") == frozenset()
        assert not is_reserved()
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("7s",)


def test_indexes_and_references_are_away_while_the_block_runs(account):
    before = definitions()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_indexes WHERE tablename = 'sync_enrollment'")
        assert cursor.fetchone()[0] > 2
        with set_aside("sync_enrollment", reserve_empty(LARGE, rows_from="pg_class")):
            cursor.execute("SELECT count(*) FROM pg_indexes WHERE tablename = 'sync_enrollment'")
            assert cursor.fetchone()[0] == 0
            assert definitions() != before
    assert definitions() == before


def test_a_table_that_is_not_reserved_keeps_them(account):
    before = definitions()
    with set_aside("sync_enrollment", frozenset()):
        assert definitions() == before


def test_a_reference_that_leads_nowhere_is_refused(account):
    member = "INSERT INTO sync_groupmembership (account_id, group_id, person_id, first_seen_at) VALUES (%s, 1, 1, %s)"
    with (
        pytest.raises(IntegrityError, match="foreign key"),
        transaction.atomic(),
        set_aside("sync_groupmembership", reserve_empty(LARGE, rows_from="pg_class")),
        connection.cursor() as cursor,
    ):
        cursor.execute(member, [account.pk, MONDAY])
    assert not GroupMembership.objects.exists()


def test_a_row_that_cannot_be_written_leaves_everything_as_it_was(sync):
    before = definitions()
    with pytest.raises(IntegrityError, match="enrolled_at"), transaction.atomic():
        sync(MONDAY, enrollment=[{"enrolled_at": None}])
    assert definitions() == before
    assert mirrored() == ([], [], [])


@pytest.mark.django_db(transaction=True)
def test_a_crash_between_the_rows_and_their_indexes_loses_none(sync):
    before = definitions()

    def cut(execute, sql, params, many, context):
        if "ADD CONSTRAINT enrollment_knowbe4_id_unique" in sql:
            assert definitions() != before
            sql, params = "SELECT pg_terminate_backend(pg_backend_pid())", None
        return execute(sql, params, many, context)

    with pytest.raises(OperationalError), connection.execute_wrapper(cut):
        sync(MONDAY, **ROWS)
    connection.close()
    assert definitions() == before
    assert mirrored() == ([], [], [])
    sync(MONDAY, **ROWS)
    assert definitions() == before
    assert Enrollment.objects.count() == 5


def test_a_few_rows_are_written_under_their_indexes(account, is_reserved, monkeypatch):
    monkeypatch.setattr(empty_tables, "FEW", 1_000_000)
    assert reserve_empty(LARGE, rows_from="pg_class") == frozenset()
    assert not is_reserved()
