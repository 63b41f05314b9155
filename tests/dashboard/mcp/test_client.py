"""The official SDK's client, over a real socket and over stdin and stdout."""

import json
import os
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import anyio
import httpx2
import jsonschema
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from dashboard.mcp.prompts import PROMPTS
from dashboard.mcp.tools import TOOLS
from dashboard.models import AuditEvent
from dashboard.services import tokens
from tests.clock import MOMENT
from tests.dashboard.canary import Canary
from tests.dashboard.mcp.conftest import calls

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
NAMES = {
    "knowbe4_training_list_campaigns",
    "knowbe4_training_get_campaign",
    "knowbe4_training_list_enrollments",
    "knowbe4_training_get_enrollment",
    "knowbe4_training_list_modules",
    "knowbe4_training_get_module",
    "knowbe4_training_list_store_purchases",
    "knowbe4_training_get_store_purchase",
    "compliance_summary",
    "list_past_due",
    "quarterly_review",
    "find_person",
    "explain_number",
}


def over_http(url: str, secret: str, act: Callable[[Client], Awaitable[None]], *, mode: str = "auto") -> None:
    """Let a client that shows a secret act."""

    async def run() -> None:
        async with (
            httpx2.AsyncClient(headers={"Authorization": f"Bearer {secret}"}, timeout=30) as http,
            Client(streamable_http_client(f"{url}/mcp", http_client=http), mode=mode) as client,
        ):
            await act(client)

    anyio.run(run)


def secret_of(canary: Canary, role: str = "administrator", **more: Any) -> str:
    now = MOMENT
    user = canary.readers[role]
    return tokens.create(user, canary.account, "Test", expires_at=now + timedelta(days=3), at=now, **more)[1]


async def list_and_call(client: Client, asked: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """List everything, call every tool, and hold every answer to the schema that was declared for it."""
    tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert set(tools) == NAMES
    told = {}
    for name, arguments in asked:
        annotations = tools[name].annotations
        assert annotations is not None and annotations.read_only_hint and not annotations.destructive_hint
        result = await client.call_tool(name, arguments)
        assert not result.is_error, (name, arguments, result.content)
        assert result.structured_content == json.loads(result.content[0].text)  # type: ignore[union-attr]
        schema = tools[name].output_schema
        assert schema is not None and schema["type"] == "object"
        jsonschema.validate(result.structured_content, schema)
        about = (result.structured_content or {})["about"]
        assert {"as_of", "scope", "sync_run", "link"} <= set(about)
        assert about["link"].startswith(settings.PUBLIC_URL)
        told[f"{name} {json.dumps(arguments)}"] = result.structured_content
    assert {name for name, _ in asked} == NAMES
    prompts = (await client.list_prompts()).prompts
    assert {prompt.name for prompt in prompts} == set(PROMPTS)
    for prompt in prompts:
        text = await client.get_prompt(prompt.name, {"department": "Claims"})
        assert "Claims" in text.messages[0].content.text  # type: ignore[union-attr]
    return told


def few(canary: Canary) -> list[tuple[str, dict[str, Any]]]:
    """Return a call of every tool, and not of every person."""
    return [call for place, call in enumerate(calls(canary.account)) if place < 24 or call[0] == "explain_number"]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_client_over_http_lists_and_calls_every_tool(canary: Canary, live_server: Any, mode: str) -> None:
    told: dict[str, Any] = {}
    asked = few(canary)

    async def act(client: Client) -> None:
        told.update(await list_and_call(client, asked))

    over_http(live_server.url, secret_of(canary), act, mode=mode)
    assert_equal_to_report(told, canary)
    noted = AuditEvent.objects.filter(action="api_call", through="token")
    assert noted.count() == len(asked)
    assert "zqmark" not in json.dumps(list(noted.values_list("details", flat=True)))


def assert_equal_to_report(told: dict[str, Any], canary: Canary) -> None:
    out = StringIO()
    names = ["completion_rate", "on_time_rate", "past_due", "people_past_due", "counted", "coverage"]
    account = canary.account.name
    call_command("report", *names, by="department", account=account, format="json", stdout=out)
    report = json.loads(out.getvalue())
    summary = told['compliance_summary {"by": "department"}']
    for group, row in [(summary["total"], report["total"])] + [
        (next(group for group in summary["groups"] if group["name"] == row["name"]), row) for row in report["rows"]
    ]:
        numbers = {number["metric"]: number for number in group["numbers"]}
        for name in names:
            for part in ("value", "shown", "numerator", "denominator"):
                assert numbers[name][part] == row["values"][name]["net"][part], (row["name"], name)
    assert told["list_past_due {}"]["total"] == report["total"]["values"]["people_past_due"]["net"]["value"]
    explained = told['explain_number {"metric": "completion_rate"}']
    assert explained["number"]["value"] == report["total"]["values"]["completion_rate"]["net"]["value"]
    assert explained["known"] == explained["number"]["denominator"] + sum(
        left["count"] for left in explained["left_out"]
    )


def test_client_over_stdio_lists_and_calls_every_tool(canary: Canary, tmp_path: Path) -> None:
    database = connection.settings_dict
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "tests.clock", "manage.py", "mcp", "--as", canary.readers["security_manager"].email],
        cwd=settings.BASE_DIR,
        env={
            **{name: os.environ[name] for name in ("PATH", "HOME", "ROLLCALL_VAR") if name in os.environ},
            "DATABASE_URL": f"postgresql://{database['USER']}@/{database['NAME']}?host={quote(database['HOST'])}"
            if database["HOST"]
            else f"postgresql://{database['USER']}@/{database['NAME']}?host={quote(database['OPTIONS']['host'])}",
            "REDIS_URL": settings.REDIS_URL,
            "SECRET_KEY": settings.SECRET_KEY,
            "ALLOWED_HOSTS": "localhost",
        },
    )

    told: dict[str, Any] = {}
    asked = few(canary)

    async def run() -> None:
        async with Client(server) as client:
            told.update(await list_and_call(client, asked))
            result = await client.call_tool("knowbe4_training_get_campaign", {"campaign_id": 1})
            assert result.is_error and result.content[0].text.startswith("404 Campaign not found. Verify")  # type: ignore[union-attr]

    anyio.run(run)
    assert_equal_to_report(told, canary)
    assert AuditEvent.objects.filter(action="api_call", through="command").count() == len(asked) + 1


def test_client_without_a_good_token_is_told_what_to_do(canary: Canary, live_server: Any) -> None:
    async def act(client: Client) -> None:
        await client.list_tools()

    with pytest.raises(BaseException) as raised:
        over_http(live_server.url, "rollcall_" + "x" * 43, act)
    assert "401 Invalid API token" in told_by(raised.value)


def told_by(error: BaseException) -> str:
    """Return what an error says, or those in it."""
    if isinstance(error, BaseExceptionGroup):
        return " ".join(map(told_by, error.exceptions))
    return str(error) if isinstance(error, MCPError) else ""


def test_every_tool_is_declared_once() -> None:
    assert set(TOOLS) == NAMES
