"""JSON Schemas of tools, made from the shapes that read arguments and write answers."""

from typing import Any

import msgspec

_REFERENCE = "#/$defs/{name}"
# Gemini, OpenAI's strict mode and Anthropic each refuse, or drop, some keyword of JSON Schema. These are taken by all;
# what others would say (bounds, lengths, that no other name is known) is checked when a call comes, and told in words.
_KEPT = ("type", "description", "enum", "items", "properties", "required")


def output_schema(shape: type) -> dict[str, Any]:
    """Return the schema of an answer."""
    (_root,), parts = msgspec.json.schema_components([shape], ref_template=_REFERENCE)
    root = parts.pop(shape.__name__)
    found: dict[str, Any] = _typed({**root, "$defs": parts} if parts else root)
    return found


def input_schema(arguments: type) -> dict[str, Any]:
    """Return the schema of a tool's arguments, in the part of JSON Schema that every assistant takes.

    An optional argument is one that is not required, never one that may be null: null is accepted all the same.
    """
    found: dict[str, Any] = _plain(output_schema(arguments))
    return found


def _typed(schema: Any) -> Any:
    """Return a schema in which every enum says that it is of texts, null among them or not."""
    if isinstance(schema, list):
        return [_typed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: _typed(part) for name, part in schema.items()}
    if isinstance(found.get("enum"), list) and "type" not in found:
        found = {"type": "string", **found}
    return found


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    told = schema
    if "anyOf" in schema:
        (one,) = (part for part in schema["anyOf"] if part != {"type": "null"})
        told = {**schema, **one}
    found = {name: told[name] for name in _KEPT if told.get(name)}
    if "items" in found:
        found["items"] = _plain(found["items"])
    if "properties" in found:
        found["properties"] = {name: _plain(part) for name, part in found["properties"].items()}
    return found
