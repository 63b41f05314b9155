"""Files that workers make: how they are asked for, made, fetched, given up and forgotten."""

import errno
import hashlib
import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from dashboard import tasks
from dashboard.exports import streaming
from dashboard.files import jobs, storage
from dashboard.models import AuditEvent, Delegation, Export, Membership, Role, User
from dashboard.requests.searches import keep
from sync.models import Account, Department
from tests import factories
from tests.dashboard.conftest import Queue
from tests.dashboard.exports.reading import body, rows_of_csv, sheets_of

State = Export.State


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Any) -> Path:
    """Return where the files of these tests are."""
    settings.MEDIA_ROOT = tmp_path
    return tmp_path / "exports"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have workers make every file."""
    monkeypatch.setattr(streaming, "MOST_ROWS", dict.fromkeys(Export.Format, 0))


@pytest.fixture
def asked(
    small: None, as_alice: Client, company: Account, queue: Queue, django_capture_on_commit_callbacks: Any
) -> Iterator[Export]:
    """Return a file that Alice asked for."""
    with django_capture_on_commit_callbacks(execute=True):
        response = as_alice.post(f"{reverse('export', args=['people'])}?sort=-past_due", {"format": "csv"})
    assert response.status_code == 302 and response["Location"] == reverse("exports")
    yield Export.objects.get()


def test_a_large_file_is_queued(asked: Export, queue: Queue, alice: User, company: Account) -> None:
    assert queue.tasks() == [("dashboard.tasks.make_export", {"export_id": asked.pk})]
    assert (asked.user, asked.account, asked.state, asked.rows_total) == (alice, company, State.WAITING, 160)


def test_a_file_is_made_and_fetched_by_its_reader_alone(
    asked: Export, as_alice: Client, ines: User, folder: Path
) -> None:
    tasks.make_export(export_id=asked.pk)
    asked.refresh_from_db()
    path = folder / f"{asked.key}.csv"
    assert asked.state == State.READY
    assert asked.rows_done == asked.rows_total == 160
    assert path.stat().st_mode & 0o777 == 0o600
    assert asked.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert asked.expires_at == asked.ready_at + timedelta(hours=24)
    response = as_alice.get(reverse("export_file", args=[asked.pk]))
    content = body(response)
    assert len(content) == asked.bytes == int(response["Content-Length"])
    assert len(rows_of_csv(content)) == 161
    assert AuditEvent.objects.filter(action="downloaded", subject_id=asked.pk).count() == 1
    other = Client()
    other.force_login(ines)
    assert other.get(reverse("export_file", args=[asked.pk])).status_code == 404
    assert asked.file_name not in other.get(reverse("exports")).content.decode()


def test_a_file_made_again_is_made_once(asked: Export, folder: Path) -> None:
    tasks.make_export(export_id=asked.pk)
    made = (folder / f"{asked.key}.csv").stat()
    tasks.make_export(export_id=asked.pk)
    assert (folder / f"{asked.key}.csv").stat().st_mtime_ns == made.st_mtime_ns
    assert len(list(folder.iterdir())) == 1


def test_a_killed_worker_s_file_is_begun_anew(asked: Export, folder: Path) -> None:
    Export.objects.filter(pk=asked.pk).update(state=State.WORKING, begun=1)
    left = folder.parent / "making" / f"export-{asked.key}"
    left.mkdir(parents=True)
    (left / "file").write_bytes(b"half a file")
    tasks.make_export(export_id=asked.pk)
    asked.refresh_from_db()
    assert (asked.state, asked.begun) == (State.READY, 2)
    assert [path.suffix for path in folder.iterdir()] == [".csv"]
    assert list(left.parent.iterdir()) == []


def test_what_is_never_finished_is_given_up(asked: Export) -> None:
    Export.objects.filter(pk=asked.pk).update(state=State.WORKING, begun=jobs.MOST_BEGUN)
    tasks.make_export(export_id=asked.pk)
    asked.refresh_from_db()
    assert asked.state == State.FAILED
    assert "several times" in asked.error


def test_two_workers_make_it_once(asked: Export) -> None:
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [f"export {asked.pk}"])
        tasks.make_export(export_id=asked.pk)
        asked.refresh_from_db()
        assert asked.state == State.WAITING
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [f"export {asked.pk}"])
            assert cursor.fetchone() == (True,)
    finally:
        other.close()
    tasks.make_export(export_id=asked.pk)
    asked.refresh_from_db()
    assert asked.state == State.READY


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_full_disk_is_said(
    asked: Export, folder: Path, monkeypatch: pytest.MonkeyPatch, as_alice: Client, kind: str
) -> None:
    Export.objects.filter(pk=asked.pk).update(format=kind)

    def full(_file: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(storage.os, "fsync", full)
    tasks.make_export(export_id=asked.pk)
    asked.refresh_from_db()
    assert asked.state == State.FAILED
    assert "full" in asked.error
    assert not [path for path in folder.parent.rglob("*") if path.is_file()]
    assert asked.error in as_alice.get(reverse("exports")).content.decode()


def test_a_place_that_cannot_be_written_to_is_said(asked: Export, tmp_path: Path, settings: Any, now: datetime) -> None:
    (tmp_path / "no-folder").write_text("")
    settings.MEDIA_ROOT = tmp_path / "no-folder"
    tasks.make_export(export_id=asked.pk)
    asked.refresh_from_db()
    assert (asked.state, asked.error) == (State.FAILED, "The file could not be written: Not a directory.")
    assert jobs.forget_expired(Export, now) == 0


def test_the_scope_is_that_of_the_moment_it_is_made(asked: Export, alice: User) -> None:
    Membership.objects.filter(user=alice).delete()
    tasks.make_export(export_id=asked.pk)
    asked.refresh_from_db()
    assert asked.state == State.FAILED
    assert "no role" in asked.error


def test_a_file_is_gone_for_whose_role_shrank(asked: Export, as_alice: Client, alice: User, company: Account) -> None:
    tasks.make_export(export_id=asked.pk)
    address = reverse("export_file", args=[asked.pk])
    assert body(as_alice.get(address))
    Membership.objects.filter(user=alice).delete()
    role = factories.MembershipFactory(user=alice, account=company, role=Role.DEPARTMENT_HEAD)
    role.departments.set([Department.objects.filter(account=company).exclude(key="")[0]])
    assert as_alice.get(address).status_code == 404
    page = as_alice.get(reverse("exports")).content.decode()
    assert "Not yours any more" in page and address not in page


def test_a_file_made_by_a_loan_is_gone_with_it(
    asked: Export, as_alice: Client, alice: User, ines: User, company: Account, now: datetime
) -> None:
    one, other = Department.objects.filter(account=company, merged_into=None).exclude(key="")[:2]
    Membership.objects.filter(account=company, user__in=[alice, ines]).delete()
    for user, home in ((alice, one), (ines, other)):
        factories.MembershipFactory(user=user, account=company, role=Role.DEPARTMENT_HEAD).departments.set([home])
    loan = Delegation.objects.create(
        account=company,
        lender=ines,
        borrower=alice,
        starts_at=now - timedelta(days=1),
        ends_at=now + timedelta(days=1),
        created_at=now - timedelta(days=1),
    )
    tasks.make_export(export_id=asked.pk)
    address = reverse("export_file", args=[asked.pk])
    assert body(as_alice.get(address))
    Delegation.objects.filter(pk=loan.pk).update(ends_at=now)
    assert as_alice.get(address).status_code == 404
    # Their own department was in it, too; made anew, the file is theirs.
    Export.objects.filter(pk=asked.pk).update(state=State.WAITING, begun=0)
    tasks.make_export(export_id=asked.pk)
    assert body(as_alice.get(address))


def test_a_file_of_before_scopes_were_kept_is_for_who_sees_everyone(
    asked: Export, as_alice: Client, alice: User, company: Account
) -> None:
    tasks.make_export(export_id=asked.pk)
    Export.objects.filter(pk=asked.pk).update(scope={})
    assert body(as_alice.get(reverse("export_file", args=[asked.pk])))
    Membership.objects.filter(user=alice).update(role=Role.PEOPLE_MANAGER)
    assert as_alice.get(reverse("export_file", args=[asked.pk])).status_code == 404


def test_the_moment_is_that_it_was_asked_at(asked: Export, as_alice: Client, company: Account, folder: Path) -> None:
    Export.objects.filter(pk=asked.pk).update(format="xlsx")
    tasks.make_export(export_id=asked.pk)
    about = {row[0]: row[1] for row in sheets_of((folder / f"{asked.key}.xlsx").read_bytes())["About"] if row[0]}
    local = asked.requested_at.astimezone(company.zone).replace(tzinfo=None, microsecond=0)
    assert abs(about["As of"] - local) < timedelta(seconds=2)


def test_a_file_is_gone_after_a_day(asked: Export, as_alice: Client, folder: Path, now: datetime) -> None:
    tasks.make_export(export_id=asked.pk)
    Export.objects.filter(pk=asked.pk).update(expires_at=now - timedelta(seconds=1))
    assert as_alice.get(reverse("export_file", args=[asked.pk])).status_code == 404
    assert jobs.forget_expired(Export, now) == 1
    asked.refresh_from_db()
    assert asked.state == State.EXPIRED
    assert list(folder.iterdir()) == []
    assert "Expired" in as_alice.get(reverse("exports")).content.decode()


def test_strangers_in_the_folder_go_after_a_day(asked: Export, folder: Path, now: datetime) -> None:
    folder.mkdir(exist_ok=True)
    work = folder.parent / "making"
    old, new, killed, busy = folder / "old.csv", folder / "new.csv", work / "export-old", work / "export-new"
    for path, age in ((old, 2), (new, 0), (killed, 0)):
        if path.suffix:
            path.write_bytes(b"x")
        else:
            path.mkdir(parents=True)
            (path / "file").write_bytes(b"x")
        written = (now - timedelta(days=age)).timestamp()
        os.utime(path, (written, written))
    with storage.work_folder(busy.name):
        jobs.forget_expired(Export, now)
        assert list(folder.iterdir()) == [new]
        assert list(work.iterdir()) == [busy]


def test_what_no_worker_took_up_is_queued_again(asked: Export, queue: Queue, now: datetime) -> None:
    queue.clear()
    assert jobs.forgotten(Export, now + timedelta(minutes=1)) == []
    Export.objects.filter(pk=asked.pk).update(requested_at=now - timedelta(minutes=6))
    tasks.keep_exports()
    assert queue.tasks() == [("dashboard.tasks.make_export", {"export_id": asked.pk})]


def test_the_page_follows_what_is_being_made(
    asked: Export, as_alice: Client, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(12):
        response = as_alice.get(reverse("exports"))
    assert 'hx-trigger="every 1s"' in response.content.decode()
    fragment = as_alice.get(reverse("exports"), headers={"HX-Request": "true", "HX-Target": "exports-list"})
    assert fragment.content.decode().lstrip().startswith("<section")
    tasks.make_export(export_id=asked.pk)
    ready = as_alice.get(reverse("exports")).content.decode()
    assert "every 1s" not in ready
    assert reverse("export_file", args=[asked.pk]) in ready


def test_each_file_is_in_the_log(as_alice: Client, alice: User, company: Account, redis_url: str) -> None:
    query = f"found={keep(alice.pk, 'marlow')}&sort=risk"
    response = as_alice.post(f"{reverse('export', args=['people'])}?{query}", {"format": "csv"})
    rows = len(rows_of_csv(body(response))) - 1
    event = AuditEvent.objects.get(action="exported")
    assert event.details["table"] == "people"
    assert event.details["rows"] == rows
    assert event.details["filters"] == {"found": True, "sort": ["risk"]}


def test_a_stranger_gets_none(client: Client, asked: Export) -> None:
    other = factories.AccountFactory(name="Fernhill Mutual")
    user = factories.UserFactory()
    factories.MembershipFactory(user=user, account=other)
    client.force_login(user)
    assert client.get(reverse("export_file", args=[asked.pk])).status_code == 404
