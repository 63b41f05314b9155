"""Rows as JSON has them, held to what Rollcall expects of their fields: names, types, nulls, dates, words, ids."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any, cast

import msgspec
from msgspec import inspect

from sync.knowbe4 import payloads
from sync.knowbe4.api_check import documented
from sync.knowbe4.api_check.surprises import (
    DATE_FORMS,
    EMPTY,
    NOT_SYNCED,
    SET_ASIDE,
    UNKNOWN_WORDS,
    Effect,
    Surprises,
)
from sync.knowbe4.durations import parse_duration
from sync.knowbe4.payloads import Payload
from sync.knowbe4.rows import is_readable

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
DAY = re.compile(r"\d{4}-\d\d-\d\d")
FORMS = (
    ("no time", DAY),
    ("no milliseconds", re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\dZ")),
    ("another number of decimals", re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\.\d+Z")),
    ("an offset other than Z", re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?[+-]\d\d:?\d\d")),
    ("no zone", re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( UTC)?")),
)
# A number of as many bits needs more than 32 with its sign.
BITS = 32

TYPES = {bool: "true or false", int: "whole number", float: "decimal", str: "text", list: "list", dict: "object"}


@dataclass
class Shape:
    """Observations of one field: how often each JSON type came, the most digits of a whole number, and words.

    `other_words` may be anybody's: only their form is told.
    """

    types: Counter[str] = field(default_factory=Counter)
    digits: int = 0
    words: set[str] = field(default_factory=set)
    other_words: set[str] = field(default_factory=set)

    def as_json(self) -> dict[str, Any]:
        """Return it as the file has it."""
        told: dict[str, Any] = {"types": dict(sorted(self.types.items()))}
        if self.digits:
            told["digits"] = self.digits
        if self.words:
            told["words"] = sorted(self.words)
        if self.other_words:
            told["other_words"] = _form_of_all(self.other_words)
        return told


@dataclass
class Unknown:
    """A field that the payload does not have: its types, and the rows it came in."""

    types: Counter[str] = field(default_factory=Counter)
    rows: set[bytes] = field(default_factory=set)


class Examiner:
    """Holds the rows of one list to its payload. `is_synced`: a sync reads the list, too."""

    def __init__(self, place: str, payload: type[Payload], surprises: Surprises, *, is_synced: bool = True) -> None:
        self.place = place
        self.payload = payload
        self.surprises = surprises
        self.is_synced = is_synced
        self.shapes: dict[str, Shape] = defaultdict(Shape)
        # Which rows have an object at a path, each row once though it came on several pages.
        self._rows: dict[str, set[bytes]] = defaultdict(set)
        self._row = b""
        self._unknown: dict[str, dict[str, Unknown]] = defaultdict(lambda: defaultdict(Unknown))
        # By field: its label, and what Rollcall does with a word it does not know.
        self._other_words: dict[str, tuple[str, str]] = {}
        self._present: dict[str, Counter[str]] = defaultdict(Counter)
        self._payloads: dict[str, type[Payload]] = {}

    def examine(self, rows: list[Any]) -> None:
        """Look at more rows of the list."""
        for row in rows:
            if isinstance(row, dict):
                self._row = msgspec.json.encode(row.get(self.payload.__struct_fields__[0], row))
                self._object(row, self.payload, "")
            else:
                self.found("other-type", self.place, detail=_kind_of(row), readable=False)

    def finish(self, *, needless: frozenset[str] = frozenset()) -> None:
        """Tell what only all rows together tell: fields that never came but `needless` ones, unknown ones, words."""
        for path, fields in self._unknown.items():
            self._tell_unknown(path, fields)
        for name, (label, then) in self._other_words.items():
            self.found("other-word", label, detail=_form_of_all(self.shapes[name].other_words), then=then)
        for path, payload in self._payloads.items():
            absent = set(_fields(payload)) - set(self._present[path]) - needless
            for name in sorted(absent - documented.NOT_ALWAYS_SENT.get(payload, frozenset())):
                self._empty("missing-field", payload, name, self._label(path, name), is_missing=True)

    def found(
        self, kind: str, place: str, *, detail: str = "", then: str = "", effect: Effect | None = None,
        readable: bool = True,
    ) -> None:  # fmt: skip
        """Note a surprise; one that no row survives is told as that, unless no sync reads the list."""
        if not readable:
            then, effect = SET_ASIDE, Effect.SET_ASIDE
        if effect not in (None, Effect.READ) and not self.is_synced:
            then, effect = NOT_SYNCED, Effect.READ
        self.surprises.add(kind, place, detail=detail, then=then, effect=effect)

    def _label(self, path: str, name: str) -> str:
        return f"{self._dotted(path, name)} of {self.place}"

    def _object(self, row: Mapping[str, Any], payload: type[Payload], path: str) -> None:
        self._rows[path].add(self._row)
        self._payloads[path] = payload
        fields, present = _fields(payload), self._present[path]
        for key, value in row.items():
            name = key
            label = self._label(path, key)
            if key in fields:
                present[key] += 1
            elif key in payload.renamed and row.get(payload.renamed[key]) is None:
                name = payload.renamed[key]
                present[name] += 1
                self.found("old-name", label)
            else:
                unknown = self._unknown[path][key]
                unknown.types[_kind_of(value)] += 1
                unknown.rows.add(self._row)
                continue
            self._value(value, payload, name, fields[name], label, self._dotted(path, name))

    def _tell_unknown(self, path: str, fields: Mapping[str, Unknown]) -> None:
        """Tell unknown fields: by name what looks like a field and is shared by rows, for a name may be somebody's."""
        most = len(self._rows[path])
        shared = {
            name
            for name, unknown in fields.items()
            if documented.FIELD_NAME.fullmatch(name) and len(unknown.rows) > 1 and 2 * len(unknown.rows) >= most
        }
        others = fields.keys() - shared
        hidden = f"(names left out: {_form_of_all(others)})" if others else ""
        for name, unknown in fields.items():
            safe = name if name in shared else hidden
            self.found("unknown-field", self._label(path, safe))
            self.shapes[self._dotted(path, safe)].types.update(unknown.types)

    @staticmethod
    def _dotted(path: str, name: str) -> str:
        return f"{path}.{name}" if path else name

    def _value(self, value: Any, payload: type[Payload], name: str, info: inspect.Type, label: str, path: str) -> None:
        shape = self.shapes[path]
        shape.types[_kind_of(value)] += 1
        if type(value) is int:
            shape.digits = max(shape.digits, len(str(abs(value))))
        nullable = isinstance(info, inspect.UnionType) and info.includes_none
        expected = _without_none(info)
        if value is None:
            if not nullable or name in documented.NEVER_NULL.get(payload, frozenset()):
                self._empty("null", payload, name, label)
            return
        match expected:
            case inspect.StructType() if isinstance(value, dict):
                self._object(value, cast(type[Payload], expected.cls), path)
            case inspect.StrType() if isinstance(value, str):
                self._word(value, payload, name, label, path)
            case inspect.DateTimeType() | inspect.DateType():
                self._date(value, expected, label, is_readable(payload, name, value))
            case inspect.ListType():
                self._list(value, expected, label, path, partial(is_readable, payload, name, value))
            case _ if not _fits(value, expected):
                detail = f"{_with_article(_kind_of(value))} for {_with_article(_name_of(expected))}"
                self.found("other-type", label, detail=detail, readable=is_readable(payload, name, value))
            case inspect.IntType() if value.bit_length() >= BITS:
                readable = is_readable(payload, name, value)
                self.found("large-id" if _is_id(name) else "large-number", label, readable=readable)

    def _list(self, value: Any, info: inspect.ListType, label: str, path: str, is_read: Callable[[], bool]) -> None:
        if not isinstance(value, list):
            detail = f"{_with_article(_kind_of(value))} for a list"
            self.found("other-type", label, detail=detail, readable=is_read())
            return
        items = []
        for item in value:
            if isinstance(item, list):
                self.found("nested-list", label, readable=is_read())
                items += item
            else:
                items.append(item)
        expected = _without_none(info.item_type)
        for item in items:
            if isinstance(expected, inspect.StructType) and isinstance(item, dict):
                self._object(item, cast(type[Payload], expected.cls), path)
            elif not _fits(item, expected):
                detail = f"lists of {_with_article(_kind_of(item))} for {_with_article(_name_of(expected))}"
                self.found("other-type", label, detail=detail, readable=is_read())

    def _date(self, value: Any, info: inspect.Type, label: str, readable: bool) -> None:
        is_day = isinstance(info, inspect.DateType)
        if value == "" and readable:
            self.found("empty-date", label)
        elif not readable:
            self.found("unreadable-date", label)
        elif is_day and not DAY.fullmatch(value):
            self.found("day-as-moment", label)
        elif not is_day and not MOMENT.fullmatch(value):
            form = next((name for name, pattern in FORMS if pattern.fullmatch(value)), "another form")
            self.found("date-form", label, detail=form, then=DATE_FORMS.get(form, ""))

    def _word(self, value: str, payload: type[Payload], name: str, label: str, path: str) -> None:
        if payload is payloads.Campaign and name == "relative_duration":
            if value and parse_duration(value) == (None, None):
                self.found("unknown-duration", label, detail=_form_of(value))
            return
        known = documented.WORDS.get((payload, name))
        word = value.strip()
        if known is None or not word:
            return
        then = UNKNOWN_WORDS.get((payload, name), "")
        if not documented.is_publishable(word):
            self.shapes[path].other_words.add(word)
            self._other_words[path] = label, then
            return
        self.shapes[path].words.add(word)
        if word.lower() not in known:
            self.found("unknown-word", label, detail=word, then=then)

    def _empty(self, kind: str, payload: type[Payload], name: str, label: str, *, is_missing: bool = False) -> None:
        """Note a null, or a field that never came, where there should be a value."""
        if (payload, name) in EMPTY:
            then, effect = EMPTY[payload, name]
            self.found(kind, label, then=then, effect=effect)
        else:
            lost = _is_required(payload, name) if is_missing else not is_readable(payload, name, None)
            self.found(kind, label, readable=not lost)


