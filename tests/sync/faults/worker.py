"""A process that syncs one account at a given moment: `python -m tests.sync.faults.worker ACCOUNT MOMENT`.

It prints the state its run ends in, or that another process is syncing the account.
"""

import sys
from datetime import datetime

import django
import time_machine


def main(account_id: int, at: datetime) -> None:
    """Sync the account in full, as a worker would whose clock stands at `at`."""
    django.setup()
    from sync.models import Account, SyncRun  # noqa: PLC0415 - models need the set-up
    from sync.pipeline.run import AlreadyRunningError, run_sync  # noqa: PLC0415

    account = Account.objects.get(pk=account_id)
    try:
        with time_machine.travel(at):
            run = run_sync(account, trigger=SyncRun.Trigger.SCHEDULE, full=True, now=lambda: at)
    except AlreadyRunningError as error:
        print(error, flush=True)  # noqa: T201
    else:
        print(run.state, run.message, flush=True)  # noqa: T201


if __name__ == "__main__":
    main(int(sys.argv[1]), datetime.fromisoformat(sys.argv[2]))
