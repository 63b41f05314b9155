"""Age of the data, and state of the sync."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.db.models import Count
from django.utils.translation import gettext as _

from config.sealing import SecretUnreadableError
from dashboard.access import Scope
from sync.models import Account, SyncRun

# A running sync stamps itself every few seconds; silent for this long, its worker is taken to be gone.
SILENT_AFTER = timedelta(minutes=2)
# Clocks of several machines differ by less than this; what lies further ahead was written by one that was wrong.
SKEW = timedelta(minutes=1)
# How a run notes that somebody stopped it.
STOPPED = "StopAskedError"
# Reading takes nearly all of a run; the rest is for checking and publishing.
READING_SHARE = 0.92
CHECKED_SHARE = 0.95


@dataclass(frozen=True)
class Step:
    """One list of a running sync: how far its reading is."""

    title: str
    state: str
    rows: int | None
    rejected: int
    requests: int
    expected: int | None


@dataclass(frozen=True)
class Progress:
    """One sync as seen at a moment.

    Its numbers are of the whole company: without `tells_numbers`, for who sees some people, rows, requests and changes
    are None, and why it was held is said without them.
    """

    run: SyncRun
    as_of: datetime
    tells_numbers: bool = True

    @property
    def is_running(self) -> bool:
        """Whether it is at work and has been heard of lately."""
        return self.run.state == SyncRun.State.RUNNING and not self.is_silent

    @property
    def is_silent(self) -> bool:
        """Whether it says it is running but has not been heard of for two minutes, by either clock."""
        return self.run.state == SyncRun.State.RUNNING and abs(self.as_of - self.run.heartbeat_at) > SILENT_AFTER

    @property
    def is_ahead(self) -> bool:
        """Whether it is dated in the future: the clock was ahead when it ran, and was set back since."""
        return self.run.started_at > self.as_of + SKEW

    @property
    def has_problem(self) -> bool:
        """Whether it ended, or stopped, without publishing anything."""
        stopped = {SyncRun.State.FAILED, SyncRun.State.HELD, SyncRun.State.PAUSED}
        return self.is_silent or self.run.state in stopped

    @property
    def is_held(self) -> bool:
        """Whether it waits for somebody's decision."""
        return self.run.state == SyncRun.State.HELD

    @property
    def can_be_published(self) -> bool:
        """Whether a held run may be published after all: only if each of its lists was read to its end."""
        return self.is_held and not self.run.error_kind and all(step.state == "done" for step in self.steps)

    @property
    def message(self) -> str:
        """Reason that it was held, paused or failed, as a sentence; empty where the run says nothing."""
        checked = {SyncRun.State.HELD, SyncRun.State.DISCARDED, SyncRun.State.PUBLISHED}
        if self.run.message and not self.tells_numbers and self.run.state in checked:
            return _("The lists changed more than a sync publishes by itself.")
        return self.run.message

    @property
    def requests(self) -> int | None:
        """Number of requests it made of KnowBe4."""
        return self.run.requests_made if self.tells_numbers else None

    @property
    def reason(self) -> str:
        """Reason that it published nothing, to go on after a colon: "enrollments fell from 61,204 to 3"."""
        message = self.message.rstrip(".")
        return message if message.startswith("KnowBe4") else message[:1].lower() + message[1:]

    @property
    def result(self) -> str:
        """State as one word for marks and styles; "silent" for a run that stopped answering."""
        return "silent" if self.is_silent else self.run.state

    @property
    def is_import(self) -> bool:
        """Whether it is no sync but a file of KnowBe4's console that somebody imported."""
        return self.run.kind == SyncRun.Kind.IMPORT

    @property
    def is_stopping(self) -> bool:
        """Whether somebody asked that it stop, and it has not yet."""
        return self.run.state == SyncRun.State.RUNNING and self.run.resolved_at is not None

    @property
    def is_stopped(self) -> bool:
        """Whether it ended because somebody stopped it."""
        return self.run.state == SyncRun.State.DISCARDED and self.run.error_kind == STOPPED

    @property
    def can_be_stopped(self) -> bool:
        """Whether it is a sync at work that nobody has asked to stop, and that has not begun to publish."""
        return (
            self.is_running and not self.is_import and not self.is_stopping and self.run.phase != SyncRun.Phase.PUBLISH
        )

    @property
    def word(self) -> str:
        """State, as its lines on the pages say it."""
        if self.is_silent:
            return _("Stopped answering")
        if self.is_stopped:
            return _("Stopped")
        return _("Stopping") if self.is_stopping else str(self.run.get_state_display())

    @cached_property
    def steps(self) -> list[Step]:
        """The lists it reads, in reading order where the run says it, else done, reading, waiting."""
        order = {"done": 0, "reading": 1, "waiting": 2}
        lists: Mapping[str, dict[str, Any]] = self.run.resources
        # JSONB keeps no order of keys, so a run that knows the order writes it into each list.
        entries = sorted(
            lists.items(),
            key=lambda item: (item[1].get("position", 0), order.get(item[1].get("state", ""), 2), item[0]),
        )
        return [
            Step(
                title=entry.get("title") or name.replace("_", " ").capitalize(),
                state=entry.get("state", "waiting"),
                rows=entry.get("rows", 0) if self.tells_numbers else None,
                rejected=entry.get("rejected", 0) if self.tells_numbers else 0,
                requests=entry.get("requests", 0) if self.tells_numbers else 0,
                expected=entry.get("expected") if self.tells_numbers else None,
            )
            for name, entry in entries
        ]

    @property
    def current(self) -> Step | None:
        """The list being read; None before the first and after the last."""
        return next((step for step in self.steps if step.state == "reading"), None)

    @property
    def share(self) -> float | None:
        """Share that is done, from 0 to 1; None when nothing tells how much there is, as in a first sync."""
        if self.run.phase == SyncRun.Phase.PUBLISH:
            return CHECKED_SHARE
        if self.run.phase == SyncRun.Phase.CHECK:
            return READING_SHARE
        if self.run.phase == SyncRun.Phase.DONE:
            return 1.0
        if not self.steps or any(step.expected is None for step in self.steps if step.state != "done"):
            return None
        sizes = [(step, step.rows or 0, max(step.expected or 0, step.rows or 0, 1)) for step in self.steps]
        whole = sum(size for _step, _rows, size in sizes)
        read = sum(size if step.state == "done" else rows for step, rows, size in sizes)
        return READING_SHARE * min(1.0, read / whole)

    @property
    def percent(self) -> int | None:
        """The share as whole percent; None when it cannot be known."""
        return None if self.share is None else int(self.share * 100)

    @property
    def elapsed(self) -> timedelta:
        """Time it has been running, or took; nothing where the clock was set back meanwhile."""
        return max((self.run.finished_at or self.as_of) - self.run.started_at, timedelta(0))

    @property
    def remaining(self) -> timedelta | None:
        """Time it will still take at the pace so far; None until a twentieth and three seconds are done.

        None also while checking and publishing, whose pace says nothing about their end.
        """
        if not self.is_running or self.run.phase != SyncRun.Phase.FETCH or self.share is None:
            return None
        if self.share < 0.05 or self.elapsed < timedelta(seconds=3):
            return None
        seconds = self.elapsed.total_seconds() * (1 - self.share) / self.share
        # A figure that jumps each second reads worse than one rounded to what can be known.
        step = 5 if seconds < 60 else 30
        return timedelta(seconds=max(step, round(seconds / step) * step))

    @property
    def took(self) -> timedelta | None:
        """Time it took; None while it runs."""
        return self.elapsed if self.run.finished_at else None

    @property
    def changes(self) -> int | None:
        """Rows that publish inserted, changed, marked vanished or restored; None when nothing was published."""
        if self.run.published_at is None or not self.tells_numbers:
            return None
        return sum(sum(table.values()) for table in self.run.counts.values())


