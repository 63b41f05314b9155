"""A company whose lists span pages, and a client that gives up at once: what a fault leaves is seen without waiting."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from sync.knowbe4.retry import Retry
from sync.models import SyncRun
from sync.simulator.company import Company
from sync.simulator.server import Simulator

# One attempt, and the first 429 is final.
AT_ONCE = Retry(attempts=1, max_wait=0.0, lockout=0.0)

Faulty = Callable[..., SyncRun]


@pytest.fixture(scope="session")
def company() -> Company:
    """Return a company of forty-five, whose enrollments take three pages."""
    return Company(seed=11, people=45)


@pytest.fixture
def fault(simulator: Simulator) -> Callable[[str], object]:
    """Return a context manager that switches a fault on, and off again."""

    @contextmanager
    def switched_on(text: str) -> Iterator[None]:
        struck = simulator.fault(text)
        yield
        assert struck.struck, f"{text} never struck"
        simulator.faults.remove(struck)

    return switched_on


@pytest.fixture
def run_during(run: Callable[..., SyncRun], fault: Callable[[str], Iterator[None]]) -> Faulty:
    """Return a function that syncs while a fault lasts, giving up at once unless `retry` is another."""

    def sync_during(text: str, **options: object) -> SyncRun:
        with fault(text):
            return run(**{"retry": AT_ONCE, **options})

    return sync_during
