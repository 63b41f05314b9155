"""Formats of figures and times."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from dashboard import formats
from dashboard.rate import Rate

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (99.96, "99.9%"),
        (Rate(9996, 10000), "99.9%"),
        (Rate(999_999, 1_000_000), "99.9%"),
        (Rate(29, 100), "29.0%"),
        (Rate(2, 3), "66.6%"),
        (Rate(7, 7), "100%"),
        (100, "100%"),
        (Rate(0, 7), "0.0%"),
        (Rate(1, 1001), "<0.1%"),
        (Rate(1, 1000), "0.1%"),
        (0.04, "<0.1%"),
        (Decimal("84.69"), "84.6%"),
        (Rate(0, 0), "–"),
        (None, "–"),
    ],
)
def test_percent_is_rounded_down(value: Rate | float | Decimal | None, text: str) -> None:
    assert formats.percent(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(-2.34, "2.3 points"), (1.0, "1 point"), (1.09, "1 point"), (0.03, "<0.1 points")],
)
def test_points_say_the_size_of_a_difference(value: float, text: str) -> None:
    assert formats.points(value) == text


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (NOW - timedelta(minutes=48), "09:42"),
        (NOW - timedelta(hours=11), "yesterday, 23:30"),
        (NOW - timedelta(days=6), "17 Nov, 10:30"),
        (NOW - timedelta(days=366), "22 Nov 2025, 10:30"),
    ],
)
def test_clock_is_as_short_as_is_clear(moment: datetime, text: str) -> None:
    with timezone.override(ZoneInfo("Europe/Berlin")):
        assert formats.clock(moment, NOW) == text


def test_absolute_names_the_zone() -> None:
    with timezone.override(ZoneInfo("Europe/Berlin")):
        assert formats.absolute(NOW) == "Monday 23 November 2026, 10:30:00 CET"


@pytest.mark.parametrize(
    ("hours", "text"), [(-1, "today"), (12, "today"), (13, "tomorrow"), (37, "in 2 days"), (24 * 30, "in 30 days")]
)
def test_ahead_counts_local_days(hours: int, text: str) -> None:
    with timezone.override(ZoneInfo("Europe/Berlin")):
        assert formats.ahead(NOW + timedelta(hours=hours, minutes=30), NOW) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (124, "2:04"), (3600, "1:00:00"), (7384, "2:03:04"), (None, "–")]
)
def test_took(seconds: int | None, text: str) -> None:
    assert formats.took(None if seconds is None else timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 seconds"),
        (1, "1 second"),
        (60, "1 minute"),
        (72, "1 minute 12 seconds"),
        (400, "6 minutes"),
        (7300, "2 hours"),
    ],
)
def test_in_words(seconds: int, text: str) -> None:
    assert formats.in_words(timedelta(seconds=seconds)) == text


def test_number_of_nothing_is_a_dash() -> None:
    assert formats.number(None) == "–"
    assert formats.number(61204) == "61,204"
