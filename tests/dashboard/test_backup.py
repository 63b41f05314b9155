"""A backup, restored into an empty database: the same figures, the same audit log, the same files."""

import io
import json
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection

from dashboard.audit import Action, record
from dashboard.audit.chain import chains, verify
from dashboard.management.backup.archive import BackupError
from dashboard.management.backup.programs import find_programs, server_version
from sync.models import Account, Person
from tests import factories
from tests.dashboard.company import build_company
from tests.databases import new_database

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def files(tmp_path: Path, settings: LazySettings) -> Path:
    """Keep made files in a folder of this test's own."""
    settings.MEDIA_ROOT = tmp_path / "made"
    return tmp_path / "made"


@pytest.fixture
def filled(files: Path, now: datetime) -> Account:
    """Return an account with a company, an audit log and two made files."""
    account = factories.AccountFactory(name="Brackwater Mutual")
    factories.publish(factories.SyncRunFactory(account=account, started_at=now - timedelta(minutes=12)))
    build_company(account, now)
    user = factories.UserFactory(email="alice@brackwater.example")
    for _ in range(3):
        record(Action.EXPORTED, account=account, user=user, details={"rows": 3})
    default_storage.save("evidence/pack.zip", ContentFile(b"a pack"))
    default_storage.save("exports/table.csv", ContentFile(b"a,b\n" * 1_000))
    return account


def report() -> Any:
    out = io.StringIO()
    metrics = "completion_rate past_due on_time_rate".split()
    call_command("report", *metrics, "--by", "department", "--format", "json", stdout=out)
    told = json.loads(out.getvalue())
    assert told.pop("as_of")  # the clock goes on
    return told


