"""A sync at KnowBe4's own pace: the pauses must cost nothing beyond the limit itself."""

import time
from collections.abc import Callable

from sync.benchmark.figures import Figure
from sync.benchmark.simulated import simulated_account
from sync.models import SyncRun
from sync.pipeline.run import run_sync

PER_MINUTE = 50


def measure_paced(*, say: Callable[[str], None]) -> list[Figure]:
    """Sync a company of some 150 requests at 50 a minute and compare the time with requests / 50."""
    say("Syncing a small company at 50 requests a minute ...")
    with simulated_account(people=1842, per_second=4, per_minute=PER_MINUTE, per_day=100_000) as account:
        began = time.monotonic()
        run = run_sync(account, trigger=SyncRun.Trigger.COMMAND, full=True)
        took = time.monotonic() - began
    ideal = run.requests_made / PER_MINUTE * 60
    return [
        Figure("paced run: requests", run.requests_made),
        Figure("paced run: time over requests / 50 a minute", took / ideal, "x", at_most=1.03),
    ]