@cache
def _fields(payload: type[Payload]) -> Mapping[str, inspect.Type]:
    info = cast(inspect.StructType, inspect.type_info(payload))
    return {field.encode_name: field.type for field in info.fields}


@cache
def _required(payload: type[Payload]) -> frozenset[str]:
    info = cast(inspect.StructType, inspect.type_info(payload))
    return frozenset(field.encode_name for field in info.fields if field.required)


def _is_required(payload: type[Payload], name: str) -> bool:
    return name in _required(payload)


def _is_id(name: str) -> bool:
    return name == "id" or name.endswith("_id")


def _without_none(info: inspect.Type) -> inspect.Type:
    if not isinstance(info, inspect.UnionType):
        return info
    members = [member for member in info.types if not isinstance(member, inspect.NoneType)]
    return members[0] if len(members) == 1 else inspect.UnionType(tuple(members))


def _fits(value: Any, info: inspect.Type) -> bool:
    match info:
        case inspect.UnionType():
            return any(_fits(value, member) for member in info.types)
        case inspect.StrType():
            return isinstance(value, str)
        case inspect.BoolType():
            return isinstance(value, bool)
        case inspect.IntType():
            return type(value) is int
        case inspect.FloatType():
            return isinstance(value, int | float) and not isinstance(value, bool)
        case _:
            return False


