"""The description is what the API does: whatever can be asked by it is answered by it, for every kind of token."""

from collections.abc import Iterator
from typing import Any

import hypothesis
import jsonschema
import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.test import Client
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from dashboard.api.description import description, operations
from tests.dashboard.api.conftest import token_for
from tests.dashboard.canary import Canary
from tests.dashboard.mcp.test_schemas import enums

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
CALLERS = ("administrator", "department_head", "people_manager", "auditor", "numbers only")
EXAMPLES = 8
# Who asks at length, here and in bin/soak.
FUZZERS = ("administrator", "department_head")
WALKS = 6


@pytest.fixture
def canary(marked_companies: Canary, db: None, settings: Any) -> Canary:
    """Return a company to ask about; nothing is asked too often."""
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"api": (1_000_000, 60)}
    return marked_companies


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    """Keep the test's connection, as Django's own test client does: its transaction is not to end with a request."""
    ends = (request_started, request_finished)
    for signal in ends:
        signal.disconnect(close_old_connections)
    yield
    for signal in ends:
        signal.connect(close_old_connections)


def asked_by(canary: Canary, caller: str) -> tuple[Any, dict[str, str]]:
    """Return the description as a program reads it, and what the caller sends along."""
    is_narrow = caller == "numbers only"
    reader = canary.readers["administrator" if is_narrow else caller]
    secret = token_for(reader, canary.account, numbers_only=is_narrow)
    # Not `config.wsgi`, which makes of its process a web server with a database login of its own.
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application())
    # It would draw tokens that nobody made, and hear 401.
    schema.config.generation.update(with_security_parameters=False)
    return schema, {"Authorization": f"Bearer {secret}", "Accept-Encoding": "identity"}


def bounded(examples: int, **more: Any) -> hypothesis.settings:
    return hypothesis.settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        **more,
    )


def ask_everything(canary: Canary, caller: str, settings: hypothesis.settings, **more: Any) -> None:
    """Ask every operation as often as the settings say, and hold each answer to the description."""
    schema, headers = asked_by(canary, caller)
    for result in schema.get_all_operations():
        operation = result.ok()

        @hypothesis.given(case=operation.as_strategy(**more))
        @settings
        def ask(case: Any) -> None:
            case.call_and_validate(headers=headers, checks=CHECKS)

        ask()


def walk(canary: Canary, caller: str, settings: hypothesis.settings) -> int:
    """Follow the description's links from answer to answer; return how many answers were held to it."""
    schema, headers = asked_by(canary, caller)
    schema.config.generation.update(modes=[schemathesis.GenerationMode.POSITIVE])
    followed = 0

    class Walk(schema.as_state_machine()):  # type: ignore[misc]  # made for this very schema
        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            return {"headers": headers}

        def validate_response(self, response: Any, case: Any, *_args: Any, **_named: Any) -> None:
            nonlocal followed
            followed += 1
            case.validate_response(response, checks=CHECKS, headers=headers)

    Walk.run(settings=settings)
    return followed


@pytest.mark.parametrize("caller", CALLERS)
def test_whatever_is_asked_is_answered_as_described(canary: Canary, caller: str) -> None:
    phases = [hypothesis.Phase.explicit, hypothesis.Phase.generate]
    ask_everything(canary, caller, bounded(EXAMPLES, derandomize=True, phases=phases))


@pytest.mark.parametrize("caller", FUZZERS)
def test_links_lead_on_as_described(canary: Canary, caller: str) -> None:
    assert walk(canary, caller, bounded(WALKS, derandomize=True, stateful_step_count=6)) > WALKS


@pytest.mark.soak
@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode))
@pytest.mark.parametrize("caller", FUZZERS)
def test_fuzzing_breaks_nothing(
    canary: Canary, caller: str, mode: schemathesis.GenerationMode, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hypothesis.core, "global_force_seed", seed)
    ask_everything(canary, caller, bounded(120), generation_mode=mode)


@pytest.mark.soak
@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("caller", FUZZERS)
def test_long_walks_break_nothing(canary: Canary, caller: str, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hypothesis.core, "global_force_seed", seed)
    assert walk(canary, caller, bounded(80, stateful_step_count=25)) > 80


def test_it_is_open_to_programs_without_a_token() -> None:
    response = Client().get("/api/v1/openapi.json")
    assert response.status_code == 200 and response.json()["openapi"] == "3.1.0"


def test_its_tag_saves_reading_it_again() -> None:
    client = Client()
    first = client.get("/api/v1/openapi.json")
    again = client.get("/api/v1/openapi.json", headers={"If-None-Match": first["ETag"]})
    assert (first["ETag"][:1], again.status_code, again.content) == ('"', 304, b"")


def test_texts_that_are_read_say_how_they_are_written() -> None:
    """A text parameter that is no name, list of names or search has a format or pattern; every enum has a type."""
    seen = set()
    for operation in operations(description()):
        for parameter in operation["parameters"]:
            if (name := parameter["name"]) in {"as_of", "since", "cursor"}:
                seen.add(name)
                formats = [part.get("format") for part in parameter["schema"].get("anyOf", ())]
                assert formats == ["date", "date-time", None] or "pattern" in parameter["schema"], name
    assert seen == {"as_of", "since", "cursor"}
    assert not [told for told in enums(description()) if "type" not in told]


def test_examples_are_as_described() -> None:
    for operation in operations(description()):
        for response in operation["responses"].values():
            told = response.get("content", {}).get("application/json")
            if told is not None:
                jsonschema.validate(told["example"], told["schema"])
