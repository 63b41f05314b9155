"""On which moments schedules fall, nights in which clocks change among them."""

from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dashboard.models import Schedule
from dashboard.outbox.calendar import latest, moment_of, upcoming
from sync.models import Campaign

BERLIN = ZoneInfo("Europe/Berlin")


def schedule(frequency: str, at: str = "07:00", **fields: Any) -> Schedule:
    return Schedule(frequency=frequency, at_time=time.fromisoformat(at), **fields)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "day", "at", "moment"),
    [
        ("Europe/Berlin", "2026-11-23", "07:00", "2026-11-23T06:00"),
        # Clocks go forward at 02:00: the next valid time is 03:00, which is 01:00 UTC.
        ("Europe/Berlin", "2026-03-29", "02:30", "2026-03-29T01:00"),
        ("Europe/Berlin", "2026-03-29", "02:00", "2026-03-29T01:00"),
        ("Europe/Berlin", "2026-03-29", "03:00", "2026-03-29T01:00"),
        ("Europe/Berlin", "2026-03-29", "01:59", "2026-03-29T00:59"),
        # Clocks go back at 03:00: of the two, the first.
        ("Europe/Berlin", "2026-10-25", "02:30", "2026-10-25T00:30"),
        ("America/Santiago", "2026-09-06", "00:15", "2026-09-06T04:00"),
        ("Australia/Lord_Howe", "2026-10-04", "02:10", "2026-10-03T15:30"),
        # A day that never was.
        ("Pacific/Apia", "2011-12-30", "12:00", "2011-12-30T10:00"),
        ("UTC", "2026-02-28", "23:59", "2026-02-28T23:59"),
    ],
)
def test_a_local_time_is_one_moment(zone: str, day: str, at: str, moment: str) -> None:
    assert moment_of(date.fromisoformat(day), time.fromisoformat(at), ZoneInfo(zone)) == utc(moment)


@pytest.mark.parametrize(
    ("fields", "at", "last", "following"),
    [
        ({"frequency": "weekly", "weekday": 0}, "2026-11-23T05:59", "2026-11-16T06:00", "2026-11-23T06:00"),
        ({"frequency": "weekly", "weekday": 0}, "2026-11-23T06:00", "2026-11-23T06:00", "2026-11-30T06:00"),
        ({"frequency": "weekly", "weekday": 6}, "2026-11-23T06:00", "2026-11-22T06:00", "2026-11-29T06:00"),
        ({"frequency": "monthly", "day_of_month": 31}, "2026-03-01T12:00", "2026-02-28T06:00", "2026-03-31T05:00"),
        ({"frequency": "monthly", "day_of_month": 1}, "2026-12-31T12:00", "2026-12-01T06:00", "2027-01-01T06:00"),
        ({"frequency": "quarterly", "day_of_month": 5}, "2026-01-02T12:00", "2025-10-05T05:00", "2026-01-05T06:00"),
        ({"frequency": "quarterly", "day_of_month": 31}, "2026-12-31T12:00", "2026-10-31T06:00", "2027-01-31T06:00"),
    ],
)
def test_days_before_and_after(fields: dict[str, Any], at: str, last: str, following: str) -> None:
    found = schedule(**fields)
    assert latest(found, utc(at), BERLIN) == utc(last)
    assert upcoming(found, utc(at), BERLIN) == utc(following)


def test_a_deadline_at_midnight_ends_the_day_before() -> None:
    campaign = Campaign(pk=5, end_at=utc("2026-11-27T23:00"))  # midnight in Berlin
    found = schedule("after_deadline", campaign=campaign, days_after=3)
    assert upcoming(found, utc("2026-11-20T00:00"), BERLIN) == utc("2026-11-30T06:00")
    assert latest(found, utc("2026-11-20T00:00"), BERLIN) is None
    assert latest(found, utc("2026-12-20T00:00"), BERLIN) == utc("2026-11-30T06:00")
    campaign.end_at = None
    assert latest(found, utc("2026-12-20T00:00"), BERLIN) is None


@pytest.mark.parametrize("weekday", range(7))
def test_every_week_of_a_year_has_one(weekday: int) -> None:
    found, at, seen = schedule("weekly", "02:30", weekday=weekday), utc("2026-01-01T00:00"), []
    while at < utc("2027-01-01T00:00"):
        following = upcoming(found, at, BERLIN)
        assert following is not None and following > at
        assert latest(found, following, BERLIN) == following
        seen.append(following)
        at = following
    assert len({moment.astimezone(BERLIN).date() for moment in seen}) == len(seen) >= 52
