"""Tests of every kind of made file alike: exports, evidence packs, and what mailed links lead to."""

import errno
import os
import re
import resource
from collections.abc import Iterator
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse
from psycopg.errors import DiskFull

from dashboard import tasks
from dashboard.exports.tables import TABLES
from dashboard.files import jobs, storage
from dashboard.files.kept_scope import scope_in
from dashboard.models import Delegation, Delivery, EvidencePack, Export, Membership, Schedule, User
from dashboard.services.erasure import erase_person
from sync.models import Account, Department, Person
from tests import factories
from tests.dashboard.files.kinds import KINDS, Kind
from tests.dashboard.mail.conftest import inbox, mail_by, server
from tests.dashboard.mail.server import Inbox
from tests.dashboard.signing_in import sign_in_lately

__all__ = ["inbox", "mail_by", "server"]
Role = Membership.Role


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest, server: Inbox, tmp_path: Path, settings: Any) -> Kind:
    """Return each kind of file, in a storage of the test's own."""
    settings.MEDIA_ROOT = tmp_path
    return KINDS[request.param]


@pytest.fixture
def asked(kind: Kind, company: Account, ines: User) -> Any:
    """Return a file that an administrator asked for."""
    return kind.ask(company, ines, "people")


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def status(client: Client, address: str) -> int:
    """Fetch a file, whole, and return the status of the answer."""
    response = client.get(address)
    found: int = response.status_code
    assert found != 200 or b"".join(response.streaming_content)  # type: ignore[arg-type]
    return found


def role_of(user: User, account: Account, role: str, *departments: Department) -> None:
    """Give a user this role in place of those they have."""
    Membership.objects.filter(user=user, account=account).delete()
    factories.MembershipFactory(user=user, account=account, role=role).departments.set(departments)


def departments_of(account: Account) -> list[Department]:
    return list(Department.objects.filter(account=account, merged_into=None).exclude(key="")[:2])


def refused(exception: Exception) -> Any:
    def refuse(*_arguments: Any) -> None:
        raise exception

    return refuse


def database_full() -> OperationalError:
    error = OperationalError("could not write to file")
    error.__cause__ = DiskFull()
    return error


FULL = "The disk that files are made on is full. Try again once whoever runs Rollcall made room."
LARGE = "The file is larger than any may be on this server. Ask for less, or have its limit raised."
# What is refused, at which step, and what is said of it.
TROUBLES = {
    "disk": (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "whole", FULL),
    "quota": (OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)), "put", FULL),
    "large": (OSError(errno.EFBIG, os.strerror(errno.EFBIG)), "put", LARGE),
    "database": (
        database_full(),
        "whole",
        "The database's disk is full. Try again once whoever runs Rollcall made room.",
    ),
    "broken disk": (OSError(errno.EIO, "I/O"), "put", "The file could not be written: Input/output error."),
    "without a number": (FileExistsError("mail is no directory"), "put", "The file could not be written."),
}


def test_no_kind_is_left_out() -> None:
    assert {kind.model for kind in KINDS.values()} == set(jobs.KINDS)


