"""Moments at which tallies are kept: exact ones from today on, the ends of local days and months before."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dashboard.local_days import local_midnight

# The larger grains keep single days this far back and whole months before: a page that looks further back, at a day
# within a month, is answered from the facts.
KEPT_DAYS = 92


@dataclass(frozen=True)
class Horizon:
    """The last local midnight before a moment, and where the larger grains begin to keep single days."""

    at: datetime
    days_from: datetime
    zone: ZoneInfo

    @classmethod
    def of(cls, moment: datetime, zone: ZoneInfo) -> "Horizon":
        """Return the horizon as it is at `moment`."""
        today = moment.astimezone(zone).date()
        kept = today - timedelta(days=KEPT_DAYS)
        return cls(local_midnight(today, zone), local_midnight(kept.replace(day=1), zone), zone)

    def days_since(self, first: datetime) -> list[datetime]:
        """Return every local midnight from the one before `first` (or at it) up to the horizon."""
        day, last = first.astimezone(self.zone).date(), self.at.astimezone(self.zone).date()
        return [local_midnight(day + timedelta(days=ahead), self.zone) for ahead in range((last - day).days + 1)]

    def months_since(self, first: datetime) -> list[datetime]:
        """Return every beginning of a local month after `first`, up to the horizon."""
        month = next_month(first.astimezone(self.zone).date())
        found = []
        while (start := local_midnight(month, self.zone)) <= self.at:
            found.append(start)
            month = next_month(month)
        return found

    def values(self, first: datetime) -> dict[str, Any]:
        """Return the parameters of the SQL below, for a past kept since `first`."""
        return {
            "horizon": self.at,
            "days_from": self.days_from,
            "zone": self.zone.key,
            "days": as_array(self.days_since(first)),
            # A past that begins with a month keeps what stood there.
            "months": as_array(self.months_since(first - timedelta(microseconds=1))),
        }


def as_array(moments: Iterable[datetime]) -> str:
    """Return moments as Postgres writes an array of them.

    Statements about tallies are given a thousand each: psycopg takes a hundredth of a second to write that many.
    """
    return "{" + ",".join(moment.isoformat() for moment in moments) + "}"


def next_month(day: date) -> date:
    """Return the first day of the month after a day's."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def is_midnight(moment: datetime, zone: ZoneInfo) -> bool:
    """Return whether a local day begins at this moment."""
    return local_midnight(moment.astimezone(zone).date(), zone) == moment


def is_month_start(moment: datetime, zone: ZoneInfo) -> bool:
    """Return whether a local month begins at this moment."""
    return is_midnight(moment, zone) and moment.astimezone(zone).day == 1


def _first_not_before(moment: str, moments: str) -> str:
    """Return the SQL for the first of an array of moments that is no earlier than `moment`."""
    # width_bucket counts the moments at or before; a tick of Postgres' clock earlier, those strictly before.
    return (
        f"(%({moments})s::timestamptz[])[1 + width_bucket({moment} - interval '1 microsecond', "
        f"%({moments})s::timestamptz[])]"
    )


# The end of the local day of a moment m in the past; what came before the days that are kept goes to the first of them.
END_OF_DAY = f"CASE WHEN m > %(horizon)s THEN m ELSE {_first_not_before('m', 'days')} END"
# The same for an end of a day, `at`, where only months are kept.
MONTH_NOT_BEFORE = _first_not_before("at", "months")
END_OF_MONTH = f"CASE WHEN at > %(days_from)s THEN at ELSE coalesce({MONTH_NOT_BEFORE}, %(days_from)s) END"
