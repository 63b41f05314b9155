"""Rows into a table by COPY, the fastest way in from Python.

A JSON array of plain values is a CSV line in brackets, but for the escapes of control characters; JSON is written at
C speed.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
from django.db import connection

_NULL = "\\N"
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\x00": None})

_encode = msgspec.json.Encoder().encode
_encode_lines = msgspec.json.Encoder().encode_lines
_JSON_ESCAPE = re.compile(rb"\\(?:u00([0-9a-f]{2})|(.))")
_CONTROLS = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}

Column = Sequence[Any]


def copy_rows(cursor: Any, table: str, columns: Sequence[tuple[str, str]], rows: Sequence[tuple[Any, ...]]) -> None:
    """Write rows into a table, whose name is quoted already; `columns` names those they fill, with Postgres' types.

    A NUL character, which Postgres cannot hold, is left out. Errors are Django's.
    """
    names = ", ".join(f'"{name}"' for name, _ in columns)
    statement = f"COPY {table} ({names}) FROM STDIN WITH (FORMAT csv, ESCAPE '\\', NULL 'null')"
    with connection.wrap_database_errors, cursor.copy(statement) as copy:
        copy.write(csv_lines(rows, [kind for _, kind in columns]))


def csv_lines(rows: Sequence[tuple[Any, ...]], types: Sequence[str]) -> bytes:
    """Return the rows as CSV in UTF-8, quotes escaped by a backslash and nulls written `null`.

    `types` names each column's Postgres type: what stands in a `jsonb` column is written as JSON. A NUL character is
    left out.
    """
    if not rows:
        return b""
    nested = [number for number, kind in enumerate(types) if kind == "jsonb"]
    if nested:
        rows = [tuple(_with_json_as_text(row, nested)) for row in rows]
    lines = _encode_lines(rows)[1:-2].replace(b"]\n[", b"\n") + b"\n"
    return _JSON_ESCAPE.sub(_csv_escape, lines) if b"\\" in lines else lines


def _with_json_as_text(row: tuple[Any, ...], nested: Sequence[int]) -> list[Any]:
    values = list(row)
    for number in nested:
        if values[number] is not None:
            values[number] = _encode(values[number]).decode()
    return values


def _csv_escape(match: re.Match[bytes]) -> bytes:
    """Return what CSV has for an escape of JSON's: the character itself, but for quotes and backslashes."""
    code, letter = match.groups()
    if code is not None:
        return bytes.fromhex(code.decode()).replace(b"\x00", b"")
    return _CONTROLS.get(letter, match[0])


def copy_lines(rows: Iterable[tuple[Any, ...]], types: Sequence[str]) -> bytes:
    """Return the rows as COPY text lines in UTF-8; `types` names each column's Postgres type.

    A NUL character, which Postgres cannot hold, is left out. KeyError for a type that is not known here.
    """
    columns = [_WRITERS[kind](column) for kind, column in zip(types, zip(*rows, strict=True), strict=False)]
    return "".join([line + "\n" for line in map("\t".join, zip(*columns, strict=True))]).encode()


def _text(column: Column) -> Column:
    whole = "".join(column)
    if whole.isprintable() and "\\" not in whole:
        return column
    return [value.translate(_ESCAPES) for value in column]


def _plain(column: Column) -> Column:
    """Write numbers, moments and flags: JSON spells them as Postgres reads them, and none of them holds a comma."""
    whole = msgspec.json.encode(column).decode()
    return whole[1:-1].replace('"', "").replace("null", _NULL).split(",")


def _json(column: Column) -> Column:
    return [_NULL if value is None else msgspec.json.encode(value).decode().translate(_ESCAPES) for value in column]


_WRITERS: dict[str, Callable[[Column], Column]] = {
    "text": _text,
    "bigint": _plain,
    "int": _plain,
    "float8": _plain,
    "timestamptz": _plain,
    "boolean": _plain,
    "jsonb": _json,
}
