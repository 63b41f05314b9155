"""Rows by the database itself: `COPY (SELECT ...) TO STDOUT`, for lists that may have a million of them.

CSV is written by Postgres and passes through here a chunk at a time, so memory does not grow with the list. For
workbooks it writes values as text, days and moments as the numbers that spreadsheets count them by: making dates of
them here, only to count them, takes longer than everything else.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from psycopg import ClientCursor, sql

from dashboard.exports.columns import YES_NO, Column
from dashboard.exports.csv_injection import neutralize_sql
from dashboard.figures.select_query import SelectQuery
from dashboard.queries.fields import Kind

# The day before the first that spreadsheets know, and what COPY writes for letters that would end a value.
EPOCH = "1899-12-30"
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_LETTERS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
# Bytes per chunk: few enough to reach a browser soon, so many that writing them costs next to nothing.
CHUNK = 256 * 1024


@dataclass(frozen=True)
class Dialect:
    """Separator and decimal sign of a CSV file: the sign is a comma where the separator is none."""

    separator: str = ","

    @property
    def decimal(self) -> str:
        """The sign before decimals, as countries with this separator write it."""
        return "." if self.separator == "," else ","


COMMAS, SEMICOLONS = Dialect(","), Dialect(";")


def copied(
    select_query: SelectQuery, columns: Sequence[Column], zone: ZoneInfo, dialect: Dialect, ends: Sequence[str]
) -> Iterator[tuple[bytes, int]]:
    """Yield the rows of a query as CSV with CRLF, in chunks, each with how many rows it has.

    `ends` are texts that every row ends with. Must be asked for inside a transaction in the reader's scope. Whoever
    stops asking cancels the query.
    """
    form = f"csv, DELIMITER '{dialect.separator}'"
    with _copy(*copy_query(select_query, columns, zone, dialect, ends), form) as rows:
        waiting: list[bytes] = []
        size = 0
        for row in rows:
            waiting.append(row)
            size += len(row)
            if size >= CHUNK:
                yield _with_crlf(waiting), len(waiting)
                waiting, size = [], 0
        if waiting:
            yield _with_crlf(waiting), len(waiting)


def counted(select_query: SelectQuery, columns: Sequence[Column], zone: ZoneInfo) -> Iterator[list[str | None]]:
    """Yield the rows of a query as a workbook takes them: texts, and numbers as text; None for nothing.

    A choice is its value, without its word; yes and no are `t` and `f`. Must be asked for inside a transaction in the
    reader's scope.
    """
    values = {**select_query.values, "export_zone": zone.key}
    written = ", ".join(_number(column) for column in columns)
    names = (column.key for column in columns)
    with _copy(f"SELECT {written} FROM ({select_query.select(names)}) raw", values, "text") as rows:  # noqa: S608 - ours
        for row in rows:
            line = str(row, "utf-8")[:-1]
            yield [_unescaped(text) if "\\" in text else text for text in line.split("\t")]


def _unescaped(text: str) -> str | None:
    return None if text == "\\N" else _ESCAPED.sub(lambda found: _LETTERS.get(found[1], found[1]), text)


@contextmanager
def _copy(question: str, values: Mapping[str, Any], form: str) -> Iterator[Iterable[Any]]:
    """Have the database write out the rows of a SELECT, each as one message; its errors are Django's."""
    connection.ensure_connection()
    raw = connection.connection
    with connection.wrap_database_errors, raw.cursor() as cursor:
        # Bare dates and times are written as 2026-09-30 whatever the server prefers.
        cursor.execute("SET LOCAL datestyle TO 'ISO, YMD'")
        # COPY takes no parameters: the driver writes every value as a literal, quoted by the server's own rules.
        select = sql.SQL(ClientCursor(raw).mogrify(question, values))
        with cursor.copy(sql.SQL("COPY ({}) TO STDOUT (FORMAT {})").format(select, sql.SQL(form))) as rows:
            yield rows


def _with_crlf(rows: list[bytes]) -> bytes:
    """Join rows, each as Postgres sends it (one message, ended by a line feed), with the line ends of RFC 4180."""
    joined = b"".join(rows)
    if joined.count(b"\n") == len(rows):
        return joined.replace(b"\n", b"\r\n")
    return b"".join(bytes(row[:-1]) + b"\r\n" for row in rows)  # a line feed inside a value stays what it is


def copy_query(
    select_query: SelectQuery,
    columns: Sequence[Column],
    zone: ZoneInfo,
    dialect: Dialect = COMMAS,
    ends: Sequence[str] = (),
) -> tuple[str, dict[str, Any]]:
    """Return the SQL that writes raw columns as CSV has them (`Column.text` in the database's words), its values."""
    written = [_expression(column, place, dialect) for place, column in enumerate(columns)]
    written += [f"%(export_end_{place})s::text" for place in range(len(ends))]
    sql = f"SELECT {', '.join(written)} FROM ({select_query.select(column.key for column in columns)}) raw"  # noqa: S608 - ours
    told = {f"export_end_{place}": text for place, text in enumerate(ends)}
    return sql, {**select_query.values, **_words(columns, zone), **told}


def _expression(column: Column, place: int, dialect: Dialect) -> str:
    name = f"raw.{column.key}"
    if column.kind == Kind.NUMBER and dialect.decimal != ".":
        return f"replace({name}::text, '.', '{dialect.decimal}')"
    if column.kind == Kind.DAY:
        return f"({name} AT TIME ZONE %(export_zone)s)::date"
    if column.kind == Kind.MOMENT:
        return f"date_trunc('second', {name} AT TIME ZONE %(export_zone)s)"
    if column.kind == Kind.BOOLEAN:
        return f"CASE WHEN {name} THEN %(export_yes)s ELSE %(export_no)s END"
    if column.kind == Kind.CHOICE:
        cases = "".join(
            f" WHEN %(export_{place}_{number}_value)s THEN %(export_{place}_{number}_word)s"
            for number in range(len(column.words))
        )
        return f"CASE {name}{cases} ELSE {neutralize_sql(name)} END" if cases else neutralize_sql(name)
    if column.kind == Kind.TEXT:
        return neutralize_sql(name)
    return name


def _number(column: Column) -> str:
    """Return the SQL of a column as a sheet counts it: days since the first, a part of a day for the time of it."""
    local = f"raw.{column.key} AT TIME ZONE %(export_zone)s"
    if column.kind == Kind.DAY:
        return f"({local})::date - DATE '{EPOCH}'"
    if column.kind == Kind.MOMENT:
        return f"extract(epoch FROM date_trunc('second', {local}) - TIMESTAMP '{EPOCH}')::float8 / 86400"
    return f"raw.{column.key}"


def _words(columns: Sequence[Column], zone: ZoneInfo) -> dict[str, str]:
    values = {"export_zone": zone.key, "export_yes": str(YES_NO[True]), "export_no": str(YES_NO[False])}
    for place, column in enumerate(columns):
        for number, (value, word) in enumerate(column.words.items()):
            values[f"export_{place}_{number}_value"] = value
            values[f"export_{place}_{number}_word"] = str(word)
    return values
