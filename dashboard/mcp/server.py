"""The official SDK's server around the tools and prompts: no state, nothing to write, whoever calls."""

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import mcp_types as types
from asgiref.sync import sync_to_async
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError

from dashboard.mcp.prompts import PROMPTS
from dashboard.mcp.tools import TOOLS

NAME, VERSION = "rollcall", "1.0.0"
INSTRUCTIONS = (
    "Rollcall tells how far an organization's KnowBe4 security training is: campaigns, enrollments, people past due, "
    "quarters. It reads its own copy of KnowBe4's data, in the caller's scope, and changes nothing. Quote numbers as "
    "`shown` has them, never average rates, and say the as-of, the scope and the sync run of `about` with a link."
)
_READ_ONLY = types.ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)

# What a call is answered with: the answer as JSON has it, or a sentence that says why there is none.
Call = Callable[[str, Mapping[str, Any]], dict[str, Any] | str]


@cache
def _tools() -> types.ListToolsResult:
    return types.ListToolsResult(
        tools=[
            types.Tool(
                name=tool.name,
                title=tool.title,
                description=tool.description,
                input_schema=tool.input_schema,
                output_schema=tool.output_schema,
                annotations=_READ_ONLY,
            )
            for tool in TOOLS.values()
        ]
    )


@cache
def _prompts() -> types.ListPromptsResult:
    return types.ListPromptsResult(
        prompts=[
            types.Prompt(
                name=prompt.name,
                title=prompt.title,
                description=prompt.description,
                arguments=[
                    types.PromptArgument(name=argument.name, description=argument.description, required=False)
                    for argument in prompt.arguments
                ],
            )
            for prompt in PROMPTS.values()
        ]
    )


async def _list_tools(
    _context: ServerRequestContext[Any], _params: types.PaginatedRequestParams | None
) -> types.ListToolsResult:
    return _tools()


async def _list_prompts(
    _context: ServerRequestContext[Any], _params: types.PaginatedRequestParams | None
) -> types.ListPromptsResult:
    return _prompts()


async def _get_prompt(
    _context: ServerRequestContext[Any], params: types.GetPromptRequestParams
) -> types.GetPromptResult:
    prompt = PROMPTS.get(params.name)
    if prompt is None:
        raise MCPError(code=types.INVALID_PARAMS, message=f"There is no such prompt; there are: {', '.join(PROMPTS)}.")
    text = types.TextContent(type="text", text=prompt.text(params.arguments or {}))
    return types.GetPromptResult(
        description=prompt.description, messages=[types.PromptMessage(role="user", content=text)]
    )


def build(call: Call) -> Server[Any]:
    """Return a server whose tools `call` answers, in the thread that started the loop: the database's."""

    async def call_tool(
        _context: ServerRequestContext[Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        told = await sync_to_async(call, thread_sensitive=True)(params.name, params.arguments or {})
        if isinstance(told, str):
            return types.CallToolResult(content=[types.TextContent(type="text", text=told)], is_error=True)
        # The same as text, for clients that do not read structured content.
        text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
        return types.CallToolResult(content=[types.TextContent(type="text", text=text)], structured_content=told)

    return Server(
        NAME,
        version=VERSION,
        title="Rollcall",
        instructions=INSTRUCTIONS,
        get_tool_input_schema=lambda name: TOOLS[name].input_schema if name in TOOLS else None,
        on_list_tools=_list_tools,
        on_call_tool=call_tool,
        on_list_prompts=_list_prompts,
        on_get_prompt=_get_prompt,
    )