@dataclass(frozen=True)
class SyncStatus:
    """Data that an account's pages show, and the latest attempt to renew it."""

    account: Account
    latest: Progress | None
    as_of: datetime

    @property
    def has_data(self) -> bool:
        """Whether any sync has been published."""
        return self.account.published_run_id is not None

    @property
    def has_key(self) -> bool:
        """Whether KnowBe4 can be asked at all: there is a key, and it can be read."""
        return bool(self.account.encrypted_key) and not self.key_problem

    @cached_property
    def key_problem(self) -> str:
        """Fault of the stored key, as a sentence; empty when nothing is."""
        return key_problem(self.account)

    @property
    def is_from_files(self) -> bool:
        """Whether the pages show what files of KnowBe4's console told: there is no key to ask KnowBe4 with."""
        return not self.account.encrypted_key

    @property
    def is_running(self) -> bool:
        """Whether a sync is at work now."""
        return self.latest is not None and self.latest.is_running

    @property
    def problem(self) -> Progress | None:
        """The latest sync if it came to nothing; None when it published, or is still at work."""
        return self.latest if self.latest is not None and self.latest.has_problem else None

    @property
    def is_late(self) -> bool:
        """Whether the data is older than three intervals of a sync that should be running; never without a key."""
        read_at = self.account.data_as_of
        return (
            self.account.is_sync_enabled
            and not self.is_from_files
            and read_at is not None
            and self.as_of - read_at > max(3 * self.account.sync_interval, timedelta(hours=3))
        )


