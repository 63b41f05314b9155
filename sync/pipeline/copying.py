"""Rows as Postgres' COPY text format, the fastest way in from Python."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import msgspec

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\x00": None})


def copy_lines(rows: Iterable[tuple[Any, ...]]) -> bytes:
    """Return the rows as COPY text lines in UTF-8. A NUL character, which Postgres cannot hold, is left out."""
    return "".join(["\t".join([_field(value) for value in row]) + "\n" for row in rows]).encode()


def _field(value: Any) -> str:
    kind = type(value)
    if value is None:
        return "\\N"
    if kind is str:
        return value.translate(_ESCAPES) if not value.isprintable() or "\\" in value else value
    if kind is int or kind is float:
        return repr(value)
    if kind is bool:
        return "t" if value else "f"
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return msgspec.json.encode(value).decode().translate(_ESCAPES)
    raise TypeError(f"No COPY form for {kind.__name__}")
