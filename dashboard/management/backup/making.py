"""Making a backup, and restoring one: the database, the made files, and what proves that both are the same again."""

import contextlib
import os
import tomllib
from collections.abc import Callable, Iterator
from io import BufferedRandom
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from config.schema import applied_migrations, unknown_migrations
from config.sealing import fingerprint
from dashboard.audit.chain import verify
from dashboard.files.jobs import KINDS
from dashboard.management.backup import programs
from dashboard.management.backup.archive import BackupError, Reader, Writer, read_in_chunks
from dashboard.models import AuditHead

FORMAT = 1
_DATABASE, _FILES = "database.dump", "files/"
# Of the made files, all but what is being made just now.
FOLDERS = tuple(kind.FOLDER for kind in KINDS)

Say = Callable[[str], object]


def back_up(path: Path, *, say: Say) -> None:
    """Write the database and the made files into a new file, readable by this user alone; half a file is removed.

    The database is as of one moment, whatever is written meanwhile; files are read after it. BackupError where the file
    is there already, or pg_dump fails.
    """
    part = path.with_name(f"{path.name}.part")
    if path.exists():
        raise BackupError(f"{path} is there already: name a new file.")
    try:
        with _new(part) as file:
            writer = Writer(file)
            manifest = _add_database(writer, say)
            _add_files(writer, say)
            writer.finish(manifest)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise BackupError(f"{path} cannot be written: {error.strerror or error}.") from error
    finally:
        part.unlink(missing_ok=True)


def restore(path: Path, *, other_key: bool, say: Say) -> None:
    """Write a backup into the empty database of this installation, and prove that it is the same.

    BackupError, before anything is written, for a file that is not as it was written, a database that is not empty, an
    older server, a backup of a newer Rollcall, and one made under another SECRET_KEY unless `other_key`.
    """
    reader = Reader(path)
    with contextlib.closing(reader):
        manifest = reader.manifest
        _require_fitting(manifest, other_key=other_key)
        say("Checking the backup")
        reader.check()
        files = [name for name in reader.names if name != _DATABASE]
        _require_free(files)
        say("Restoring the database")
        programs.restore(reader.open(_DATABASE))
        _require_same(manifest)
        call_command("migrate", verbosity=0)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        for name in files:
            default_storage.save(name.removeprefix(_FILES), File(reader.open(name)))
        say(f"{len(files)} files restored")
    for chain, head in manifest["audit"].items():
        verdict = verify(int(chain))
        if verdict.problem or [verdict.events, verdict.digest] != head:
            raise BackupError(f"The audit log of chain {chain} is not as it was: {verdict.problem or 'another end'}")
    say(f"{sum(head[0] for head in manifest['audit'].values())} audit events, all as written")


def _add_database(writer: Writer, say: Say) -> dict[str, Any]:
    """Dump the database and return the manifest, both of one snapshot."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("SELECT pg_export_snapshot()")
        (snapshot,) = cursor.fetchone()
        rows = _counted_rows()
        manifest = {
            "format": FORMAT,
            "rollcall": _version(),
            "made_at": timezone.now().isoformat(),
            "postgres": programs.server_version(),
            "secret_key": fingerprint(settings.SECRET_KEY),
            "migrations": [list(migration) for migration in sorted(applied_migrations())],
            "rows": rows,
            "audit": {head.chain: [head.position, head.digest] for head in AuditHead.objects.order_by("chain")},
        }
        say(f"Dumping {sum(rows.values()):,} rows")
        writer.add(_DATABASE, programs.dump(snapshot))
    return manifest


def _add_files(writer: Writer, say: Say) -> None:
    added = 0
    for name in _stored():
        try:
            file = default_storage.open(name)
        except FileNotFoundError:
            continue  # its time was over meanwhile
        with file:
            writer.add(f"{_FILES}{name}", read_in_chunks(file))
        added += 1
    say(f"{added} files added")


def _stored() -> Iterator[str]:
    for folder in FOLDERS:
        if default_storage.exists(folder):
            yield from (f"{folder}/{name}" for name in sorted(default_storage.listdir(folder)[1]))


def _require_fitting(manifest: dict[str, Any], *, other_key: bool) -> None:
    if manifest.get("format") != FORMAT:
        raise BackupError("The backup was made by another version of Rollcall, in a form that this one does not read.")
    newer = unknown_migrations({(app, name) for app, name in manifest["migrations"]})
    if newer:
        raise BackupError(
            f"The backup was made by a newer Rollcall ({manifest['rollcall']}): restore it with that version."
        )
    if programs.server_version() < manifest["postgres"]:
        raise BackupError(
            f"The backup was made on PostgreSQL {manifest['postgres']} and this server is "
            f"{programs.server_version()}: restore it into {manifest['postgres']} or newer."
        )
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    if not other_key and manifest["secret_key"] not in map(fingerprint, keys):
        raise BackupError(
            "The backup was made under another SECRET_KEY: put that one into SECRET_KEY or SECRET_KEY_FALLBACKS, or "
            "pass --other-key; then no stored secret can be read, and each has to be entered again."
        )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
        )
        (tables,) = cursor.fetchone()
    if tables:
        raise BackupError(
            f"The database {connection.settings_dict['NAME']} is not empty, it has {tables} tables: a backup is "
            "restored into a new one only."
        )


def _require_free(files: list[str]) -> None:
    """Refuse names that are none of ours, and files that are there."""
    for name in files:
        folder, _, rest = name.removeprefix(_FILES).partition("/")
        if not name.startswith(_FILES) or folder not in FOLDERS or not rest or "/" in rest or rest.startswith("."):
            raise BackupError(f"The backup holds a file {name!r}, which Rollcall never made.")
        if default_storage.exists(name.removeprefix(_FILES)):
            raise BackupError(f"{name.removeprefix(_FILES)} is there already: restore where no files are yet.")


def _require_same(manifest: dict[str, Any]) -> None:
    now = _counted_rows()
    other = [
        f"{table} ({rows}, now {now.get(table)})" for table, rows in manifest["rows"].items() if now.get(table) != rows
    ]
    if other:
        raise BackupError(f"Not every row came back: {', '.join(other)}. Drop the database and take another backup.")


def _counted_rows() -> dict[str, int]:
    """Return how many rows each table has that is dumped."""
    with connection.cursor() as cursor:
        tables = sorted(
            info.name
            for info in connection.introspection.get_table_list(cursor)
            if info.type == "t" and info.name != programs.NOT_DUMPED
        )
        counts = ", ".join(f"(SELECT count(*) FROM {connection.ops.quote_name(table)})" for table in tables)
        cursor.execute(f"SELECT {counts}")
        return dict(zip(tables, cursor.fetchone(), strict=True))


@contextlib.contextmanager
def _new(path: Path) -> Iterator[BufferedRandom]:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600), "w+b") as file:
        yield file


def _version() -> str:
    project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())
    return str(project["project"]["version"])
