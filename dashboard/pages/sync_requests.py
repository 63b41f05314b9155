"""Asking for a sync, and what the pages say until it is done."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboard import audit
from dashboard.queries.sync_status import Progress, SyncStatus, sync_status
from dashboard.scoped_request import ScopedRequest
from dashboard.task_queue import send
from sync.models import Account

# How long a request that no worker took up stays on the asker's pages, and when they start to wonder.
FORGOTTEN_AFTER = timedelta(minutes=10)
SLOW_AFTER = timedelta(seconds=20)
# Kept in the reader's session, by account.
REQUESTED, DECIDED = "sync_requested_at", "held_run_decided"


@dataclass(frozen=True)
class Decision:
    """Decision of the reader about a held run, until a worker has carried it out."""

    run_id: int
    is_publish: bool
    decided_at: datetime


@dataclass(frozen=True)
class SyncPanel:
    """The state of syncing as a page shows it; `shown_run` is the published run the reader has in front of them."""

    status: SyncStatus
    requested_at: datetime | None
    shown_run: int | None
    decision: Decision | None = None
    said: str = ""

    @property
    def saying(self) -> str:
        """State that a screen reader is told, as one word; it is told when the word changes."""
        if self.has_new_data:
            return "new"
        if self.is_live:
            return "live"
        return "problem" if self.problem else "calm"

    @property
    def has_news(self) -> bool:
        """Whether the page has not yet told its reader what there is to say."""
        return bool(self.said) and self.said != self.saying

    @property
    def is_waiting(self) -> bool:
        """Whether the reader asked for a sync and no worker has started it."""
        if self.requested_at is None or self.status.is_running:
            return False
        latest = self.status.latest
        return latest is None or latest.is_ahead or latest.run.started_at < self.requested_at

    @property
    def is_slow(self) -> bool:
        """Whether it has been waiting for longer than a free worker would need."""
        asked_at = self.decision.decided_at if self.is_deciding and self.decision else self.requested_at
        return asked_at is not None and self.status.as_of - asked_at > SLOW_AFTER

    @property
    def is_deciding(self) -> bool:
        """Whether the reader decided about the held run and no worker has carried it out."""
        latest = self.status.latest
        return (
            self.decision is not None
            and latest is not None
            and latest.is_held
            and latest.run.pk == self.decision.run_id
        )

    @property
    def is_live(self) -> bool:
        """Whether the page has something to follow from second to second."""
        return self.status.is_running or self.is_waiting or self.is_deciding

    @property
    def has_new_data(self) -> bool:
        """Whether a sync was published since the page was made."""
        return self.shown_run != self.status.account.published_run_id

    @property
    def problem(self) -> Progress | None:
        """The latest sync if it came to nothing and no other was asked for."""
        return None if self.is_waiting or self.is_deciding else self.status.problem


def sync_panel(request: ScopedRequest) -> SyncPanel:
    """Return the state of syncing for this reader; `shown` in the address says what their page was made from."""
    shown_run = request.account.published_run_id
    shown = request.GET.get("shown", "")
    if shown == "none":
        shown_run = None
    elif shown.isascii() and shown.isdecimal() and len(shown) < 19:
        shown_run = int(shown)
    return SyncPanel(
        sync_status(request.scope, as_of=request.now),
        _requested_at(request),
        shown_run,
        _decision(request),
        request.GET.get("said", ""),
    )


def ask_for_sync(request: ScopedRequest, *, full: bool = False) -> bool:
    """Queue a sync of the reader's account once the transaction is committed; False when one waits or runs already.

    `full` reads everything even where a quick pass would do. Two askers at the same moment both queue one; the task
    sees to it that one runs at a time.
    """
    if sync_panel(request).is_live:
        return False
    ask(request, request.account, full=full)
    return True


def ask(request: ScopedRequest, account: Account, *, full: bool = False) -> None:
    """Queue a sync, record who asked for it, and remember it, so that the account's pages say so until it begins."""
    send("sync.tasks.sync_account", account_id=account.pk, trigger="person", requested_by=request.user.pk, full=full)
    audit.record(
        audit.Action.STARTED_SYNC,
        account=account,
        user=request.user,
        subject=audit.Subject.ACCOUNT,
        subject_id=account.pk,
        details={"full": full},
    )
    request.session[_key(account, REQUESTED)] = request.now.isoformat()


def decide(request: ScopedRequest, run_id: int, *, publish: bool, reason: str) -> None:
    """Queue what the reader decided about a held run."""
    send("sync.tasks.resolve_run", run_id=run_id, publish=publish, reason=reason, user_id=request.user.pk)
    audit.record(
        audit.Action.PUBLISHED_HELD_RUN if publish else audit.Action.DISCARDED_HELD_RUN,
        account=request.account,
        user=request.user,
        subject=audit.Subject.RUN,
        subject_id=run_id,
    )
    request.session[_key(request.account, DECIDED)] = [run_id, publish, request.now.isoformat()]


def _key(account: Account, name: str) -> str:
    return f"{name}:{account.pk}"


def _requested_at(request: ScopedRequest) -> datetime | None:
    """Return when the reader asked for a sync, unless that is long ago."""
    text = request.session.get(_key(request.account, REQUESTED))
    return _recent(request, text) if text else None


def _decision(request: ScopedRequest) -> Decision | None:
    """Return what the reader decided about a held run, unless that is long ago."""
    kept = request.session.get(_key(request.account, DECIDED))
    decided_at = _recent(request, kept[2]) if kept else None
    return Decision(kept[0], kept[1], decided_at) if kept and decided_at else None


def _recent(request: ScopedRequest, text: str) -> datetime | None:
    asked_at = datetime.fromisoformat(text)
    return asked_at if abs(request.now - asked_at) < FORGOTTEN_AFTER else None
