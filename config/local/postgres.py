"""The embedded Postgres: made once, tuned for the machine at every start, stopped without losing a row."""

import contextlib
import os
import shutil
import signal
import subprocess
from pathlib import Path

import psutil
import psycopg

from config.local.embedded import EmbeddedError, last_line
from config.local.leftovers import find_servers
from config.local.owner import Owner, open_installation
from config.local.parent_death import die_with_parent

MAJOR_VERSION = 18
_MB = 1024 * 1024
# Less than this and initdb or the first sync would fail half-way, with a worse message.
_LEAST_FREE_SPACE = 300 * _MB


def tuning(*, memory: int, cores: int, fast: bool) -> dict[str, str]:
    """Return Postgres's settings for a machine with `memory` bytes and `cores` processors.

    `fast` is for data that may be lost in a crash: nothing waits for the disk.
    """
    megabytes = memory // _MB
    settings = {
        "max_connections": "80",
        "shared_buffers": f"{min(megabytes * 15 // 100, 4096)}MB",
        "effective_cache_size": f"{megabytes * 60 // 100}MB",
        "work_mem": f"{max(min(megabytes // 256, 64), 4)}MB",
        "maintenance_work_mem": f"{max(min(megabytes // 24, 512), 64)}MB",
        "huge_pages": "try",
        "max_wal_size": "4GB",
        "min_wal_size": "512MB",
        "checkpoint_timeout": "15min",
        "random_page_cost": "1.1",
        "jit": "off",
        "max_worker_processes": str(cores + 6),
        "max_parallel_workers": str(cores),
        "max_parallel_workers_per_gather": str(max(cores // 2, 1)),
        "max_parallel_maintenance_workers": str(max(cores // 2, 1)),
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_line_prefix": "%m [%p] ",
        "log_checkpoints": "off",
    }
    if fast:
        settings |= {
            "shared_buffers": f"{min(megabytes * 15 // 100, 384)}MB",
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            # Between two tests every table is empty: what is noted of it then has the next one planned for no rows.
            "autovacuum": "off",
        }
    return settings


class Postgres:
    """One Postgres under `var/postgres`, reached through a socket in `sockets` and nothing else."""

    name = "Postgres"

    def __init__(self, *, binaries: Path, var: Path, sockets: Path, owner: Owner, fast: bool) -> None:
        self.binaries = binaries
        self.data = var / "postgres"
        self.log = var / "log" / "postgres.log"
        self.sockets = sockets
        self.owner = owner
        self.fast = fast
        self.process: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """Make the data directory if there is none, stop what a killed service manager left, and write the settings."""
        if shutil.disk_usage(self.data.parent).free < _LEAST_FREE_SPACE:
            raise EmbeddedError(f"The disk that holds {self.data.parent} is full: free some space and start again.")
        open_installation(self.owner, self.binaries)
        self.owner.reach(self.data)
        if self.data.is_dir() and not any(self.data.iterdir()):
            self.data.rmdir()
        if self.data.exists():
            self._check_version()
            self._stop_leftover()
        else:
            self._initialize()
        self._write("postgresql.conf", self._settings())
        self._write("pg_hba.conf", "local all all trust\n")

    def start(self) -> None:
        """Start the server; it may take a while until it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [self.binaries / "postgres", "-D", self.data],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=self._environment(),
                # SIGINT is Postgres's fast shutdown; SIGTERM would wait for its clients.
                preexec_fn=die_with_parent(signal.SIGINT),
                **self.owner.popen(),
            )

    def answers(self) -> bool:
        """Return whether the server takes connections; make the roles and the database the first time it does."""
        try:
            connection = psycopg.connect(
                host=str(self.sockets), user="postgres", dbname="postgres", autocommit=True, connect_timeout=5
            )
        except psycopg.OperationalError:
            return False
        with connection:
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'rollcall'").fetchone():
                connection.execute("CREATE ROLE rollcall LOGIN CREATEDB")
            # The pages' own role (see `dashboard.row_security`), which the owner may act as.
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'rollcall_web'").fetchone():
                connection.execute("CREATE ROLE rollcall_web LOGIN ROLE rollcall")
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'rollcall'").fetchone():
                connection.execute("CREATE DATABASE rollcall OWNER rollcall")
        return True

    def stop(self) -> None:
        """Shut down: clients are cut, what was committed is kept; killed if that takes over half a minute."""
        if self.process is None:
            return
        for sign, patience in ((signal.SIGINT, 30), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)):
            if self.process.poll() is None:
                self.process.send_signal(sign)
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                continue
            break
        self.process = None

    def _environment(self) -> dict[str, str]:
        # PGDATA, PGPORT and the like of whoever started us must not reach the server.
        return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}

    def _initialize(self) -> None:
        """Run initdb beside the final place and move it there whole, so that half a database never counts as one."""
        for draft in self.data.parent.glob("postgres.new*"):
            shutil.rmtree(draft)
        draft = self.data.with_name("postgres.new")
        self.owner.make_private(draft)
        command: list[str | Path] = [
            self.binaries / "initdb",
            *("--pgdata", draft, "--username", "postgres", "--auth", "trust", "--encoding", "UTF8", "--locale", "C"),
            *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--no-instructions"),
        ]
        if self.fast:
            command.append("--no-sync")
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env=self._environment(),
            preexec_fn=die_with_parent(signal.SIGTERM),
            **self.owner.popen(),
        )
        if done.returncode:
            shutil.rmtree(draft, ignore_errors=True)
            if "No space left" in done.stderr:
                raise EmbeddedError(f"The disk that holds {draft.parent} is full: free some space and start again.")
            complaints = [line for line in done.stderr.splitlines() if "error" in line.lower()] or [done.stderr.strip()]
            raise EmbeddedError(f"Postgres could not make its database in {draft.parent}: {complaints[0]}")
        draft.rename(self.data)

    def _check_version(self) -> None:
        try:
            version = (self.data / "PG_VERSION").read_text().strip()
        except FileNotFoundError:
            raise EmbeddedError(
                f"{self.data} is not a Postgres database: move it away and start again for a new one."
            ) from None
        if version != str(MAJOR_VERSION):
            raise EmbeddedError(
                f"{self.data} was made by Postgres {version}, this is {MAJOR_VERSION}: dump it with version {version}, "
                "move it away, start again and restore the dump."
            )

    def _stop_leftover(self) -> None:
        """Stop a Postgres that outlived its service manager, and drop lock files that name nobody or somebody else."""
        for sign, patience in ((signal.SIGINT, 30), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)):
            left = find_servers(self.data, names={"postgres"})
            if not left:
                break
            # The first signal is for the postmaster, which then ends its backends; those without one get the others.
            ids = {process.pid for process in left}
            for process in left:
                if sign is not signal.SIGINT or process.ppid() not in ids:
                    with contextlib.suppress(psutil.NoSuchProcess):
                        process.send_signal(sign)
            psutil.wait_procs(left, patience if any(process.ppid() in ids for process in left) else 1)
        # Postgres itself believes in a number that now belongs to any process of the same user, a zombie included.
        for lock in (self.data / "postmaster.pid", *self.sockets.glob(".s.PGSQL.*")):
            lock.unlink(missing_ok=True)

    def _settings(self) -> str:
        settings = tuning(memory=psutil.virtual_memory().total, cores=psutil.cpu_count() or 1, fast=self.fast)
        # Containers often come with 64 MB of /dev/shm, too little for a parallel query.
        shared_memory = Path("/dev/shm")  # noqa: S108
        if shared_memory.is_dir() and shutil.disk_usage(shared_memory).total < 512 * _MB:
            settings["dynamic_shared_memory_type"] = "mmap"
        settings |= {
            "listen_addresses": "",
            "unix_socket_directories": str(self.sockets),
            "unix_socket_permissions": "0700",
        }
        quoted = {name: value.replace("'", "''") for name, value in settings.items()}
        header = "# Written at every start. ALTER SYSTEM (postgresql.auto.conf) has the last word.\n"
        return header + "".join(f"{name} = '{value}'\n" for name, value in quoted.items())

    def _write(self, name: str, text: str) -> None:
        draft = self.data / f"{name}.new"
        draft.write_text(text)
        draft.chmod(0o600)
        self.owner.take(draft)
        draft.replace(self.data / name)

    def complaint(self) -> str:
        """Return the sentence for a server that went down instead of answering."""
        return f"Postgres did not start: {last_line(self.log, 'FATAL', 'PANIC')} (see {self.log})."
