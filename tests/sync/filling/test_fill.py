"""A filled account holds what a first sync of the same company publishes."""

from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from sync.filling import NotFillableError, Size, fill
from sync.models import Account, Change, Enrollment, SyncRun
from sync.pipeline.run import run_sync
from sync.simulator.server import serve

pytestmark = pytest.mark.slow

SMALL = Size(people=60, enrollments=1_500, seed=11)
# What differs between two accounts that hold the same: keys of rows, and the moments that only tell when.
OWN = {"id", "account_id", "first_seen_at", "run_id"}

# Every mirror table, its references told by KnowBe4's ids.
TABLES = {
    "sync_person": "department_id manager_id",
    "sync_department": "merged_into_id",
    "sync_group": "",
    "sync_groupmembership": "group_id person_id",
    "sync_contentitem": "",
    "sync_campaign": "content_ids group_ids",
    "sync_enrollment": "person_id campaign_id content_id",
    "sync_phishingcampaign": "",
    "sync_phishingtest": "campaign_id",
    "sync_phishingresult": "test_id person_id",
}
REFERS_TO = {
    "department_id": "sync_department",
    "manager_id": "sync_person",
    "merged_into_id": "sync_department",
    "group_id": "sync_group",
    "group_ids": "sync_group",
    "person_id": "sync_person",
    "content_id": "sync_contentitem",
    "content_ids": "sync_contentitem",
    "test_id": "sync_phishingtest",
}
NAMED_BY = {"sync_department": "key", "sync_contentitem": "source || coalesce(knowbe4_id::text, name)"}


def rows_of(account: Account) -> dict[str, list[tuple[tuple[str, Any], ...]]]:
    """Return every row of the account's mirror, by table, with references as what they refer to is called."""
    found = {}
    with connection.cursor() as cursor:
        names = {}
        for table in {*REFERS_TO.values(), "sync_campaign", "sync_phishingcampaign"}:
            cursor.execute(f"SELECT id, ({NAMED_BY.get(table, 'knowbe4_id')})::text FROM {table}")  # noqa: S608
            names[table] = dict(cursor.fetchall())
        for table, references in TABLES.items():
            owner = "account_id" if table != "sync_phishingresult" else "(SELECT account_id FROM sync_phishingtest"
            owner = owner if table != "sync_phishingresult" else f"{owner} t WHERE t.id = test_id)"
            cursor.execute(f"SELECT * FROM {table} WHERE {owner} = %s", [account.pk])  # noqa: S608
            columns = [column.name for column in cursor.description]
            rows = []
            for values in cursor.fetchall():
                row = {name: value for name, value in zip(columns, values, strict=True) if name not in OWN}
                for name in references.split():
                    campaigns = "sync_phishingcampaign" if table == "sync_phishingtest" else "sync_campaign"
                    called = names[REFERS_TO.get(name, campaigns)]
                    value = row[name]
                    row[name] = sorted(map(called.get, value)) if isinstance(value, list) else called.get(value)
                rows.append(tuple(row.items()))
            found[table] = sorted(rows, key=str)
    return found


@pytest.fixture
def filled(db: None, now: Any) -> Account:
    """Return an account filled with the small company."""
    return fill(SMALL, at=now).account


def test_fill_equals_first_sync(filled, now, redis_url):
    with serve(SMALL.company(), at=now) as simulator:
        synced = Account(name="Synced", base_url=simulator.url)
        synced.requests_per_second = synced.requests_per_minute = synced.requests_per_day = None
        synced.api_key = "simulator-key"
        synced.save()
        run_sync(synced, trigger=SyncRun.Trigger.COMMAND, full=True, now=lambda: now)

    expected, found = rows_of(synced), rows_of(filled)

    assert all(expected.values()), "every table is compared"
    for table, rows in expected.items():
        assert found[table] == rows
    assert not Change.objects.exists()


def test_fill_leaves_published_run(filled, now):
    filled.refresh_from_db()
    run = filled.published_run

    assert run.state == SyncRun.State.PUBLISHED
    assert run.kind == SyncRun.Kind.FULL
    assert run.requests_made == 0
    assert (filled.published_at, filled.data_as_of) == (now, now)
    assert run.counts["enrollment"]["inserted"] == Enrollment.objects.filter(account=filled).count() > 1_000
    assert run.resources["enrollment"]["rows"] == run.counts["enrollment"]["inserted"]
    assert not filled.is_sync_enabled


def test_fill_leaves_other_accounts_alone(filled, now):
    before = rows_of(filled)

    fill(Size(people=30, enrollments=300, seed=3), name="Another", at=now)

    assert rows_of(filled) == before


def test_fill_twice_refused(filled, now):
    with pytest.raises(NotFillableError, match=r"Filled holds [\d,]+ enrollments already"):
        fill(SMALL, at=now)


def test_fill_of_synced_account_refused(db, now):
    account = Account(name="Filled")
    account.api_key = "not-a-key"
    account.save()

    with pytest.raises(NotFillableError, match="was synced from KnowBe4"):
        fill(SMALL, at=now)

    assert not account.runs.exists()


def test_fill_of_imported_account_refused(db, now):
    account = Account.objects.create(name="Filled")
    SyncRun.objects.create(
        account=account,
        kind=SyncRun.Kind.IMPORT,
        trigger=SyncRun.Trigger.PERSON,
        state=SyncRun.State.PUBLISHED,
        phase=SyncRun.Phase.DONE,
        started_at=now,
        heartbeat_at=now,
    )

    with pytest.raises(NotFillableError, match="imported"):
        fill(SMALL, at=now)


def test_fill_cut_short_starts_afresh(db, now, monkeypatch):
    def fail(*args: Any, **options: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("sync.filling.account.check", fail)
        with pytest.raises(KeyboardInterrupt):
            fill(SMALL, at=now)

    run = fill(SMALL, at=now)

    assert run.state == SyncRun.State.PUBLISHED
    assert list(run.account.runs.order_by("pk").values_list("state", flat=True)) == ["failed", "published"]


def test_command_says_what_is_there(db, capsys):
    call_command("fill", enrollments=300, people=30, account="Tiny")

    said = capsys.readouterr().out
    account = Account.objects.get(name="Tiny")
    assert f"Tiny: {Enrollment.objects.filter(account=account).count():,} enrollments of " in said


def test_command_with_too_few_people(db):
    with pytest.raises(CommandError, match="needs at least 7 people"):
        call_command("fill", enrollments=300, people=3)

    assert not Account.objects.exists()
