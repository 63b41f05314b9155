"""Stamp of every report beside its numbers: whose they are, as of when, from which sync, and what was asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from dashboard.access import Scope
from dashboard.figures.selection import Basis
from sync.models import SyncRun


@dataclass(frozen=True)
class Stamp:
    """The circumstances of a report.

    `reader` is the email of whose scope was applied, empty for the operator's, who sees everybody. `day` is the local
    day that `as_of` ends, if a day was asked for. `filters` are those given, in words.
    """

    scope: Scope
    run: SyncRun
    as_of: datetime
    day: date | None = None
    reader: str = ""
    basis: Basis = Basis.NOW
    filters: Mapping[str, object] = field(default_factory=dict)

    @property
    def account(self) -> str:
        """The account's name."""
        return self.scope.account.name if self.scope.account else ""

    @property
    def time_zone(self) -> str:
        """The zone in which days and quarters are counted."""
        return self.scope.account.time_zone if self.scope.account else "UTC"

    def local(self, moment: datetime) -> datetime:
        """Return a moment in the account's zone."""
        return moment.astimezone(self.scope.account.zone) if self.scope.account else moment
