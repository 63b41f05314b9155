"""The request allowance: what KnowBe4 grants in a day, what the syncs used of it, and what the next one may cost.

All of it is read from the runs: no page asks KnowBe4, nor the pacer, how much is left.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Sum

from dashboard.access import Scope
from sync.models import Account, SyncRun

DAY = timedelta(hours=24)


@dataclass(frozen=True)
class Part:
    """One line of a plan: what is read and how many requests that takes."""

    title: str
    requests: int


@dataclass(frozen=True)
class RunPlan:
    """Plan of a run, as it wrote it down before its first request."""

    kind: str
    total: int
    parts: tuple[Part, ...]
    skipped: tuple[str, ...]
    limit: int | None
    used: int
    reserve: int
    campaigns: int | None

    @classmethod
    def of(cls, run: SyncRun) -> "RunPlan | None":
        """Return the run's plan; None for a run that wrote none."""
        stored: Mapping[str, Any] = run.plan
        if not stored:
            return None
        campaigns = stored.get("campaign_ids")
        return cls(
            kind=stored.get("kind", run.kind),
            total=stored.get("total", 0),
            parts=tuple(Part(_title(name), count) for name, count in stored.get("requests", {}).items() if count),
            skipped=tuple(_title(sentence) for sentence in stored.get("skipped", ())),
            limit=stored.get("limit"),
            used=stored.get("used", 0),
            reserve=stored.get("reserve", 0),
            campaigns=None if campaigns is None else len(campaigns),
        )

    @property
    def is_full(self) -> bool:
        """Whether it reads everything."""
        return self.kind == SyncRun.Kind.FULL


@dataclass(frozen=True)
class Allowance:
    """Requests of the last 24 hours against the day's allowance; `limit` None: no limit."""

    account: Account
    limit: int | None
    used: int
    plan: RunPlan | None
    last: SyncRun | None
    as_of: datetime

    @property
    def percent(self) -> int | None:
        """Whole percent used, rounded down; None without a limit."""
        return None if not self.limit else min(100, self.used * 100 // self.limit)

    @property
    def runs_left(self) -> int | None:
        """Number of runs like the last plan that still fit beside the plan's reserve; None when nothing tells."""
        if self.limit is None or self.plan is None or not self.plan.total:
            return None
        return max(0, (self.limit - self.used - self.plan.reserve) // self.plan.total)

    @property
    def high(self) -> int:
        """Limit at which the meter turns: what is left from here on is the reserve."""
        return (self.limit or 0) * 9 // 10

    @property
    def low(self) -> int:
        """Limit at which the meter begins to warn: 70 % of the allowance."""
        return (self.limit or 0) * 7 // 10

    @property
    def next_at(self) -> datetime | None:
        """Time when the next run is due: when a paused one goes on, else an interval after the last began.

        None while one runs, while syncing is switched off, and without a key. A moment in the past means "any minute".
        """
        if not self.account.is_sync_enabled or not self.account.encrypted_key:
            return None
        if self.last is None:
            return self.as_of
        if self.last.state == SyncRun.State.RUNNING:
            return None
        if self.last.state == SyncRun.State.PAUSED and self.last.resume_at:
            return self.last.resume_at
        if self.last.started_at > self.as_of:
            return self.as_of
        return self.last.started_at + self.account.sync_interval

    @property
    def is_due(self) -> bool:
        """Whether the next run should begin any minute."""
        return self.next_at is not None and self.next_at <= self.as_of


def allowance(scope: Scope, latest: SyncRun | None, *, as_of: datetime) -> Allowance:
    """Return what the account's day holds; `latest` is its latest run. ValueError for a scope without account."""
    if scope.account is None:
        raise ValueError("A scope without an account has no allowance: its pages must not be asked for.")
    used = scope.runs().filter(started_at__gt=as_of - DAY).aggregate(used=Sum("requests_made"))["used"]
    return Allowance(
        account=scope.account,
        limit=scope.account.daily_allowance,
        used=used or 0,
        plan=RunPlan.of(latest) if latest else None,
        last=latest,
        as_of=as_of,
    )


def _title(text: str) -> str:
    return text[:1].upper() + text[1:]