def _name_of(info: inspect.Type) -> str:
    names = {
        inspect.StrType: "text", inspect.BoolType: "true or false", inspect.IntType: "whole number",
        inspect.FloatType: "decimal", inspect.StructType: "object", inspect.ListType: "list",
    }  # fmt: skip
    return names.get(type(info), "text or whole number")


def _kind_of(value: Any) -> str:
    """Return the JSON type in words; texts that are dates are told apart."""
    if value is None:
        return "null"
    if isinstance(value, str):
        return "moment" if MOMENT.fullmatch(value) else "day" if DAY.fullmatch(value) else "text"
    return TYPES[type(value)]


def _with_article(name: str) -> str:
    articles = {"whole number": "a", "decimal": "a", "list": "a", "object": "an", "day": "a", "moment": "a"}
    return f"{articles[name]} {name}" if name in articles else name


def _form_of(value: str) -> str:
    """Return a text with 9 for each digit, a for each letter and nothing of what it said."""
    return re.sub(r"[^\W\d]+", "a", re.sub(r"\d+", "9", value))[:20]


def _form_of_all(texts: Collection[str]) -> str:
    """Return how many texts there are, how long and of which characters, and nothing of what they said."""
    lengths = sorted(len(text) for text in texts)
    length = f"{lengths[0]}" if lengths[0] == lengths[-1] else f"{lengths[0]} to {lengths[-1]}"
    joined = "".join(texts)
    if joined.isalpha():
        of = "all letters"
    elif all(character.isalpha() or character in " _-" for character in joined):
        of = "letters, spaces and hyphens"
    else:
        of = "not only letters"
    count = "one" if len(lengths) == 1 else f"{len(lengths)} different ones"
    return f"{count} of {length} character{'' if length == '1' else 's'}, {of}"
