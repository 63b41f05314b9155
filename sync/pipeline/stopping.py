"""Stopping a run that somebody does not want any more: asked for on its row, seen between two pages.

Whoever asks writes `resolved_by` and `resolved_at` on the running row. The run looks each time it notes its progress;
it is never cut off inside publish. What it had read is dropped: the next sync reads everything it needs anew.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.utils import timezone

from sync.models import Account, SyncRun
from sync.pipeline.run import AlreadyRunningError, Listener, locked, run_sync
from sync.pipeline.staging import Staging

logger = logging.getLogger(__name__)


class StopAskedError(BaseException):
    """Somebody asked that the run be stopped.

    Like KeyboardInterrupt it is no Exception: nothing that mends or notes the errors of a sync may take it for one.
    """


def run_stoppable(
    account: Account,
    *,
    listener: Listener | None = None,
    now: Callable[[], datetime] = timezone.now,
    **options: Any,
) -> SyncRun:
    """Sync as `run_sync` does, with its arguments and errors; end the run where somebody asks for it.

    A run that was asked to stop when its worker died is ended first, so that nobody's next sync goes on with it.
    """
    _end_asked(account, now=now())

    def look(run: SyncRun) -> None:
        if listener:
            listener(run)
        if run.state == SyncRun.State.RUNNING and _asked(account).filter(pk=run.pk).exists():
            raise StopAskedError(run.pk)

    try:
        return run_sync(account, listener=look, now=now, **options)
    except StopAskedError as asked:
        _end_asked(account, now=now())
        return SyncRun.objects.get(pk=asked.args[0])


def _asked(account: Account) -> Any:
    return account.runs.filter(state=SyncRun.State.RUNNING, resolved_at__isnull=False).exclude(kind=SyncRun.Kind.IMPORT)


def _end_asked(account: Account, *, now: datetime) -> None:
    """End the account's runs that are to stop, unless a worker is at one: then that worker sees the same."""
    if not _asked(account).exists():
        return
    try:
        with locked(account):
            staging = Staging(account.pk)
            for run in _asked(account):
                if staging.held_run() == run.pk:
                    staging.drop()
                run.state, run.error_kind = SyncRun.State.DISCARDED, StopAskedError.__name__
                run.message = f"Stopped by hand while {_doing(run)}; what it had read is dropped."
                run.finished_at = run.heartbeat_at = now
                run.save()
                logger.info("run %s of account %s was stopped by hand", run.number, account.pk)
    except AlreadyRunningError:
        logger.info("a worker is still at the run of account %s that is to stop", account.pk)


def _doing(run: SyncRun) -> str:
    if run.phase == SyncRun.Phase.CHECK:
        return "checking what it had read"
    reading = (entry["title"] for entry in run.resources.values() if entry["state"] == "reading")
    title = next(reading, "")
    return f"reading {title[:1].lower()}{title[1:]}" if title else "connecting"