@pytest.mark.parametrize("trouble", TROUBLES)
def test_what_a_disk_refuses_is_said_and_made_once_there_is_room(
    kind: Kind, asked: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    error, step, sentence = TROUBLES[trouble]
    with monkeypatch.context() as patch:
        patch.setattr(storage, step, refused(error))
        assert kind.tried(asked) == (kind.failed, sentence)
    assert files_in(tmp_path) == []
    assert asked.sha256 == "" or kind.model is Delivery  # of a mail: what was to be sent
    again = kind.again(asked)
    assert kind.tried(again) == (kind.made, "")
    assert files_in(tmp_path) == [jobs.name_of(again)]


@pytest.fixture
def small_files() -> Iterator[None]:
    """Let this process write no file of more than a few bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_the_kernel_finds_too_large_is_said(kind: Kind, asked: Any, small_files: None, tmp_path: Path) -> None:
    assert kind.tried(asked) == (kind.failed, LARGE)
    assert files_in(tmp_path) == []


def test_what_nobody_foresaw_is_in_the_log_and_said(
    kind: Kind, asked: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(storage, "whole", refused(KeyError("a secret")))
    state, said = kind.tried(asked)
    assert state == kind.failed
    assert re.fullmatch(r"Rollcall could not make this (file|mail)\. The worker's log says why\.", said)
    assert "KeyError" in caplog.text
    assert files_in(tmp_path) == []


def test_what_a_killed_worker_left_is_begun_anew(kind: Kind, asked: Any, tmp_path: Path) -> None:
    for begun in range(jobs.MOST_BEGUN - 1):
        jobs.begin(asked)
        assert asked.begun == begun + 1
    left = tmp_path / "making" / jobs.work_of(asked)
    left.mkdir(parents=True)
    (left / "file").write_bytes(b"half a file")
    assert kind.tried(asked)[0] == kind.made
    assert files_in(tmp_path) == [jobs.name_of(asked)]


def test_what_kills_every_worker_is_given_up(kind: Kind, asked: Any, tmp_path: Path) -> None:
    for _worker in range(jobs.MOST_BEGUN):
        jobs.begin(asked)
    state, said = kind.tried(asked)
    assert (state, said) == ("failed", "It was begun several times and never finished. The worker's log may say why.")
    kind.make(asked.pk)
    asked.refresh_from_db()
    assert (asked.state, asked.begun, files_in(tmp_path)) == ("failed", jobs.MOST_BEGUN, [])


def test_a_mail_given_up_is_begun_anew_when_somebody_sends_it_again(
    server: Inbox, company: Account, ines: User, as_ines: Client, tmp_path: Path, settings: Any
) -> None:
    settings.MEDIA_ROOT, kind = tmp_path, KINDS["mail"]
    mail = kind.ask(company, ines, "people")
    Delivery.objects.filter(pk=mail.pk).update(begun=jobs.MOST_BEGUN)
    assert kind.tried(mail)[0] == "failed"
    assert as_ines.post(reverse("resend_delivery", args=[mail.pk])).status_code == 302
    assert kind.tried(mail) == ("sent", "")
    assert mail.begun == 0


def test_a_mail_that_waits_for_its_server_is_never_given_up_as_one_that_kills(
    mail_by: Any, company: Account, ines: User, tmp_path: Path, settings: Any
) -> None:
    settings.MEDIA_ROOT, kind = tmp_path, KINDS["mail"]
    mail_by("smtp://127.0.0.1:1")
    mail = kind.ask(company, ines, "people")
    for _try in range(jobs.MOST_BEGUN + 1):
        assert kind.tried(mail) == ("waiting", "The mail server cannot be reached.")
        assert mail.begun == 0


def test_a_role_that_is_gone_gives_no_file(kind: Kind, asked: Any, ines: User, tmp_path: Path) -> None:
    Membership.objects.filter(user=ines).delete()
    state, said = kind.tried(asked)
    assert (state, said.partition(" ")[2]) == (kind.no_access, "have no role in this account any more.")
    assert files_in(tmp_path) == []


def test_a_role_that_shrank_gets_none_of_what_was_made(
    kind: Kind, asked: Any, as_ines: Client, ines: User, company: Account
) -> None:
    assert kind.tried(asked)[0] == kind.made
    assert status(as_ines, kind.address(asked)) == 200
    role_of(ines, company, Role.DEPARTMENT_HEAD, departments_of(company)[0])
    assert status(as_ines, kind.address(asked)) == 404
    Membership.objects.filter(user=ines).delete()
    assert status(as_ines, kind.address(asked)) == 403


def test_the_audit_log_in_a_file_is_for_who_may_read_it_still(
    kind: Kind, as_ines: Client, ines: User, company: Account
) -> None:
    """A security manager sees everybody, and no audit log."""
    asked = kind.ask(company, ines, "audit_log")
    assert kind.tried(asked)[0] == kind.made
    assert asked.scope == {"everyone": True, "log": True}
    assert status(as_ines, kind.address(asked)) == 200
    role_of(ines, company, Role.SECURITY_MANAGER)
    assert status(as_ines, kind.address(asked)) == 404
    for name in ("exports", "evidence"):
        page = as_ines.get(reverse(name)).content.decode()
        assert kind.address(asked) not in page
        assert ("Not yours any more" in page) == (kind.model is not Delivery and name in kind.address(asked))
    # Made anew without it, or of people alone, it is theirs.
    anew = kind.ask(company, ines, "people")
    assert kind.tried(anew)[0] == kind.made
    assert status(as_ines, kind.address(anew)) == 200


def test_lists_of_the_log_are_those_that_only_its_readers_get(company: Account, ines: User, alice: User) -> None:
    reader, other = (scope_in(company.pk, user, company.data_as_of) for user in (ines, alice))
    for table in TABLES.values():
        assert table.is_of_log == (table.allows(reader) and not table.allows(other)), table.key


@pytest.mark.parametrize("name", ["export", "mail"])
def test_what_a_loan_showed_is_gone_with_it(
    name: str, server: Inbox, company: Account, ines: User, alice: User, tmp_path: Path, settings: Any, now: datetime
) -> None:
    """Packs are for who sees everyone, which nobody lends."""
    settings.MEDIA_ROOT, kind, client = tmp_path, KINDS[name], Client()
    one, other = departments_of(company)
    role_of(alice, company, Role.DEPARTMENT_HEAD, one)
    role_of(ines, company, Role.DEPARTMENT_HEAD, other)
    times = {"starts_at": now - timedelta(days=1), "ends_at": now + timedelta(days=1), "created_at": now}
    loan = Delegation.objects.create(account=company, lender=ines, borrower=alice, **times)
    asked = kind.ask(company, alice, "people")
    assert kind.tried(asked)[0] == kind.made
    client.force_login(alice)
    assert status(client, kind.address(asked)) == 200
    Delegation.objects.filter(pk=loan.pk).update(ends_at=now)
    assert status(client, kind.address(asked)) == 404


def test_nobody_else_gets_it_nor_who_views_as_another(
    kind: Kind, asked: Any, client: Client, ines: User, alice: User, company: Account
) -> None:
    assert kind.tried(asked)[0] == kind.made
    client.force_login(alice)
    assert status(client, kind.address(asked)) == 404
    sign_in_lately(client, ines)
    assert status(client, kind.address(asked)) == 200
    role_of(alice, company, Role.ADMINISTRATOR)
    member = Membership.objects.get(user=alice)
    assert client.post(reverse("view_as_member", args=[member.pk])).status_code == 302
    assert status(client, kind.address(asked)) == 404
    for name in ("exports", "evidence"):
        assert kind.address(asked) not in client.get(reverse(name)).content.decode()


def test_it_is_gone_when_its_time_is_over(
    kind: Kind, asked: Any, as_ines: Client, tmp_path: Path, now: datetime
) -> None:
    assert kind.tried(asked)[0] == kind.made
    second = timedelta(seconds=1)
    assert timedelta(0) <= asked.expires_at - now - kind.model.KEPT_FOR < 10 * second
    assert jobs.forget_expired(kind.model, asked.expires_at - second) == 0
    kind.model._default_manager.update(expires_at=now + second)
    assert status(as_ines, kind.address(asked)) == 200
    kind.model._default_manager.update(expires_at=now)
    assert status(as_ines, kind.address(asked)) == 404
    assert jobs.forget_expired(kind.model, now) == 1
    assert jobs.forget_expired(kind.model, now) == 0
    assert files_in(tmp_path) == []


def test_a_file_that_is_missing_is_not_found(kind: Kind, asked: Any, as_ines: Client, tmp_path: Path) -> None:
    assert kind.tried(asked)[0] == kind.made
    (tmp_path / jobs.name_of(asked)).unlink()
    assert status(as_ines, kind.address(asked)) == 404


def test_files_of_no_row_go_after_a_day(kind: Kind, asked: Any, tmp_path: Path, now: datetime) -> None:
    assert kind.tried(asked)[0] == kind.made
    folder = tmp_path / kind.model.FOLDER
    for name, hours in (("old.zip", 25), ("new.zip", 23), (f"{asked.key}.{asked.ending}", 25)):
        (folder / name).touch()
        written = (now - timedelta(hours=hours)).timestamp()
        os.utime(folder / name, (written, written))
    jobs.forget_expired(kind.model, now)
    assert {path.name for path in folder.iterdir()} == {"new.zip", f"{asked.key}.{asked.ending}"}


def test_a_mailed_file_is_found_though_its_schedule_was_changed(
    server: Inbox, company: Account, ines: User, as_ines: Client, tmp_path: Path, settings: Any, now: datetime
) -> None:
    settings.MEDIA_ROOT, kind = tmp_path, KINDS["mail"]
    asked = kind.ask(company, ines, "people")
    assert kind.tried(asked)[0] == kind.made
    Schedule.objects.update(format="xlsx")
    assert status(as_ines, kind.address(asked)) == 200
    asked.refresh_from_db()
    Delivery.objects.update(expires_at=now)
    assert jobs.forget_expired(Delivery, now) == 1
    assert files_in(tmp_path) == []


@pytest.mark.parametrize("name", ["export", "evidence"])
def test_whoever_is_erased_while_it_is_made_is_not_in_it(
    name: str, company: Account, ines: User, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch,
    now: datetime,
) -> None:  # fmt: skip
    settings.MEDIA_ROOT, kind, whole = tmp_path, KINDS[name], storage.whole
    asked = kind.ask(company, ines, "people")
    person = Person.objects.filter(account=company).order_by("pk")[0]

    def erased(file: Any) -> Any:
        erase_person(person.email, reason="Request 17", at=now)
        return whole(file)

    with monkeypatch.context() as patch:
        patch.setattr(storage, "whole", erased)
        assert kind.tried(asked) == ("waiting", "")
    assert (asked.sha256, files_in(tmp_path)) == ("", [])
    assert kind.tried(asked) == ("ready", "")
    assert files_in(tmp_path) == [jobs.name_of(asked)]


@pytest.mark.parametrize("trouble", ["disk", "large"])
def test_small_workbooks_and_previews_say_the_same(
    as_ines: Client, company: Account, ines: User, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch,
    trouble: str,
) -> None:  # fmt: skip
    settings.MEDIA_ROOT = tmp_path
    error, _step, sentence = TROUBLES[trouble]
    schedule = KINDS["mail"].ask(company, ines, "people").occurrence.schedule
    monkeypatch.setattr("dashboard.exports.workbook._write", refused(error))
    Schedule.objects.update(format="xlsx")
    exported = as_ines.post(reverse("export", args=["people"]), {"format": "xlsx"}, follow=True)
    previewed = as_ines.get(reverse("preview_file", args=[schedule.pk]), follow=True)
    for response in (exported, previewed):
        assert response.status_code == 200
        assert response.redirect_chain
        assert sentence in response.content.decode()
    assert not Export.objects.exists()
    assert files_in(tmp_path) == []


def test_stored_files_leave_by_one_door() -> None:
    """Whoever opens a stored file hands it out without looking at its reader's scope."""
    opening = re.compile(r"storage\.opened\(|default_storage\.open\(")
    found = {
        str(path.relative_to(django_settings.BASE_DIR))
        for path in (django_settings.BASE_DIR / "dashboard").rglob("*.py")
        if opening.search(path.read_text())
    }
    assert found == {
        "dashboard/files/downloads.py",
        "dashboard/files/storage.py",
        "dashboard/management/backup/making.py",
    }


def test_a_worker_goes_on_with_the_next_file(kind: Kind, asked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction that a full disk broke is over, and the lock of the file is given back."""
    with monkeypatch.context() as patch:
        patch.setattr(storage, "put", refused(database_full()))
        kind.tried(asked)
    tasks.keep_exports()
    tasks.keep_evidence()
    assert kind.tried(kind.again(asked))[0] == kind.made


def test_files_of_before_the_log_was_kept_are_for_its_readers(
    kind: Kind, as_ines: Client, ines: User, company: Account
) -> None:
    """Of a pack nobody knows whether it holds the log."""
    files = [kind.ask(company, ines, table) for table in ("audit_log", "people")]
    for file in files:
        assert kind.tried(file)[0] == kind.made
        kind.model._default_manager.filter(pk=file.pk).update(
            scope={} if kind.model is EvidencePack else {"everyone": True}
        )
    with connection.cursor() as cursor:
        cursor.execute(import_module("dashboard.migrations.0035_files")._KEPT)
    role_of(ines, company, Role.SECURITY_MANAGER)
    found = [status(as_ines, kind.address(file)) for file in files]
    assert found == [404, 404 if kind.model is EvidencePack else 200]
