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


@pytest.mark.parametrize("caller", CALLERS)
def test_whatever_is_asked_is_answered_as_described(canary: Canary, caller: str) -> None:
    is_narrow = caller == "numbers only"
    reader = canary.readers["administrator" if is_narrow else caller]
    secret = token_for(reader, canary.account, numbers_only=is_narrow)
    headers = {"Authorization": f"Bearer {secret}", "Accept-Encoding": "identity"}
    # Not `config.wsgi`, which makes of its process a web server with a database login of its own.
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application())
    for result in schema.get_all_operations():
        operation = result.ok()

        @hypothesis.given(case=operation.as_strategy())
        @hypothesis.settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(hypothesis.HealthCheck),
            phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
        )
        def ask(case: Any) -> None:
            case.call_and_validate(headers=headers, checks=CHECKS)

        ask()


def test_it_is_open_to_programs_without_a_token() -> None:
    response = Client().get("/api/v1/openapi.json")
    assert response.status_code == 200 and response.json()["openapi"] == "3.1.0"


def test_examples_are_as_described() -> None:
    for operation in operations(description()):
        for response in operation["responses"].values():
            told = response.get("content", {}).get("application/json")
            if told is not None:
                jsonschema.validate(told["example"], told["schema"])