def is_outdated(account: Account, *, now: datetime) -> bool:
    """Return whether the last published sync is older than twice the account's interval.

    Before the first one the account's age counts. Never without a key, nor where syncs are switched off.
    """
    if not account.encrypted_key or not account.is_sync_enabled:
        return False
    return now - (account.published_at or account.created_at) > 2 * account.sync_interval


def key_problem(account: Account) -> str:
    """Return why the account's stored key cannot be read, as a sentence; empty when it can, or none is stored."""
    try:
        bool(account.api_key)
    except SecretUnreadableError as error:
        return str(error)
    return ""


def progress_of(scope: Scope, run: SyncRun, *, as_of: datetime) -> Progress:
    """Return a run of the scope's account as its reader may be told of it."""
    return Progress(run, as_of, tells_numbers=scope.sees_everyone)


def sync_status(scope: Scope, *, as_of: datetime) -> SyncStatus:
    """Return how the scope's account stands with KnowBe4, by its latest sync.

    An imported file is none, and hides no held sync; only where there is no key are imports all there is.
    """
    if scope.account is None:
        raise ValueError("A scope without an account has no sync: its pages must not be asked for.")
    runs = scope.runs()
    if scope.account.encrypted_key:
        runs = runs.exclude(kind=SyncRun.Kind.IMPORT)
    run = runs.order_by("-number").first()
    return SyncStatus(scope.account, progress_of(scope, run, as_of=as_of) if run else None, as_of)


def latest_runs(scope: Scope, *, as_of: datetime) -> dict[int, Progress]:
    """Return the latest run of each account the reader administers, by the account's key."""
    runs = scope.managed_runs().order_by("account_id", "-number").distinct("account_id")
    return {run.account_id: Progress(run, as_of) for run in runs}


def recent_runs(scope: Scope, *, as_of: datetime, limit: int = 24) -> list[Progress]:
    """Return the latest runs, newest first, each with the number of rows it set aside as `set_aside`."""
    runs = (
        scope.runs()
        .select_related("requested_by", "resolved_by")
        .annotate(set_aside=Count("quarantined"))
        .order_by("-number")[:limit]
    )
    return [progress_of(scope, run, as_of=as_of) for run in runs]
