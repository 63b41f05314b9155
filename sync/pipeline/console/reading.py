"""The uploaded file as rows of a temporary table, where set-based SQL can compare them with the mirror."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.db import connection
from psycopg import sql

from sync.console.columns import Field, detect, missing, signature
from sync.console.moments import Order
from sync.console.records import BadRow, ConsoleRow, RowReader, Survey, survey
from sync.console.source import Source, open_source
from sync.models import Account, ConsoleImport, Enrollment
from sync.pipeline.copying import copy_lines

BATCH = 5_000

_TYPES: dict[str, str] = {
    "line": "int",
    "enrollment_id": "bigint",
    "is_policy": "boolean",
    "enrolled_at": "timestamptz",
    "started_at": "timestamptz",
    "completed_at": "timestamptz",
    "due_at": "timestamptz",
    "extended_at": "timestamptz",
    "time_spent": "int",
    "score": "float8",
    "policy_acknowledged": "boolean",
    "is_archived": "boolean",
}
# Everything else is text.
COLUMNS = tuple((name, _TYPES.get(name, "text")) for name in ConsoleRow._fields)
TABLES = ("console_row", "console_fact", "console_person", "console_candidate", "console_match", "console_decision")


@dataclass(frozen=True)
class Reading:
    """A file ready to be loaded: how its columns are read, and what still stands against it."""

    source: Source
    survey: Survey
    columns: dict[Field, int]
    orders: dict[Field, Order | None]
    asked: list[Field]
    problems: list[str]
    is_whole: bool


@dataclass
class Loaded:
    """Result of loading: good rows, by number, and the bad ones."""

    rows: int = 0
    bad: list[BadRow] = field(default_factory=list)


def is_whole_source(account: Account) -> bool:
    """Return whether the file is all this account has: no key, and nothing that ever came from KnowBe4's API.

    What is made from files has negative ids; KnowBe4's own are positive.
    """
    return not account.encrypted_key and not Enrollment.objects.filter(account=account, knowbe4_id__gt=0).exists()


def open_import(imported: ConsoleImport) -> Reading:
    """Return the file ready to be loaded, its columns as chosen, remembered or known by name, in this order.

    The mapping in use is written to the import (unsaved). FileUnreadableError when it is no CSV.
    """
    source = open_source(imported.original)
    headers = source.headers()
    imported.signature = signature(headers)
    mapping = imported.mapping if imported.is_mapping_chosen else _remembered(imported)
    columns = {Field(name): index for name, index in (mapping or {}).get("columns", {}).items() if index < len(headers)}
    if not mapping:
        columns = detect(headers)
    chosen = (mapping or {}).get("order") or ""
    imported.mapping = {"columns": dict(columns), "order": chosen}
    found = survey(source, columns)
    asked = found.open_dates(columns)
    fallback = Order(chosen) if chosen else None
    orders = {name: found.order(columns[name]) or fallback for name in columns if columns[name] in found.votes}
    is_whole = is_whole_source(imported.account)
    problems = missing(columns, is_whole=is_whole)
    if asked and fallback is None:
        names = " and ".join(f"“{headers[columns[name]]}”" for name in asked)
        problems.append(f"Choose the order of day and month: the dates of {names} fit both.")
    if not found.rows:
        problems.append("The file names its columns and holds no rows.")
    return Reading(source, found, columns, orders, asked, problems, is_whole)


def _remembered(imported: ConsoleImport) -> dict[str, Any] | None:
    """Return the mapping somebody chose for an earlier file of the account with the same headers."""
    earlier = (
        ConsoleImport.objects.filter(
            account_id=imported.account_id, signature=imported.signature, is_mapping_chosen=True
        )
        .exclude(pk=imported.pk)
        .order_by("-pk")
        .only("mapping")
        .first()
    )
    return earlier.mapping if earlier else None


@contextmanager
def temporary_tables() -> Iterator[None]:
    """Leave none of this package's temporary tables behind on the connection."""
    _drop()
    try:
        yield
    finally:
        if connection.is_usable() and not connection.needs_rollback:
            _drop()


def _drop() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {', '.join(f'pg_temp.{table}' for table in TABLES)}")


def load(imported: ConsoleImport, reading: Reading, *, on_progress: Callable[[int], None]) -> Loaded:
    """Fill `console_row` with the file's good rows and return the bad ones; `on_progress` is told the rows read."""
    reader = RowReader(
        reading.survey.headers,
        reading.columns,
        zone=imported.account.zone,
        orders=reading.orders,
        is_whole=reading.is_whole,
    )
    loaded = Loaded()
    columns = ", ".join(name for name, _ in COLUMNS)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE console_row ({', '.join(f'{name} {kind}' for name, kind in COLUMNS)})")
        read = 0
        rows = reader.rows(reading.source.records())
        while batch := list(islice(rows, BATCH)):
            good = [row for row in batch if isinstance(row, ConsoleRow)]
            loaded.bad += [row for row in batch if isinstance(row, BadRow)]
            statement = sql.SQL(f"COPY pg_temp.console_row ({columns}) FROM STDIN")
            with connection.wrap_database_errors, cursor.copy(statement) as copy:
                copy.write(copy_lines(good, [kind for _, kind in COLUMNS]))
            loaded.rows += len(good)
            read += len(batch)
            on_progress(read)
        cursor.execute("ANALYZE pg_temp.console_row")
    return loaded
