"""From JSON to typed rows: whole pages at once, odd rows one by one, hopeless rows set aside with their reason."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import inspect, structs

from sync.knowbe4.payloads import Payload

T = TypeVar("T", bound=Payload)

RAW_LIMIT = 2_000
WHOLE_NUMBER = re.compile(r"-?[0-9]{1,19}")
NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")
TRUTHS = {"true": True, "false": False, "1": True, "0": False}
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
NAIVE_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?( UTC)?")
UNDECODABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


@dataclass(frozen=True)
class Rejected:
    """A row that could not be understood: its JSON text (cut at 2,000 characters) and why."""

    raw: str
    reason: str


class RowDecoder(Generic[T]):
    """Decodes rows of one payload type."""

    def __init__(self, payload: type[T]) -> None:
        self.payload = payload
        self._page = msgspec.json.Decoder(list[payload])  # type: ignore[valid-type]
        self._row = msgspec.json.Decoder(payload)
        self._rows = msgspec.json.Decoder(list[msgspec.Raw])
        self._info = inspect.type_info(payload)
        self._old_keys = tuple(json.dumps(key).encode() for key in sorted(_silent_old_keys(self._info)))

    def page(self, array: bytes) -> tuple[list[T], list[Rejected]]:
        """Return the rows of a JSON array and those that do not decode; msgspec.DecodeError when it is no array."""
        if not self._needs_mending(array):
            try:
                return self._page.decode(array), []
            except (msgspec.ValidationError, UnicodeDecodeError):
                return self._one_by_one(array)
        return self._one_by_one(array)

    def one(self, row: bytes) -> T:
        """Return one row, mended if it is in an earlier or unusual form; msgspec.ValidationError if that fails too."""
        if self._needs_mending(row):
            return self._mend(row)
        try:
            return self._row.decode(row)
        except msgspec.ValidationError:
            return self._mend(row)

    def _one_by_one(self, array: bytes) -> tuple[list[T], list[Rejected]]:
        items: list[T] = []
        rejected: list[Rejected] = []
        for raw in self._rows.decode(array):
            row = bytes(raw)
            try:
                items.append(self.one(row))
            except UNDECODABLE as error:
                rejected.append(Rejected(row.decode("utf-8", "replace")[:RAW_LIMIT], str(error)))
        return items, rejected

    def _needs_mending(self, text: bytes) -> bool:
        # A renamed optional key would be skipped in silence; Postgres has no text with a NUL in it.
        if b"\\" in text and b"\\u0000" in text:
            return True
        return any(key in text for key in self._old_keys)

    def _mend(self, row: bytes) -> T:
        return msgspec.convert(_mended(msgspec.json.decode(row), self._info), self.payload)


def is_readable(payload: type[Payload], name: str, value: Any) -> bool:
    """Return whether a row is read with `value`, as JSON has it, in its field `name`, mended where it must be."""
    is_required, kind, info = _field(payload, name)
    if value is None and not is_required:
        return True
    try:
        msgspec.convert(_mended(value, info), kind)
    except UNDECODABLE:
        return False
    return True


@cache
def _field(payload: type[Payload], name: str) -> tuple[bool, Any, inspect.Type]:
    """Return whether a field is required, its type, and what msgspec says of that."""
    field = next(field for field in structs.fields(payload) if field.encode_name == name)
    return field.required, field.type, inspect.type_info(field.type)


@cache
def decoder(payload: type[T]) -> RowDecoder[T]:
    """Return the one decoder of `payload`."""
    return RowDecoder(payload)


def _silent_old_keys(info: inspect.Type) -> set[str]:
    """Return the earlier keys of optional fields, at any depth; required ones are missed loudly."""
    match info:
        case inspect.StructType():
            optional = {field.encode_name for field in info.fields if not field.required}
            own = {old for old, new in _renamed(info).items() if new in optional}
            return own.union(*(_silent_old_keys(field.type) for field in info.fields))
        case inspect.ListType():
            return _silent_old_keys(info.item_type)
        case inspect.UnionType():
            return set().union(*(_silent_old_keys(member) for member in info.types))
        case _:
            return set()


def _mended(value: Any, info: inspect.Type) -> Any:
    """Return `value` in the form today's documentation gives it; what fits no known oddity stays as it is."""
    match info:
        case inspect.UnionType():
            if value is None or (value == "" and _is_time(info)):
                return None
            members = [member for member in info.types if not isinstance(member, inspect.NoneType)]
            return _mended(value, members[0]) if len(members) == 1 else _text(value)
        case inspect.StructType() if isinstance(value, dict):
            return _mended_row(value, info)
        case inspect.ListType() if isinstance(value, list):
            flat: list[Any] = []
            for item in value:
                flat.extend(item if isinstance(item, list) else [item])
            return [_mended(item, info.item_type) for item in flat]
        case inspect.DateTimeType() if isinstance(value, str):
            return _mended_moment(value)
        case inspect.DateType() if isinstance(value, str) and "T" in value:
            return _mended_date(value)
        case inspect.StrType():
            return _text(value)
        case inspect.IntType():
            return _mended_integer(value)
        case inspect.FloatType() if isinstance(value, str) and NUMBER.fullmatch(value):
            return float(value)
        case inspect.BoolType():
            return _mended_truth(value)
        case _:
            return value


def _renamed(info: inspect.StructType) -> Mapping[str, str]:
    return info.cls.renamed if issubclass(info.cls, Payload) else {}


def _mended_row(row: dict[str, Any], info: inspect.StructType) -> dict[str, Any]:
    row = dict(row)
    for old, new in _renamed(info).items():
        if old in row and row.get(new) is None:
            row[new] = row[old]
    mended = {}
    for field in info.fields:
        key = field.encode_name
        if key not in row or (row[key] is None and not field.required and not _nullable(field.type)):
            continue
        mended[key] = _mended(row[key], field.type)
    return mended


def _mended_moment(value: str) -> str:
    """Return a moment with its time and zone: KnowBe4 also sends the day alone, and means UTC."""
    if DATE.fullmatch(value):
        return f"{value}T00:00:00Z"
    return f"{value.removesuffix(' UTC')}Z" if NAIVE_MOMENT.fullmatch(value) else value


def _mended_date(value: str) -> Any:
    """Return the day of a timestamp: KnowBe4 sends days both ways."""
    return msgspec.convert(_mended_moment(value), type=datetime).date()


def _mended_integer(value: Any) -> Any:
    if isinstance(value, dict):  # a group in full where its id belongs (expand=group)
        return value.get("id", value.get("group_id", value))
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return int(value) if isinstance(value, str) and WHOLE_NUMBER.fullmatch(value) else value


def _mended_truth(value: Any) -> Any:
    """Return true or false for the words and the numbers that say so."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return value
    return TRUTHS.get(str(value).lower(), value)


def _text(value: Any) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value.replace("\0", "") if isinstance(value, str) else value


def _nullable(info: inspect.Type) -> bool:
    return isinstance(info, inspect.UnionType) and info.includes_none


def _is_time(info: inspect.UnionType) -> bool:
    return any(isinstance(member, inspect.DateTimeType | inspect.DateType) for member in info.types)
