"""Owner of the embedded services: this user, or a system user where this user is root, whom Postgres refuses."""

import os
import pwd
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.local.embedded import EmbeddedError

SYSTEM_USER = "embedded_postgres"


@dataclass(frozen=True)
class Owner:
    """The user that owns the services' files; `uid` is None when that is simply this process's user."""

    uid: int | None = None
    gid: int | None = None

    def popen(self) -> dict[str, Any]:
        """Return the arguments that make Popen or run start a program as this user."""
        return {} if self.uid is None else {"user": self.uid, "group": self.gid, "extra_groups": []}

    def take(self, path: Path) -> None:
        """Give one file or directory to this user."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def make_private(self, path: Path) -> None:
        """Make a directory only this user can enter; refuse one that somebody else put there."""
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.geteuid(), self.uid}:
            raise EmbeddedError(f"{path} belongs to somebody else: remove it and start again.")
        path.chmod(0o700)
        self.take(path)

    def reach(self, path: Path) -> None:
        """Let this user pass through the directories above `path`: execute permission alone, nothing can be listed.

        A clone in root's home needs it (/root is 0700 on most systems).
        """
        if self.uid is None:
            return
        for folder in path.resolve().parents:
            mode = folder.stat().st_mode
            if not mode & stat.S_IXOTH and folder.stat().st_uid != self.uid:
                try:
                    folder.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)
                except OSError as error:
                    raise EmbeddedError(
                        f"The system user {SYSTEM_USER} cannot enter {folder} ({error.strerror}): "
                        f"run chmod o+x {folder}, or start Rollcall as an ordinary user."
                    ) from error


def find_owner(data: Path) -> Owner:
    """Return who runs the services whose data is (or will be) in `data`.

    Root keeps data that an ordinary user made with that user; otherwise a system user is made for them.
    """
    if os.geteuid() != 0:
        return Owner()
    if data.exists() and data.stat().st_uid != 0:
        found = data.stat()
        return Owner(found.st_uid, found.st_gid)
    try:
        pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        _add_system_user()
    entry = pwd.getpwnam(SYSTEM_USER)
    return Owner(entry.pw_uid, entry.pw_gid)


def open_installation(owner: Owner, programs: Path) -> None:
    """Let `owner` read and run the Postgres wheel, also where it was installed under a strict umask."""
    if owner.uid is None:
        return
    owner.reach(programs / "postgres")
    if (programs / "postgres").stat().st_mode & stat.S_IXOTH:
        return
    for path in (programs.parent, *programs.parent.rglob("*")):
        mode = stat.S_IMODE(path.stat().st_mode)
        # What the owner may read or run, others may too: a public wheel holds no secret.
        path.chmod(mode | (mode & (stat.S_IRUSR | stat.S_IXUSR)) >> 6)


def _add_system_user() -> None:
    try:
        subprocess.run(
            ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER],
            check=True,
            capture_output=True,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        try:
            pwd.getpwnam(SYSTEM_USER)  # another installation made it at the same moment
        except KeyError:
            raise EmbeddedError(
                f"Postgres does not run as root and the system user {SYSTEM_USER} could not be made: "
                "start Rollcall as an ordinary user."
            ) from error
