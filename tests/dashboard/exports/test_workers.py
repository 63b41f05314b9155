"""Workers that die over a file, or have no room for it: real processes, killed by the kernel or held to a size."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from config.local.embedded import BASE_DIR
from dashboard import tasks
from dashboard.files import storage
from dashboard.locks import advisory_lock
from dashboard.models import Export, User
from sync.models import Account
from tests.dashboard.conftest import Queue
from tests.dashboard.exports.reading import rows_of_csv, sheets_of
from tests.sync.faults.processes import environment, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
State = Export.State
# A worker that stands still in the middle of its file, and says so.
STANDS_STILL = """
from tests.clock import stand
stand().start()
import sys, time, django
django.setup()
from dashboard import tasks
from dashboard.exports import workbook, writing
workbook._ROWS_BETWEEN = 10
delimited, write_workbook = writing.delimited, writing.write_workbook
said = []
def wait():
    if not said:
        said.append(print("begun", flush=True))
        time.sleep(float(sys.argv[3]))
def slowly(*args):
    for piece in delimited(*args):
        yield piece
        wait()
def written(*args, progress, **kwargs):
    return write_workbook(*args, progress=lambda rows: wait(), **kwargs)
writing.delimited, writing.write_workbook = slowly, written
tasks.make_export(export_id=int(sys.argv[1]))
"""
# A worker that may write no file of more than a few bytes.
HAS_NO_ROOM = """
from tests.clock import stand
stand().start()
import sys, resource, django
django.setup()
from dashboard import tasks
resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000))
tasks.make_export(export_id=int(sys.argv[1]))
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Any) -> Path:
    """Return where the files of these tests are."""
    settings.MEDIA_ROOT = tmp_path
    return tmp_path / "exports"


@pytest.fixture(params=["csv", "xlsx"])
def asked(request: pytest.FixtureRequest, alice: User, company: Account, now: datetime) -> Export:
    """Return a file that Alice asked for."""
    parameters = {"query": "", "as_of": now.isoformat(), "past_day": None, "columns": ["person", "email"]}
    return Export.objects.create(
        account=company, user=alice, table="people", format=request.param, parameters=parameters, requested_at=now,
        rows_total=160, file_name=f"people.{request.param}",
    )  # fmt: skip


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[[str, Export], subprocess.Popen[str]]]:
    """Return a way to start a worker on a file; those left over are killed."""
    begun = []

    def start(script: str, export: Export, seconds: int = 600) -> subprocess.Popen[str]:
        worker = subprocess.Popen(
            [sys.executable, "-c", script, str(export.pk), export.format, str(seconds)],
            cwd=BASE_DIR,
            env=environment() | {"MADE_FILES_DIR": str(tmp_path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        begun.append(worker)
        return worker

    yield start
    for worker in begun:
        if worker.poll() is None:
            worker.kill()
        worker.communicate()


def is_whole(folder: Path, export: Export) -> bool:
    """Return whether an export's file holds everybody."""
    content = (folder / f"{export.key}.{export.format}").read_bytes()
    rows = rows_of_csv(content) if export.format == "csv" else next(iter(sheets_of(content).values()))
    return len(rows) == 161


def is_unlocked(export: Export) -> bool:
    """Return whether Postgres has noticed that the worker is dead."""
    with advisory_lock(f"export {export.pk}") as is_alone:
        return is_alone


def test_a_worker_killed_in_mid_render_leaves_nothing_half(
    asked: Export, begin: Callable[..., Any], folder: Path, queue: Queue, as_alice: Client, now: datetime
) -> None:
    worker = begin(STANDS_STILL, asked)
    assert worker.stdout.readline() == "begun\n", worker.communicate()
    worker.kill()
    worker.wait()
    asked.refresh_from_db()
    assert asked.state == State.WORKING
    left = folder.parent / "making" / f"export-{asked.key}"
    assert (left / "file").exists()
    assert not (folder / f"{asked.key}.{asked.format}").exists()
    assert "Being made" in as_alice.get(reverse("exports")).content.decode()
    assert as_alice.get(reverse("export_file", args=[asked.pk])).status_code == 404
    # A worker that starts removes what lies there, but not what another is at.
    with storage.work_folder("of-another") as used:
        tasks.keep_exports()
        assert list(left.parent.iterdir()) == [used]
    assert queue.tasks() == []
    # After some minutes it is queued again, and made by whoever takes it up.
    wait_until(lambda: is_unlocked(asked))
    Export.objects.filter(pk=asked.pk).update(requested_at=now - timedelta(minutes=6))
    tasks.keep_exports()
    assert queue.tasks() == [("dashboard.tasks.make_export", {"export_id": asked.pk})]
    tasks.make_export(export_id=asked.pk)
    asked.refresh_from_db()
    assert (asked.state, asked.begun) == (State.READY, 2)
    assert is_whole(folder, asked)
    assert not left.exists()


def test_a_file_without_room_is_given_up_and_can_be_asked_for_again(
    asked: Export, begin: Callable[..., Any], folder: Path, as_alice: Client, now: datetime
) -> None:
    worker = begin(HAS_NO_ROOM, asked)
    _out, said = worker.communicate(timeout=120)
    assert worker.returncode == 0, said
    asked.refresh_from_db()
    assert asked.state == State.FAILED
    assert asked.error.startswith("The file is larger than any may be on this server.")
    assert not [path for path in folder.parent.rglob("*") if path.is_file()]
    assert asked.error in as_alice.get(reverse("exports")).content.decode()
    again = Export.objects.create(
        account=asked.account, user=asked.user, table="people", format=asked.format, parameters=asked.parameters,
        requested_at=now, rows_total=160,
    )  # fmt: skip
    tasks.make_export(export_id=again.pk)
    again.refresh_from_db()
    assert again.state == State.READY
    assert is_whole(folder, again)


def test_a_database_that_goes_away_in_mid_render_is_tried_again(
    asked: Export, begin: Callable[..., Any], folder: Path
) -> None:
    worker = begin(STANDS_STILL, asked, seconds=2)
    assert worker.stdout.readline() == "begun\n", worker.communicate()
    with connection.cursor() as cursor:  # the worker's own session, which holds its lock
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
    _out, said = worker.communicate(timeout=120)
    assert worker.returncode != 0 and "OperationalError" in said, said
    asked.refresh_from_db()
    assert asked.state == State.WORKING  # neither ready nor given up
    wait_until(lambda: is_unlocked(asked))
    tasks.make_export(export_id=asked.pk)
    asked.refresh_from_db()
    assert asked.state == State.READY
    assert is_whole(folder, asked)
    assert [path.name for path in folder.iterdir()] == [f"{asked.key}.{asked.format}"]
