"""Fields of the API's rows, in JSON, in CSV and in the description."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from dashboard.exports.csv_injection import neutralize
from dashboard.queries.fields import Field, Kind
from dashboard.web.problems import Problem

_TYPES: dict[Kind, dict[str, Any]] = {
    Kind.TEXT: {"type": "string"},
    Kind.CHOICE: {"type": "string"},
    Kind.ID: {"type": "integer"},
    Kind.INTEGER: {"type": "integer"},
    Kind.NUMBER: {"type": "number"},
    Kind.RATE: {"type": "number"},
    Kind.BOOLEAN: {"type": "boolean"},
    Kind.MOMENT: {"type": "string", "format": "date-time"},
    Kind.DAY: {"type": "string", "format": "date"},
    Kind.OBJECTS: {"type": "array"},
}


def schema_of_value(field: Field) -> dict[str, Any]:
    """Return the JSON Schema of a field's value."""
    found = dict(_TYPES[field.kind])
    if field.parts:
        found["items"] = schema_of(field.parts)
    if field.words:
        found["enum"] = [*field.words, *([None] if field.can_be_null else [])]
    if field.can_be_null:
        found["type"] = [found["type"], "null"]
    return {**found, "description": field.meaning, "examples": [field.example]}


def schema_of(fields: Iterable[Field], *, is_whole: bool = True) -> dict[str, Any]:
    """Return the JSON Schema of an object with these fields; without `is_whole` the caller may have chosen some."""
    fields = tuple(fields)
    found: dict[str, Any] = {
        "type": "object",
        "properties": {field.name: schema_of_value(field) for field in fields},
        "additionalProperties": False,
    }
    if is_whole:
        found["required"] = [field.name for field in fields]
    return found


def example_of(fields: Iterable[Field]) -> dict[str, Any]:
    """Return an object with every field's example."""
    return {field.name: field.example for field in fields}


def chosen(fields: Sequence[Field], wanted: str) -> list[Field]:
    """Return the fields named in `wanted`, separated by commas, in their own order; all without any.

    Problem 400 for a name that is none.
    """
    names = [name.strip() for name in wanted.split(",") if name.strip()]
    known = {field.name: field for field in fields}
    for name in names:
        if name not in known:
            raise Problem(400, f"There is no field {name[:60]!r}; there are: {', '.join(known)}.", parameter="fields")
    return [field for field in fields if not names or field.name in names]


def written(value: Any) -> Any:
    """Return a value as CSV has it: nothing is empty, a text that a spreadsheet would run is led by an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return neutralize("; ".join(str(part.get("name", "")) for part in value))
    return neutralize(value) if isinstance(value, str) else value
