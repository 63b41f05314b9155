"""Which accounts are due for a sync."""

from datetime import datetime, timedelta

from sync.models import Account, SyncRun

# A run that has not been heard of for this long is dead; its lock is free.
SILENT = timedelta(minutes=10)
# A paused run that KnowBe4 gave no time for is tried again after this.
RETRY_AFTER = timedelta(minutes=5)


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
        return now - last.heartbeat_at > SILENT
    if last.state == SyncRun.State.PAUSED:
        return now >= (last.resume_at or last.heartbeat_at + RETRY_AFTER)
    return now - last.started_at >= account.sync_interval
