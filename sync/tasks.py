"""Celery's way in: each task takes ids, calls one function and leaves the rest to the pipeline."""

import logging
from collections.abc import Callable

from celery import Task, shared_task
from django.utils import timezone

from config.sealing import SecretUnreadableError
from sync.models import Account, SyncRun
from sync.pipeline import console
from sync.pipeline.api_check import check_and_keep
from sync.pipeline.connection import check_connection
from sync.pipeline.resolve_run import NotHeldError, NotWholeError, resolve_held
from sync.pipeline.run import AlreadyRunningError, NotConnectedError
from sync.pipeline.schedule import accounts_due
from sync.pipeline.stopping import run_stoppable

logger = logging.getLogger(__name__)


# How often, and for how long, what somebody asked for waits for an account that is being synced or imported into.
_WAITS, _PATIENCE = 10.0, 360


@shared_task(name="sync.tasks.sync_account", bind=True, max_retries=_PATIENCE)
def sync_account(
    self: Task,
    *,
    account_id: int,
    trigger: str = SyncRun.Trigger.SCHEDULE,
    requested_by: int | None = None,
    full: bool = False,
) -> None:
    """Sync one account; nothing to do when another worker already does.

    What a person asked for waits for an import to end, which is no sync; the schedule asks again by itself.
    """
    account = Account.objects.get(pk=account_id)
    try:
        run_stoppable(account, trigger=SyncRun.Trigger(trigger), full=full, requested_by_id=requested_by)
    except (AlreadyRunningError, NotConnectedError, SecretUnreadableError) as error:
        is_waiting = isinstance(error, AlreadyRunningError) and trigger == SyncRun.Trigger.PERSON
        importing = account.runs.filter(kind=SyncRun.Kind.IMPORT, state=SyncRun.State.RUNNING)
        if is_waiting and self.request.retries < _PATIENCE and importing.exists():
            raise self.retry(exc=error, countdown=_WAITS) from error
        logger.warning("account %s was not synced: %s", account_id, error)


@shared_task(name="sync.tasks.resolve_run", bind=True, max_retries=_PATIENCE)
def resolve_run(self: Task, *, run_id: int, publish: bool, reason: str, user_id: int | None = None) -> None:
    """Publish a held run after all, or discard it, for the reason somebody gave.

    Of two who decide about the same run the first is heard. While its account is busy, the decision waits.
    """
    try:
        resolve_held(run_id, publish=publish, reason=reason, user_id=user_id)
    except (NotHeldError, NotWholeError) as error:
        logger.warning("a decision came to nothing: %s", error)
    except AlreadyRunningError as error:
        if self.request.retries >= _PATIENCE:
            logger.warning("the decision about a held run was given up: %s", error)
            return
        raise self.retry(exc=error, countdown=_WAITS) from error


@shared_task(name="sync.tasks.test_connection")
def test_connection(*, account_id: int) -> None:
    """Ask KnowBe4 who an account's key belongs to, and note the answer on the account."""
    check_connection(Account.objects.get(pk=account_id))


@shared_task(name="sync.tasks.check_api")
def check_api(*, account_id: int) -> None:
    """Ask KnowBe4 for two rows of everything, and keep what differs from what Rollcall expects."""
    check_and_keep(Account.objects.get(pk=account_id))


@shared_task(name="sync.tasks.start_due_syncs")
def start_due_syncs() -> None:
    """Queue a sync of every account whose interval has passed or whose paused run may go on."""
    for account in accounts_due(now=timezone.now()):
        sync_account.delay(account_id=account.pk)


@shared_task(name="sync.tasks.preview_console_import")
def preview_console_import(*, import_id: int) -> None:
    """Read an uploaded CSV and write down what importing it would do."""
    console.preview_import(import_id)


@shared_task(name="sync.tasks.accept_console_import", bind=True, max_retries=_PATIENCE)
def accept_console_import(self: Task, *, import_id: int) -> None:
    """Import a CSV whose preview was accepted; while its account is being synced, wait."""
    _when_free(self, console.accept_import, import_id)


@shared_task(name="sync.tasks.withdraw_console_import", bind=True, max_retries=_PATIENCE)
def withdraw_console_import(self: Task, *, import_id: int) -> None:
    """Take back the extensions an import set; while its account is being synced, wait."""
    _when_free(self, console.withdraw_import, import_id)


def _when_free(task: Task, work: Callable[[int], object], import_id: int) -> None:
    try:
        work(import_id)
    except AlreadyRunningError as error:
        if task.request.retries >= _PATIENCE:
            console.give_back(import_id, "A sync of this account has been running for an hour; try again later.")
            return
        raise task.retry(exc=error, countdown=_WAITS) from error
