"""CSV by the database itself: `COPY (SELECT ...) TO STDOUT`, for lists that may have a million rows.

Postgres writes the bytes and they pass through here a chunk at a time, so memory does not grow with the list.
"""

from collections.abc import Iterator, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from psycopg import ClientCursor, sql

from dashboard.exports.columns import Column, Kind
from dashboard.exports.neutral import neutral_sql
from dashboard.queries.statement import Statement

# Bytes per chunk: few enough to reach a browser soon, so many that writing them costs next to nothing.
CHUNK = 256 * 1024


def copied(statement: Statement, columns: Sequence[Column], zone: ZoneInfo) -> Iterator[tuple[bytes, int]]:
    """Yield the rows of a statement as CSV with CRLF, in chunks, each with how many rows it has.

    Must be asked for inside a transaction in the reader's scope. Whoever stops asking cancels the query.
    """
    connection.ensure_connection()
    raw = connection.connection
    with raw.cursor() as cursor:
        # Bare dates and times are written as 2026-09-30 whatever the server prefers.
        cursor.execute("SET LOCAL datestyle TO 'ISO, YMD'")
        # COPY takes no parameters: the driver writes every value as a literal, quoted by the server's own rules.
        question = ClientCursor(raw).mogrify(*statement_of_copy(statement, columns, zone))
        with cursor.copy(sql.SQL("COPY ({}) TO STDOUT (FORMAT csv)").format(sql.SQL(question))) as rows:
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


def _with_crlf(rows: list[bytes]) -> bytes:
    """Join rows, each as Postgres sends it (one message, ended by a line feed), with the line ends of RFC 4180."""
    joined = b"".join(rows)
    if joined.count(b"\n") == len(rows):
        return joined.replace(b"\n", b"\r\n")
    return b"".join(bytes(row[:-1]) + b"\r\n" for row in rows)  # a line feed inside a value stays what it is


def statement_of_copy(statement: Statement, columns: Sequence[Column], zone: ZoneInfo) -> tuple[str, dict[str, Any]]:
    """Return the SQL that writes raw columns as CSV has them (`Column.text` in the database's words), its values."""
    written = ", ".join(_expression(column, place) for place, column in enumerate(columns))
    if len(columns) == 1:
        # A row of nothing would be an empty line, which readers pass over: it is written as "".
        written = f"coalesce(({written})::text, '')"
    sql = f"SELECT {written} FROM ({statement.select(column.key for column in columns)}) raw"  # noqa: S608 - ours
    return sql, {**statement.values, **_words(columns, zone)}


def _expression(column: Column, place: int) -> str:
    name = f"raw.{column.key}"
    if column.kind == Kind.DAY:
        return f"({name} AT TIME ZONE %(export_zone)s)::date"
    if column.kind == Kind.MOMENT:
        return f"date_trunc('second', {name} AT TIME ZONE %(export_zone)s)"
    if column.kind == Kind.STATE:
        cases = "".join(
            f" WHEN %(export_{place}_{number}_value)s THEN %(export_{place}_{number}_word)s"
            for number in range(len(column.words))
        )
        return f"CASE {name}{cases} ELSE {neutral_sql(name)} END" if cases else neutral_sql(name)
    if column.kind in {Kind.TEXT, Kind.LINK}:
        return neutral_sql(name)
    return name


def _words(columns: Sequence[Column], zone: ZoneInfo) -> dict[str, str]:
    values = {"export_zone": zone.key}
    for place, column in enumerate(columns):
        for number, (value, word) in enumerate(column.words.items()):
            values[f"export_{place}_{number}_value"] = value
            values[f"export_{place}_{number}_word"] = str(word)
    return values
