"""Asking for a sync, and what the pages say until it is done."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from kombu.exceptions import OperationalError

from config.celery import app
from dashboard.access import ScopedRequest
from dashboard.queries.sync_status import Progress, SyncStatus, sync_status

# How long a request that no worker took up stays on the asker's pages, and when they start to wonder.
FORGOTTEN_AFTER = timedelta(minutes=10)
SLOW_AFTER = timedelta(seconds=20)
SESSION_KEY = "sync_requested_at"


class QueueUnreachableError(Exception):
    """The queue did not take the request: Redis is down or refuses."""


@dataclass(frozen=True)
class SyncPanel:
    """The state of syncing as a page shows it; `shown_run` is the published run the reader has in front of them."""

    status: SyncStatus
    requested_at: datetime | None
    shown_run: int | None

    @property
    def is_waiting(self) -> bool:
        """Whether the reader asked for a sync and no worker has started it."""
        if self.requested_at is None or self.status.is_running:
            return False
        latest = self.status.latest
        return latest is None or latest.run.started_at < self.requested_at

    @property
    def is_slow(self) -> bool:
        """Whether it has been waiting for longer than a free worker would need."""
        return self.requested_at is not None and self.status.as_of - self.requested_at > SLOW_AFTER

    @property
    def is_live(self) -> bool:
        """Whether the page has something to follow from second to second."""
        return self.status.is_running or self.is_waiting

    @property
    def has_new_data(self) -> bool:
        """Whether a sync was published since the page was made."""
        return self.shown_run != self.status.account.published_run_id

    @property
    def problem(self) -> Progress | None:
        """The latest sync if it came to nothing and no other was asked for."""
        return None if self.is_waiting else self.status.problem


def sync_panel(request: ScopedRequest) -> SyncPanel:
    """Return the state of syncing for this reader; `shown` in the address says what their page was made from."""
    shown_run = request.account.published_run_id
    shown = request.GET.get("shown", "")
    if shown == "none":
        shown_run = None
    elif shown.isascii() and shown.isdecimal() and len(shown) < 19:
        shown_run = int(shown)
    return SyncPanel(sync_status(request.scope, as_of=request.as_of), _requested_at(request), shown_run)


def ask_for_sync(request: ScopedRequest) -> bool:
    """Queue a sync of the reader's account once the transaction is committed; False when one waits or runs already.

    Two askers in the same instant both queue one; the task sees to it that one runs at a time. Raises
    `QueueUnreachableError` when the queue does not take it.
    """
    if sync_panel(request).is_live:
        return False
    account, user_id = request.account, request.user.pk

    def queue() -> None:
        app.send_task(
            "sync.tasks.sync_account",
            kwargs={"account_id": account.pk, "trigger": "person", "requested_by": user_id},
        )

    try:
        transaction.on_commit(queue)
    except OperationalError as error:
        raise QueueUnreachableError from error
    request.session[SESSION_KEY] = request.as_of.isoformat()
    return True


def _requested_at(request: ScopedRequest) -> datetime | None:
    """Return when the reader asked for a sync, unless that is long ago."""
    text = request.session.get(SESSION_KEY)
    if not text:
        return None
    asked_at = datetime.fromisoformat(text)
    return asked_at if request.as_of - asked_at < FORGOTTEN_AFTER else None