def state() -> Any:
    """Return what has to be the same: figures, the ends of the audit log, rights, policies and triggers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename, policyname, qual, with_check FROM pg_policies ORDER BY 1, 2")
        policies = cursor.fetchall()
        cursor.execute("SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2")
        triggers = cursor.fetchall()
        cursor.execute(
            "SELECT table_name, privilege_type FROM information_schema.role_table_grants"
            " WHERE grantee = 'rollcall_web' ORDER BY 1, 2"
        )
        rights = cursor.fetchall()
    assert policies
    assert triggers
    assert rights
    return report(), {chain: verify(chain) for chain in chains()}, policies, triggers, rights


@contextmanager
def empty_installation(settings: LazySettings, made: Path) -> Iterator[None]:
    """Point at an empty database, and at a folder without files."""
    with new_database("test_rollcall_restored"):
        settings.MEDIA_ROOT = made
        yield


def test_a_restored_backup_has_the_same_figures_log_rights_and_files(
    filled: Account, tmp_path: Path, settings: LazySettings, capsys: pytest.CaptureFixture[str]
) -> None:
    before, people = state(), list(Person.objects.order_by("pk").values())
    call_command("backup", tmp_path / "rollcall.tar")
    assert (tmp_path / "rollcall.tar").stat().st_mode & 0o777 == 0o600
    with tarfile.open(tmp_path / "rollcall.tar") as tar:
        assert tar.getnames() == [
            "database.dump",
            "files/exports/table.csv",
            "files/evidence/pack.zip",
            "manifest.json",
        ]
        told = tar.extractfile("manifest.json").read().decode()  # type: ignore[union-attr]
    assert settings.SECRET_KEY not in told
    assert json.loads(told)["rows"]["sync_person"] == len(people)
    with empty_installation(settings, tmp_path / "restored"):
        call_command("restore", tmp_path / "rollcall.tar")
        assert "3 audit events, all as written" in capsys.readouterr().out
        assert state() == before
        assert list(Person.objects.order_by("pk").values()) == people
        with default_storage.open("evidence/pack.zip") as pack:
            assert pack.read() == b"a pack"
        assert factories.PersonFactory(account=Account.objects.get()).pk > people[-1]["id"]
        with pytest.raises(CommandError, match=r"is not empty, it has \d+ tables: a backup is restored into a new"):
            call_command("restore", tmp_path / "rollcall.tar")


def changed_manifest(path: Path, **changes: Any) -> Path:
    """Write the backup anew with another manifest."""
    other = path.with_name("other.tar")
    with tarfile.open(path) as old, tarfile.open(other, "w") as new:
        for info in old:
            data = old.extractfile(info).read()  # type: ignore[union-attr]
            if info.name == "manifest.json":
                data = json.dumps(json.loads(data) | changes).encode()
                info.size = len(data)
            new.addfile(info, io.BytesIO(data))
    return other


def test_what_does_not_fit_is_refused_before_anything_is_written(
    filled: Account, tmp_path: Path, settings: LazySettings
) -> None:
    path = tmp_path / "rollcall.tar"
    call_command("backup", path)
    with pytest.raises(CommandError, match=r"rollcall\.tar is there already: name a new file\.$"):
        call_command("backup", path)
    data = bytearray(path.read_bytes())
    data[1_000] ^= 1
    (tmp_path / "flipped.tar").write_bytes(data)
    (tmp_path / "cut.tar").write_bytes(data[:-20_000])
    (tmp_path / "text.tar").write_text("not a backup")
    refusals = {
        changed_manifest(path, format=2): "in a form that this one does not read",
        tmp_path / "flipped.tar": r"^database\.dump in the backup is not as it was written",
        tmp_path / "cut.tar": "is no backup of Rollcall's, or it was cut off",
        tmp_path / "text.tar": "is no backup of Rollcall's, or it was cut off",
        tmp_path / "none.tar": "There is no file",
    }
    with empty_installation(settings, tmp_path / "restored"):
        for refused, sentence in refusals.items():
            with pytest.raises(CommandError, match=sentence):
                call_command("restore", refused)
        newer = changed_manifest(path, migrations=[["dashboard", "9999_of_tomorrow"]])
        with pytest.raises(CommandError, match=r"^The backup was made by a newer Rollcall \(0\."):
            call_command("restore", newer)
        with pytest.raises(CommandError, match=r"^The backup was made on PostgreSQL 99 and this server is \d+:"):
            call_command("restore", changed_manifest(path, postgres=99))
        secret, settings.SECRET_KEY = settings.SECRET_KEY, "another one, of some length as well"
        with pytest.raises(CommandError, match=r"^The backup was made under another SECRET_KEY: put that one into"):
            call_command("restore", path)
        settings.SECRET_KEY_FALLBACKS = [secret]
        (tmp_path / "restored" / "exports").mkdir(parents=True)
        (tmp_path / "restored" / "exports" / "table.csv").write_text("another")
        with pytest.raises(CommandError, match=r"^exports/table\.csv is there already"):
            call_command("restore", path)
        assert connection.introspection.table_names() == []


def test_programs_older_than_the_server_are_not_used() -> None:
    assert find_programs("pg_dump", at_least=server_version())[0].name == "pg_dump"
    with pytest.raises(BackupError, match=r"^pg_dump of PostgreSQL 99 or newer is wanted and was not found: install"):
        find_programs("pg_dump", at_least=99)


def test_a_dump_that_no_server_would_restore_is_refused(
    filled: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a server that keeps an option of its own with every column, by a pg_dump that does not know it."""
    real = find_programs("pg_dump", at_least=server_version())[0]
    older = tmp_path / "bin" / "pg_dump"
    older.parent.mkdir()
    older.write_text(
        f'#!/bin/sh\n{real} "$@" && case $1 in --version) ;; *) '
        "echo 'ALTER TABLE ONLY public.a ALTER COLUMN b SET (pg_attver=26706256);';; esac\n"
    )
    older.chmod(0o755)
    monkeypatch.setattr("dashboard.management.backup.programs._folders", lambda: [older.parent])
    with pytest.raises(CommandError, match=r"^pg_dump \(PostgreSQL\) .* is older than this server, and what it dumps"):
        call_command("backup", tmp_path / "rollcall.tar")
    assert not list(tmp_path.glob("rollcall*"))
