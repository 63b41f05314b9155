"""Made files in the storage: private, whole, replaced at once, and taken over from where 0.1.0 kept them."""

import fcntl
import hashlib
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from dashboard.files import storage


@pytest.fixture(autouse=True)
def files(settings: Any, tmp_path: Path) -> Path:
    """Return where the files of these tests are."""
    settings.MEDIA_ROOT = tmp_path / "files"
    return tmp_path / "files"


def make(name: str, content: bytes) -> storage.Fingerprint:
    with storage.work_folder("job") as folder:
        with storage.new_file(folder / "file") as file:
            file.write(content)
            made = storage.whole(file)
        storage.put(folder / "file", name)
    return made


def test_a_file_is_private_and_the_newer_one_takes_its_name(files: Path) -> None:
    make("exports/a.csv", b"first")
    with storage.opened("exports/a.csv") as old:
        made = make("exports/a.csv", b"second one")
        assert old.read() == b"first"
    assert (files / "exports" / "a.csv").read_bytes() == b"second one"
    assert made == storage.Fingerprint(10, hashlib.sha256(b"second one").hexdigest())
    assert [path.stat().st_mode & 0o777 for path in (files / "exports", files / "exports" / "a.csv")] == [0o700, 0o600]
    assert list((files / "making").iterdir()) == []


def test_a_file_is_moved_into_its_place(files: Path) -> None:
    with storage.work_folder("job") as folder:
        with storage.new_file(folder / "file") as file:
            number = (folder / "file").stat().st_ino
            storage.whole(file)
        storage.put(folder / "file", "evidence/a.zip")
    assert (files / "evidence" / "a.zip").stat().st_ino == number


def test_work_that_fails_leaves_nothing(files: Path) -> None:
    with pytest.raises(ZeroDivisionError), storage.work_folder("job") as folder, storage.new_file(folder / "file"):
        _ = 1 / 0
    assert list((files / "making").iterdir()) == []


@pytest.mark.slow
@pytest.mark.django_db
def test_files_of_the_version_before_are_taken_over(files: Path, tmp_path: Path, settings: Any) -> None:
    settings.VAR_DIR = tmp_path
    for name in ("exports/a.csv", "exports/b.part", "mail/c.pdf", "mail/making-x/report.pdf"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    call_command("migrate", verbosity=0, stdout=StringIO())
    found = {str(path.relative_to(files)) for path in files.rglob("*") if path.is_file()}
    assert found == {"exports/a.csv", "mail/c.pdf"}
    assert not (tmp_path / "exports").exists() and not (tmp_path / "mail").exists()
    # With the files kept where they were there is nothing to take over, and nothing is lost.
    settings.MEDIA_ROOT = settings.VAR_DIR = files
    call_command("migrate", verbosity=0, stdout=StringIO())
    assert {str(path.relative_to(files)) for path in files.rglob("*") if path.is_file()} == found


def test_a_folder_that_a_cleaner_takes_before_it_is_locked_is_made_again(
    files: Path, monkeypatch: pytest.MonkeyPatch, now: datetime
) -> None:
    lock, taken = fcntl.flock, []

    def late(descriptor: int, how: int) -> None:
        if not taken:
            taken.append(descriptor)
            storage.remove_left_work(before=now)
        lock(descriptor, how)

    monkeypatch.setattr("dashboard.files.storage.fcntl.flock", late)
    with storage.work_folder("job") as folder:
        assert folder.exists()
        storage.remove_left_work(before=now)
        assert folder.exists()
    assert taken
    assert not folder.exists()
