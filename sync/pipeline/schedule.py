"""Accounts due for a sync.

A clock may be set back. What was written by one that was ahead lies in the future and tells nothing; the latest run is
the one with the highest number.
"""

from datetime import datetime, timedelta

from sync.models import Account, SyncRun
from sync.pipeline.run import is_locked

# A paused run that KnowBe4 gave no time for is tried again after this.
RETRY_AFTER = timedelta(minutes=5)
# Clocks of several machines differ by less than this.
SKEW = timedelta(minutes=1)


def accounts_due(*, now: datetime) -> list[Account]:
    """Return the enabled, connected accounts whose interval has passed, or whose paused run may go on."""
    return [
        account
        for account in Account.objects.filter(is_sync_enabled=True).exclude(encrypted_key=b"").order_by("pk")
        if _is_due(account, now=now)
    ]


def _is_due(account: Account, *, now: datetime) -> bool:
    # A file that somebody imported is no sync.
    last = account.runs.exclude(kind=SyncRun.Kind.IMPORT).order_by("-number").first()
    if last is None:
        return True
    if last.state == SyncRun.State.RUNNING:
        # Whoever is at it holds the lock: without, its worker was killed.
        return not is_locked(account)
    if max(last.started_at, last.heartbeat_at) > now + SKEW:
        return True
    if last.state == SyncRun.State.PAUSED:
        return now >= (last.resume_at or last.heartbeat_at + RETRY_AFTER)
    return now - last.started_at >= account.sync_interval
