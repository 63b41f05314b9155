"""Resolve a held run: publish it after all, or discard it, by somebody and for a reason."""

from collections.abc import Callable
from datetime import datetime

from django.utils import timezone

from sync.models import SyncRun
from sync.pipeline.fetch import lists_of
from sync.pipeline.lists import campaigns_read
from sync.pipeline.plan import Plan
from sync.pipeline.publish import publish as publish_staged
from sync.pipeline.run import locked
from sync.pipeline.staging import Staging


class NotHeldError(Exception):
    """The run is not held any more: a later sync replaced it, or somebody else was faster."""

    def __init__(self, run: SyncRun) -> None:
        super().__init__(f"{run} is not held any more: it is {run.get_state_display().lower()}.")


class NotWholeError(Exception):
    """A list of the run did not end properly: publishing it would show rows as vanished that were only not read."""

    def __init__(self, run: SyncRun) -> None:
        super().__init__(f"{run} cannot be published: one of its lists was not read to its end.")


def resolve_held(
    run_id: int, *, publish: bool, reason: str, user_id: int | None, now: Callable[[], datetime] = timezone.now
) -> SyncRun:
    """Publish a held run in spite of the checks, or discard it, and note who decided it and why.

    ValueError without a reason, NotHeldError when there is nothing left to decide, NotWholeError when a list of it did
    not end properly, AlreadyRunningError while the account is being synced.
    """
    if not reason.strip():
        raise ValueError("A held run is resolved with a reason; there is none.")
    run = SyncRun.objects.select_related("account").get(pk=run_id)
    with locked(run.account):
        run.refresh_from_db()
        staging = Staging(run.account_id)
        if run.state != SyncRun.State.HELD or staging.held_run() != run.pk:
            raise NotHeldError(run)
        run.resolved_by_id, run.resolved_at, run.resolution = user_id, now(), reason.strip()
        if not publish:
            run.state = SyncRun.State.DISCARDED
            run.save()
            staging.drop()
            return run
        decided = Plan.from_json(run.plan)
        lists = lists_of(run.account, run, decided, staging)
        read = staging.progress()
        if not all(wanted.key in read and read[wanted.key].is_done for wanted in lists):
            raise NotWholeError(run)
        held_for = run.message
        publish_staged(run.account, run, staging, campaigns_read=campaigns_read(lists), now=now())
        run.message, run.finished_at = held_for, now()
        run.save(update_fields=["message", "finished_at"])
        return run
