"""An account with numbers to report on: the simulator's company, as its syncs publish it."""

from collections.abc import Callable
from datetime import datetime
from io import StringIO

import pytest
from django.core.management import call_command

from sync.models import Account, SyncRun
from sync.pipeline.run import run_sync
from sync.simulator.company import Company
from sync.simulator.server import Simulator


@pytest.fixture(scope="session")
def company() -> Company:
    """Return the invented company that the simulator serves."""
    return Company(seed=11, people=60)


@pytest.fixture
def connected(db: None, simulator: Simulator, redis_url: str) -> Account:
    """Return an account of Berlin's that reads the simulator without request limits."""
    account = Account(
        name="Brackwater",
        base_url=simulator.url,
        time_zone="Europe/Berlin",
        requests_per_second=None,
        requests_per_minute=None,
        requests_per_day=None,
    )
    account.api_key = "simulator-key"
    account.save()
    return account


@pytest.fixture
def sync(connected: Account, simulator: Simulator) -> Callable[[], SyncRun]:
    """Return what makes a full sync at the simulator's own time."""

    def now() -> datetime:
        return simulator.clock.now()

    def run() -> SyncRun:
        connected.refresh_from_db()
        done = run_sync(connected, trigger=SyncRun.Trigger.COMMAND, full=True, now=now)
        assert done.state == SyncRun.State.PUBLISHED
        connected.refresh_from_db()
        return done

    return run


@pytest.fixture
def report() -> Callable[..., str]:
    """Return what runs the command and returns what it prints."""

    def run(*arguments: str) -> str:
        out = StringIO()
        call_command("report", *arguments, stdout=out)
        return out.getvalue()

    return run
