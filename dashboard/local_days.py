"""Days and quarters of a time zone, and which of them a moment belongs to."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

# KnowBe4 is younger than this.
EARLIEST_YEAR = 2000


def day_of(as_of: datetime, zone: ZoneInfo) -> date:
    """Return the local day that figures as of a moment belong to: that of the last moment before it.

    So midnight belongs to the day that it ends, and any other moment to its own.
    """
    return (as_of - timedelta(microseconds=1)).astimezone(zone).date()


def local_midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the moment at which a local day begins."""
    return datetime.combine(day, time.min, tzinfo=zone)


def quarter_name(day: date) -> str:
    """Return what the quarter that a day is in is called: "Q3 2026"."""
    return f"Q{(day.month - 1) // 3 + 1} {day.year}"
