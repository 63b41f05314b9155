"""Runs are numbered per account, without gaps, whoever makes them and whatever their clock shows."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from importlib import import_module

import pytest
from django.db import connection, connections, transaction

from sync.models import SyncRun
from tests import factories

NUMBER = import_module("sync.migrations.0012_run_numbers").NUMBER


def numbers(account):
    return list(SyncRun.objects.filter(account=account).order_by("pk").values_list("number", flat=True))


@pytest.mark.django_db
def test_runs_are_numbered_by_account(now):
    ours, theirs = factories.AccountFactory(), factories.AccountFactory()
    for account, hours in ((ours, 30), (theirs, 0), (ours, 0), (ours, 1)):
        factories.SyncRunFactory(account=account, started_at=now + timedelta(hours=hours))
    assert (numbers(ours), numbers(theirs)) == ([1, 2, 3], [1])
    assert str(ours.runs.latest("pk")) == "Run 3"


@pytest.mark.django_db
def test_a_run_that_was_never_committed_leaves_no_gap():
    account = factories.AccountFactory()
    factories.SyncRunFactory(account=account)
    with transaction.atomic():
        factories.SyncRunFactory(account=account)
        transaction.set_rollback(True)
    factories.SyncRunFactory(account=account)
    assert numbers(account) == [1, 2]


@pytest.mark.django_db(transaction=True)
def test_runs_made_at_once_have_numbers_of_their_own():
    account = factories.AccountFactory()

    def make(_place):
        try:
            factories.SyncRunFactory(account=account)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(make, range(12)))
    assert sorted(numbers(account)) == list(range(1, 13))


@pytest.mark.django_db
def test_the_migration_numbers_what_is_there():
    ours, theirs = factories.AccountFactory(), factories.AccountFactory()
    for account in (ours, theirs, ours, theirs, theirs):
        factories.SyncRunFactory(account=account)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE sync_syncrun DROP CONSTRAINT run_number_once")
        cursor.execute("UPDATE sync_syncrun SET number = 7")
        cursor.execute(NUMBER)
    assert (numbers(ours), numbers(theirs)) == ([1, 2], [1, 2, 3])
