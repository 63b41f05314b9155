"""On which moments a schedule falls: pure functions of its days, its local time and the account's zone."""

from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dashboard.models import Schedule

_QUARTER_STARTS = frozenset({1, 4, 7, 10})


def moment_of(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Return the moment of a local time on a day.

    A time that a day has twice, when clocks go back, is its first. One that it has not, when they go forward, is the
    first moment after the gap.
    """
    local = datetime.combine(day, at)
    early, late = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if early <= late:
        return early
    # In a gap the two readings are on both sides of the change of offset: `late` before it, `early` after.
    before, after = late, early
    offset = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = (before + (after - before) / 2).replace(microsecond=0)
        if middle in (before, after):
            break
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after


def latest(schedule: Schedule, at: datetime, zone: ZoneInfo) -> datetime | None:
    """Return the last moment up to `at` that the schedule falls on, whether or not it was running then.

    None where there is none yet: a campaign without an end, or one whose day has not come.
    """
    return max((moment for moment in _around(schedule, at, zone) if moment <= at), default=None)


def upcoming(schedule: Schedule, at: datetime, zone: ZoneInfo) -> datetime | None:
    """Return the first moment after `at` that the schedule falls on; None when there is none (any more)."""
    return min((moment for moment in _around(schedule, at, zone) if moment > at), default=None)


def _around(schedule: Schedule, at: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """Yield the moments before and after `at`: the nearest of both, and some more."""
    for day in _days(schedule, at.astimezone(zone).date(), zone):
        yield moment_of(day, schedule.at_time, zone)


def _days(schedule: Schedule, today: date, zone: ZoneInfo) -> Iterator[date]:
    if schedule.frequency == Schedule.Frequency.AFTER_DEADLINE:
        ends_at = schedule.campaign.end_at if schedule.campaign else None
        if ends_at is not None:
            # A deadline at midnight ends the day before.
            last_day = (ends_at - timedelta(microseconds=1)).astimezone(zone).date()
            yield last_day + timedelta(days=schedule.days_after or 0)
        return
    if schedule.frequency == Schedule.Frequency.WEEKLY:
        monday = today - timedelta(days=today.weekday())
        for week in (-1, 0, 1):
            yield monday + timedelta(days=7 * week + (schedule.weekday or 0))
        return
    # Quarters begin every third month: five months back and on hold one of either kind.
    for months in range(-4, 5):
        number = today.year * 12 + today.month - 1 + months
        year, month = divmod(number, 12)
        month += 1
        if schedule.frequency == Schedule.Frequency.MONTHLY or month in _QUARTER_STARTS:
            yield date(year, month, min(schedule.day_of_month or 1, monthrange(year, month)[1]))
