"""Moments as whole seconds since 1970 (UTC), and their form on the wire.

The world counts in integers because it holds millions of moments; datetimes appear only where it is asked.
"""

import calendar
import re
from datetime import UTC, date, datetime, timedelta

DAY = 86_400
HOUR = 3_600
NEVER = 1 << 40
"""A moment that does not come: later than any that can be asked for."""

FOUNDING = int(datetime(2023, 11, 1, tzinfo=UTC).timestamp())
"""Time when every invented company opens its KnowBe4 account. Before it all lists are empty."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RELATIVE = re.compile(r"(\d+) (day|week|month)s?")
_days: dict[int, bytes] = {}
_times = [b'%02d:%02d:%02d.000Z"' % (at // HOUR, at // 60 % 60, at % 60) for at in range(DAY)]


def seconds(at: datetime) -> int:
    """Return the whole second that has begun at `at`. A datetime without a time zone raises ValueError."""
    if at.tzinfo is None:
        raise ValueError("A moment needs a time zone.")
    return (at - _EPOCH) // timedelta(seconds=1)


def moment(at: int) -> datetime:
    """Return the aware UTC datetime of a second."""
    return _EPOCH + timedelta(seconds=at)


def moment_or_none(at: int) -> datetime | None:
    """Return the datetime, or None for NEVER."""
    return None if at >= NEVER else _EPOCH + timedelta(seconds=at)


def stamp(at: int) -> bytes:
    """Return the quoted wire form, `"2021-10-19T19:16:09.000Z"`, or `null` for NEVER (seen live)."""
    if at >= NEVER:
        return b"null"
    day = at // DAY
    head = _days.get(day)
    if head is None:
        head = _days[day] = moment(day * DAY).strftime('"%Y-%m-%dT').encode()
    return head + _times[at % DAY]


def wire_time(at: datetime | None) -> str | None:
    """Return the wire form of a datetime: ISO 8601, always `.000`, always `Z`; None stays None."""
    return None if at is None else f"{at.isoformat(timespec='seconds')[:19]}.000Z"


def month_start(index: int) -> int:
    """Return the first second of the month `index` months after the founding (0 is the founding month)."""
    year, month = divmod(2023 * 12 + 10 + index, 12)
    return int(datetime(year, month + 1, 1, tzinfo=UTC).timestamp())


def month_index(at: int) -> int:
    """Return how many months after the founding month a moment lies (negative before it)."""
    when = moment(at)
    return when.year * 12 + when.month - 1 - (2023 * 12 + 10)


def year_month(index: int) -> tuple[int, int]:
    """Return the calendar year and month (1 to 12) of a month index."""
    year, month = divmod(2023 * 12 + 10 + index, 12)
    return year, month + 1


def at_hour(year: int, month: int, day: int, hour: int = 9) -> int:
    """Return a moment on a calendar day, moved to the next Monday when it falls on a weekend."""
    when = datetime(year, month, day, hour, tzinfo=UTC)
    if when.weekday() >= 5:
        when += timedelta(days=7 - when.weekday())
    return int(when.timestamp())


def add_relative(start: int, relative: str) -> int:
    """Return `start` plus a duration such as "2 weeks", "10 days" or "1 month".

    A month is a calendar month, clipped to its last day. Any other text raises ValueError.
    """
    match = _RELATIVE.fullmatch(relative)
    if match is None:
        raise ValueError(f"Unknown relative duration: {relative!r}")
    number, unit = int(match[1]), match[2]
    if unit != "month":
        return start + number * (7 if unit == "week" else 1) * DAY
    when = moment(start)
    year, month = divmod(when.year * 12 + when.month - 1 + number, 12)
    day = min(when.day, calendar.monthrange(year, month + 1)[1])
    return int(when.replace(year=year, month=month + 1, day=day).timestamp())


def day_of(at: int) -> date:
    """Return the UTC calendar day of a moment."""
    return moment(at).date()
