"""The file of a backup: a plain tar whose last member, `manifest.json`, says size and SHA-256 of every other one."""

import hashlib
import json
import tarfile
from collections.abc import Iterable, Iterator
from io import BufferedRandom
from pathlib import Path
from typing import IO, Any

MANIFEST = "manifest.json"
_BLOCK, _AT_ONCE = 512, 1024 * 1024


class BackupError(Exception):
    """The backup cannot be made or restored; the message is a sentence that says what to do."""


class Writer:
    """Writes members into an open file as their bytes come: none has to lie on the disk whole beforehand."""

    def __init__(self, file: BufferedRandom) -> None:
        self._file = file
        self._members: dict[str, dict[str, Any]] = {}

    def add(self, name: str, chunks: Iterable[bytes]) -> None:
        """Add a member. The size in its header is filled in when it is known."""
        start = self._file.tell()
        self._file.write(bytes(_BLOCK))
        digest, size = hashlib.sha256(), 0
        for chunk in chunks:
            self._file.write(chunk)
            digest.update(chunk)
            size += len(chunk)
        self._file.write(bytes(-size % _BLOCK))
        end = self._file.tell()
        info = tarfile.TarInfo(name)
        info.size, info.mode = size, 0o600
        self._file.seek(start)
        self._file.write(info.tobuf(tarfile.GNU_FORMAT))
        self._file.seek(end)
        self._members[name] = {"bytes": size, "sha256": digest.hexdigest()}

    def finish(self, manifest: dict[str, Any]) -> None:
        """Add the manifest, with what is known of the members, and the end of the tar."""
        text = json.dumps(manifest | {"members": self._members}, indent=2, ensure_ascii=False)
        self.add(MANIFEST, [text.encode()])
        self._file.write(bytes(2 * _BLOCK))


class Reader:
    """Reads a backup. BackupError for a file that is none, or that is not as it was written."""

    def __init__(self, path: Path) -> None:
        try:
            self._tar = tarfile.open(path, "r:")  # noqa: SIM115 - closed by the caller, or below
        except FileNotFoundError:
            raise BackupError(f"There is no file {path}.") from None
        except (tarfile.TarError, OSError) as error:
            raise BackupError(f"{path} is no backup of Rollcall's, or it was cut off ({error}).") from None
        try:
            self.manifest: dict[str, Any] = json.load(self._member(MANIFEST))
            members = self.manifest["members"]
            self.names = [name for name in self._tar.getnames() if name != MANIFEST]
            if sorted(self.names) != sorted(members):
                raise BackupError(f"{path} holds other files than its manifest says: it is not as it was written.")
        except (tarfile.TarError, ValueError, KeyError, TypeError, OSError) as error:
            self.close()
            raise BackupError(f"{path} is no backup of Rollcall's, or it was cut off ({error}).") from None
        except BackupError:
            self.close()
            raise

    def check(self) -> None:
        """Read every member once. BackupError for the first that is not as it was written."""
        for name, known in self.manifest["members"].items():
            digest, size = hashlib.sha256(), 0
            for chunk in self.chunks(name):
                digest.update(chunk)
                size += len(chunk)
            if (size, digest.hexdigest()) != (known["bytes"], known["sha256"]):
                raise BackupError(f"{name} in the backup is not as it was written: take another backup.")

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield the bytes of a member."""
        return read_in_chunks(self._member(name))

    def open(self, name: str) -> IO[bytes]:
        """Open a member for reading."""
        return self._member(name)

    def close(self) -> None:
        """Close the file."""
        self._tar.close()

    def _member(self, name: str) -> IO[bytes]:
        found = self._tar.extractfile(name)
        if found is None:
            raise KeyError(name)
        return found


def read_in_chunks(file: IO[bytes]) -> Iterator[bytes]:
    """Yield a file's bytes, a megabyte at a time."""
    while chunk := file.read(_AT_ONCE):
        yield chunk
