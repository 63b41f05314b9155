"""An account connected to the simulated KnowBe4."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from sync.knowbe4.retry import Retry
from sync.models import Account, SyncRun
from sync.pipeline.run import run_sync
from sync.simulator.server import Simulator

# A fault that passes is met with a second try at once; one that stays is told without minutes of waiting.
IMPATIENT = Retry(attempts=3, max_wait=2.0)


@pytest.fixture
def connected(db: None, simulator: Simulator, redis_url: str) -> Account:
    """Return an account whose key and address lead to the simulator, without request limits."""
    account = Account(
        name="Demo", base_url=simulator.url, requests_per_second=None, requests_per_minute=None, requests_per_day=None
    )
    account.api_key = "simulator-key"
    account.save()
    return account


@pytest.fixture
def run(connected: Account, simulator: Simulator) -> Callable[..., SyncRun]:
    """Sync the account at the simulator's own time; a full pass unless asked otherwise."""

    def now() -> datetime:
        return simulator.clock.now()

    def sync_now(**options: Any) -> SyncRun:
        connected.refresh_from_db()
        return run_sync(
            connected, **{"trigger": SyncRun.Trigger.COMMAND, "full": True, "now": now, "retry": IMPATIENT, **options}
        )

    return sync_now
