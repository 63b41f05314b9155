"""Celery's way in: each task takes ids, calls one function and leaves the rest to the pipeline."""

import logging
from collections.abc import Callable

from celery import Task, shared_task
from django.utils import timezone

from sync.models import Account, KeyUnreadableError, SyncRun
from sync.pipeline import console
from sync.pipeline.connection import check_connection
from sync.pipeline.held import resolve_held
from sync.pipeline.run import AlreadyRunningError, NotConnectedError, run_sync
from sync.pipeline.schedule import accounts_due

logger = logging.getLogger(__name__)


@shared_task(name="sync.tasks.sync_account")
def sync_account(
    *, account_id: int, trigger: str = SyncRun.Trigger.SCHEDULE, requested_by: int | None = None, full: bool = False
) -> None:
    """Sync one account; nothing to do when another worker already does."""
    account = Account.objects.get(pk=account_id)
    try:
        run_sync(account, trigger=SyncRun.Trigger(trigger), full=full, requested_by_id=requested_by)
    except (AlreadyRunningError, NotConnectedError, KeyUnreadableError) as error:
        logger.warning("account %s was not synced: %s", account_id, error)


@shared_task(name="sync.tasks.resolve_run")
def resolve_run(*, run_id: int, publish: bool, reason: str, user_id: int | None = None) -> None:
    """Publish a held run after all, or discard it, for the reason somebody gave."""
    resolve_held(run_id, publish=publish, reason=reason, user_id=user_id)


@shared_task(name="sync.tasks.test_connection")
def test_connection(*, account_id: int) -> None:
    """Ask KnowBe4 who an account's key belongs to, and note the answer on the account."""
    check_connection(Account.objects.get(pk=account_id))


@shared_task(name="sync.tasks.start_due_syncs")
def start_due_syncs() -> None:
    """Queue a sync of every account whose interval has passed or whose paused run may go on."""
    for account in accounts_due(now=timezone.now()):
        sync_account.delay(account_id=account.pk)


# How often, and for how long, an import waits for a sync of its account to end.
_IMPORT_WAITS, _IMPORT_PATIENCE = 10.0, 360


@shared_task(name="sync.tasks.preview_console_import")
def preview_console_import(*, import_id: int) -> None:
    """Read an uploaded CSV and write down what importing it would do."""
    console.preview_import(import_id)


@shared_task(name="sync.tasks.accept_console_import", bind=True, max_retries=_IMPORT_PATIENCE)
def accept_console_import(self: Task, *, import_id: int) -> None:
    """Import a CSV whose preview was accepted; while its account is being synced, wait."""
    _when_free(self, console.accept_import, import_id)


@shared_task(name="sync.tasks.withdraw_console_import", bind=True, max_retries=_IMPORT_PATIENCE)
def withdraw_console_import(self: Task, *, import_id: int) -> None:
    """Take back the extensions an import set; while its account is being synced, wait."""
    _when_free(self, console.withdraw_import, import_id)


def _when_free(task: Task, work: Callable[[int], object], import_id: int) -> None:
    try:
        work(import_id)
    except AlreadyRunningError as error:
        if task.request.retries >= _IMPORT_PATIENCE:
            console.give_back(import_id, "A sync of this account has been running for an hour; try again later.")
            return
        raise task.retry(exc=error, countdown=_IMPORT_WAITS) from error
