"""Our tools in the vendors' own converters: bin/soak alone installs their 90 MB (docs/decisions/0016)."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import mcp_types as types
import pytest

from dashboard.mcp.tools import TOOLS

pytestmark = pytest.mark.soak
WHY = "bin/install base embedded monitoring test assistants brings it, as bin/soak does"


def declared(name: str) -> types.Tool:
    tool = TOOLS[name]
    return types.Tool(name=name, description=tool.description, input_schema=deepcopy(tool.input_schema))


def parts(schema: Any) -> Iterator[Any]:
    yield schema
    for part in (schema.properties or {}).values():
        yield from parts(part)
    if schema.items:
        yield from parts(schema.items)


@pytest.mark.parametrize("name", TOOLS)
def test_google_genai_takes_it_whole(name: str) -> None:
    convert = pytest.importorskip("google.genai._mcp_utils", reason=WHY).mcp_to_gemini_tool
    (declaration,) = convert(declared(name)).function_declarations
    assert set(declaration.parameters.properties) == set(TOOLS[name].input_schema["properties"])
    for part in parts(declaration.parameters):
        assert part.type is not None and not part.any_of
        assert not part.enum or part.type.value == "STRING"


@pytest.mark.parametrize("name", TOOLS)
def test_openai_makes_it_strict(name: str) -> None:
    strict = pytest.importorskip("openai.lib._pydantic", reason=WHY)._ensure_strict_json_schema
    given = deepcopy(TOOLS[name].input_schema)
    told = strict(given, path=(), root=given)
    assert told["additionalProperties"] is False
    assert sorted(told["required"]) == sorted(TOOLS[name].input_schema["properties"])


@pytest.mark.parametrize("name", TOOLS)
def test_anthropic_loses_nothing(name: str) -> None:
    convert = pytest.importorskip("anthropic.lib.tools.mcp", reason=WHY).async_mcp_tool
    transform = pytest.importorskip("anthropic.lib._parse._transform", reason=WHY).transform_schema
    assert convert(declared(name), None).to_dict()["input_schema"] == TOOLS[name].input_schema
    told = transform(deepcopy(TOOLS[name].input_schema))["properties"]
    # What it does not take it writes into the description.
    for argument, part in TOOLS[name].input_schema["properties"].items():
        assert {key: told[argument].get(key) for key in ("description", "enum")} == {
            key: part.get(key) for key in ("description", "enum")
        }
