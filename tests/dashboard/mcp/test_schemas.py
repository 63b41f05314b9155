"""Schemas of tools, in the part of JSON Schema that Gemini, OpenAI's strict mode and Anthropic's all take.

The rules are those of the three vendors' documentation; what their own converters say is a matter of `bin/soak`, and in
docs/decisions/0016.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from dashboard.mcp.tools import TOOLS
from tests.dashboard.canary import Canary
from tests.dashboard.mcp.asking import ask, scope_of

# Schema of Gemini's function declarations, without what strict modes refuse: format, bounds, lengths, defaults, unions.
ALLOWED = {"type", "description", "enum", "items", "properties", "required"}
TYPES = {"string", "integer", "number", "boolean", "array", "object"}


def parts(schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a schema and every schema in it, with where it is."""
    yield path, schema
    for name, part in schema.get("properties", {}).items():
        yield from parts(part, f"{path}.{name}")
    if "items" in schema:
        yield from parts(schema["items"], f"{path}[]")


def enums(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield every schema with an enum, wherever it is."""
    if isinstance(schema, dict):
        if isinstance(schema.get("enum"), list):
            yield schema
        for part in schema.values():
            yield from enums(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from enums(part)


@pytest.mark.parametrize("name", TOOLS)
def test_arguments_are_described_as_every_assistant_takes_it(name: str) -> None:
    for path, schema in parts(TOOLS[name].input_schema, name):
        assert set(schema) <= ALLOWED, path
        assert schema["type"] in TYPES, path
        assert path == name or schema["type"] != "object", path
        assert "enum" not in schema or schema["type"] == "string", path
        assert all(isinstance(word, str) and word for word in schema.get("enum", ())), path
        assert set(schema.get("required", ())) <= set(schema.get("properties", {})), path


@pytest.mark.parametrize("name", TOOLS)
def test_every_enum_says_its_type(name: str) -> None:
    tool = TOOLS[name]
    assert all("type" in found for found in enums([tool.input_schema, tool.output_schema]))


@pytest.mark.parametrize("name", TOOLS)
def test_a_wrong_word_is_answered_with_the_right_ones(marked_companies: Canary, db: None, name: str) -> None:
    canary = marked_companies
    scope = scope_of(canary.readers["administrator"], canary.account)
    schema = TOOLS[name].input_schema
    given = dict.fromkeys(schema.get("required", ()), "1")
    for argument, told in schema.get("properties", {}).items():
        if "enum" not in told:
            continue
        for wrong in ("no such word", 7):
            answered = ask(scope, name, {**given, argument: wrong})
            assert answered.startswith("400 Invalid request. ")
            assert f"{argument} is one of: {', '.join(told['enum'])}." in answered
    unknown = ask(scope, name, {**given, "no_such_argument": 1})
    assert unknown.startswith("400 Invalid request. ") and all(argument in unknown for argument in schema["properties"])
