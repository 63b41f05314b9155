"""Storage of made files: written in a work folder, put into Django's default storage once whole, read from there.

The web server, the workers and beat share that storage (by default the directory MADE_FILES_DIR). Work folders lie on
the same file system, so that the default storage takes a file over by renaming it: nobody sees half a file.
"""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Container, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from io import BufferedRandom
from pathlib import Path, PurePath

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage

_WORK = "making"
# Where version 0.1.0 kept them, below var/.
_FOLDERS_OF_0_1_0 = ("exports", "evidence", "mail")


@dataclass(frozen=True)
class Fingerprint:
    """Size and SHA-256 of a file."""

    bytes: int
    sha256: str


class _Movable(File):
    """An open file that the storage may move instead of copying it."""

    def temporary_file_path(self) -> str:
        return str(self.name)


@contextmanager
def work_folder(name: str) -> Iterator[Path]:
    """Make an empty directory for the files of one job; it is removed at the end, with all that is in it.

    What a killed process left under the same name is removed first: the caller sees that no two use a name at once.
    A lock on it, which ends with this process, tells others that it is in use. OSError where nothing can be written.
    """
    _work().mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = _work() / name
    descriptor = _make_locked(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def clear_work(name: str) -> None:
    """Remove what a killed process left in a work folder; wait for one that is at work in it."""
    _remove_unlocked(_work() / name)


def _make_locked(folder: Path) -> int:
    while True:
        _remove_unlocked(folder)
        folder.mkdir(mode=0o700)
        # Before it is locked another process may take it for one that was left: then it is made again.
        with suppress(FileNotFoundError):
            descriptor = os.open(folder, os.O_RDONLY)
            with suppress(OSError):  # a file system without locks
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            if _is_at(folder, descriptor):
                return descriptor
            os.close(descriptor)


def _is_at(path: Path, descriptor: int) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), path.stat())
    return False


def _remove_unlocked(folder: Path, how: int = fcntl.LOCK_EX, *, before: datetime | None = None) -> None:
    """Remove a folder once it is locked; where it cannot be, only if it is older than `before`, when one is given."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except (FileNotFoundError, NotADirectoryError):
        return
    try:
        fcntl.flock(descriptor, how)
        is_left = _is_at(folder, descriptor)
    except BlockingIOError:
        is_left = False
    except OSError:  # a file system without locks
        is_left = before is None or os.fstat(descriptor).st_mtime < before.timestamp()
    if is_left:
        shutil.rmtree(folder, ignore_errors=True)
    os.close(descriptor)


@contextmanager
def new_file(path: Path) -> Iterator[BufferedRandom]:
    """Open a new file, for reading too, that no other user of this machine may read. FileExistsError if it is there."""
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600), "w+b") as file:
        yield file


def whole(file: BufferedRandom) -> Fingerprint:
    """Bring a written file to the disk and return its fingerprint. OSError when the disk is full."""
    file.flush()
    os.fsync(file.fileno())
    file.seek(0)
    digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Fingerprint(file.seek(0, os.SEEK_END), digest)


def put(path: Path, name: str) -> None:
    """Put a whole file into the storage under its name, in place of one that is there; `path` may be gone then."""
    with path.open("rb") as file:
        default_storage.save(name, _Movable(file, name=str(path)))


def opened(name: str) -> File:
    """Open a stored file. FileNotFoundError if it is gone."""
    return default_storage.open(name)


def remove(name: str) -> bool:
    """Remove a stored file, if it is there; return whether it was."""
    is_there = default_storage.exists(name)
    default_storage.delete(name)
    return is_there


def remove_strangers(folder: str, known: Container[str], before: datetime) -> None:
    """Remove the files of a folder that are older than `before` and whose name without its ending is not known."""
    if not default_storage.exists(folder):
        return
    for file_name in default_storage.listdir(folder)[1]:
        name = f"{folder}/{file_name}"
        if PurePath(file_name).stem not in known and default_storage.get_modified_time(name) < before:
            default_storage.delete(name)


def remove_left_work(*, before: datetime) -> None:
    """Remove the work folders of killed processes: those no process has locked.

    Where the file system has no locks: those that nothing has changed since `before`.
    """
    for path in _work().iterdir() if _work().is_dir() else ():
        _remove_unlocked(path, fcntl.LOCK_EX | fcntl.LOCK_NB, before=before)


def adopt_files(var: Path) -> None:
    """Take over the files that version 0.1.0 kept below `var`: mailed links and packs outlive an upgrade."""
    if Path(settings.MEDIA_ROOT) == var:
        return
    for folder in _FOLDERS_OF_0_1_0:
        if not (var / folder).is_dir():
            continue
        for path in sorted((var / folder).iterdir()):
            if path.is_file() and path.suffix != ".part":
                put(path, f"{folder}/{path.name}")
        shutil.rmtree(var / folder)


def _work() -> Path:
    return Path(settings.MEDIA_ROOT) / _WORK
