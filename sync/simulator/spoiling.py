"""Faults applied to the rows of a page."""

import re
import zlib
from collections.abc import Collection
from typing import Any

import msgspec

from .serializers import Row, encode

ROW_FAULTS = frozenset(
    {
        "duplicate-ids",
        "null-user",
        "unknown-status",
        "unknown-field",
        "unknown-type",
        "int33",
        "int65",
        "dates-both-forms",
        "impossible-date",
        "percentage-minus-one",
        "nested-content",
        "undecodable-rows",
        "shrink",
    }
)
_ID_KEYS = (
    "id",
    "enrollment_id",
    "campaign_id",
    "store_purchase_id",
    "policy_id",
    "pst_id",
    "recipient_id",
)
_TYPE_KEYS = ("content_type", "type", "group_type", "duration_type", "frequency")
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def _grow_ids(row: Row, by: int) -> None:
    for key in _ID_KEYS:
        if isinstance(row.get(key), int):
            row[key] += by
    if isinstance(row.get("user"), dict):
        _grow_ids(row["user"], by)


def _swap_dates(row: Row) -> None:
    for key, value in row.items():
        if isinstance(value, str) and _STAMP.fullmatch(value):
            row[key] = value[:10]
        elif isinstance(value, str) and _DATE.fullmatch(value):
            row[key] = f"{value}T00:00:00.000Z"


def _break_dates(row: Row) -> None:
    for key, value in row.items():
        if isinstance(value, str) and _DATE.match(value):
            row[key] = f"2026-02-30{value[10:]}"


def _spoil_first(row: Row, faults: Collection[str]) -> None:
    if "null-user" in faults and "user" in row:
        row["user"] = None
    if "unknown-status" in faults and "status" in row:
        row["status"] = "Exempted"
    if "unknown-type" in faults:
        row.update({key: "Hologram" for key in _TYPE_KEYS if key in row})
    if "int33" in faults:
        _grow_ids(row, 1 << 33)
    if "int65" in faults:
        _grow_ids(row, 1 << 65)
    if "impossible-date" in faults:
        _break_dates(row)


def spoil(row_bytes: bytes, faults: dict[str, Any]) -> bytes:
    """Return a page's rows (joined by commas) with every given row fault committed on them.

    `faults` maps names to the switched-on faults, for their options.
    """
    rows: list[Row] = msgspec.json.decode(b"[" + row_bytes + b"]")
    if "shrink" in faults:
        rows = rows[: faults["shrink"].rows]
    for number, row in enumerate(rows):
        if number == 0:
            _spoil_first(row, faults)
        if "unknown-field" in faults:
            row["quantum_score"] = {"value": 0.5}
        if "dates-both-forms" in faults and number % 2:
            _swap_dates(row)
        if "percentage-minus-one" in faults and "completion_percentage" in row:
            row["completion_percentage"] = -1
        if "nested-content" in faults and "content" in row:
            row["content"] = [row["content"]]
        if "undecodable-rows" in faults:
            key = next((key for key in _ID_KEYS if key in row), None)
            if key and zlib.crc32(str(row[key]).encode()) / 4_294_967_296 < faults["undecodable-rows"].share:
                row[key] = "not a number"
    if rows and "duplicate-ids" in faults:
        rows.insert(1, rows[0])
    return b",".join(_encode_row(row) for row in rows)


_BIG = 1 << 63


def _encode_row(row: Row) -> bytes:
    """Return a row as JSON; integers past 64 bits, which the encoder refuses, are put in as text and unquoted."""
    if not any(isinstance(value, int) and value >= _BIG for value in (*row.values(), *_user_values(row))):
        return encode(row)
    text = encode(_mark(row))
    return re.sub(rb'"\x7f(\d+)"', rb"\1", text.replace(b"\\u007f", b"\x7f"))


def _user_values(row: Row) -> tuple[Any, ...]:
    user = row.get("user")
    return tuple(user.values()) if isinstance(user, dict) else ()


def _mark(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _mark(entry) for key, entry in value.items()}
    return f"\x7f{value}" if isinstance(value, int) and not isinstance(value, bool) and value >= _BIG else value
