"""A caller with a key, and a company large enough to have every oddity."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from sync.simulator import Company, Simulator, serve


@dataclass(frozen=True)
class Answer:
    """Answer: status, headers, raw bytes."""

    status: int
    headers: Any
    body: bytes

    def json(self) -> Any:
        """Return the body decoded."""
        return json.loads(self.body)


Ask = Callable[..., Answer]


@pytest.fixture(scope="session")
def firm() -> Company:
    """Return a company of six hundred, with every oddity."""
    return Company(seed=7, people=600)


@pytest.fixture
def firm_simulator(firm, now) -> Iterator[Simulator]:
    """Return a simulator of the firm, its clock at `now`."""
    with serve(firm, at=now) as running:
        yield running


@pytest.fixture
def session() -> Iterator[requests.Session]:
    """Return a session with the key, kept alive."""
    with requests.Session() as session:
        session.headers["Authorization"] = "Bearer simulator-key"
        yield session


@pytest.fixture
def ask(simulator, session) -> Ask:
    """Return a function that asks the small company's simulator."""
    return asker(simulator, session)


@pytest.fixture
def ask_firm(firm_simulator, session) -> Ask:
    """Return a function that asks the firm's simulator."""
    return asker(firm_simulator, session)


def asker(simulator: Simulator, session: requests.Session) -> Ask:
    """Return a function that gets a path with a query from a simulator."""

    def ask(path: str, /, headers: dict[str, str] | None = None, **query: object) -> Answer:
        response = session.get(f"{simulator.url}/v1/{path}", params=query, headers=headers, timeout=10)
        return Answer(response.status_code, response.headers, response.content)

    return ask


def every_page(ask: Ask, path: str, **query: object) -> list[Any]:
    """Return all rows of a list by the default cursor style."""
    rows, cursor = [], "true"
    while cursor is not None:
        answer = ask(path, cursor=cursor, **query).json()
        rows += answer["data"]
        cursor = answer["pagination"]["next_cursor"]
    return rows
