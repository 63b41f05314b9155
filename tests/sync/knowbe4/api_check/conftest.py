"""The smallest company, served once for a module; its disguise is changed from test to test."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from sync.knowbe4.api_check import Report, check_api
from sync.knowbe4.client import Client
from sync.simulator import Company, Simulator, serve

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
Check = Callable[..., Report]


@pytest.fixture(scope="session")
def company() -> Company:
    """Return a company of twenty, with more than a page of enrollments."""
    return Company(seed=11, people=20)


@pytest.fixture(scope="module")
def served(company: Company) -> Iterator[Simulator]:
    """Return a simulator of the company, its clock at the moment of the tests."""
    with serve(company, at=AT) as running:
        yield running


@pytest.fixture
def check(served: Simulator, now: datetime) -> Check:
    """Return a function that checks the simulator in disguises, waiting in name only."""

    def disguised(*names: str, key: str = "simulator-key", **options: object) -> Report:
        served.disguise(*names)
        with Client(served.url, key, sleep=lambda seconds: None) as client:
            return check_api(client, now=now, **options)

    return disguised
