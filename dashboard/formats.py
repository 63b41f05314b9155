"""Format figures, times and marks for a page. Rounding happens here and nowhere before."""

from datetime import date, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from functools import lru_cache

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils import timezone
from django.utils.formats import date_format, time_format
from django.utils.safestring import SafeString
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from dashboard.local_days import day_of
from dashboard.markup import Markup
from dashboard.rate import Rate

NOTHING = "–"

_TENTH = Decimal("0.1")
# Lists write the same counts and dates over and over. Language and zone are what writing them depends on.


def _tenths(value: Rate | Decimal | float | None) -> str | None:
    """Return percent with one decimal, rounded down; None for nothing. Rates are cut exactly, from their counts."""
    if value is None:
        return None
    if isinstance(value, Rate):
        return _tenths_of(value.numerator, value.denominator) if value.denominator else None
    return _cut(Decimal(str(value)))


@lru_cache(maxsize=20_000)
def _tenths_of(numerator: int, denominator: int) -> str:
    return _cut(Decimal(numerator) * 100 / Decimal(denominator))


def _cut(exact: Decimal) -> str:
    if 0 < exact < _TENTH:
        return "<0.1"
    cut = exact.quantize(_TENTH, rounding=ROUND_DOWN)
    return "100" if cut == 100 else str(cut)


def percent(value: Rate | Decimal | float | None) -> str:
    """Write a percentage: one decimal, rounded down, so that only a full house reads 100 %. Nothing is "–"."""
    text = _tenths(value)
    return NOTHING if text is None else f"{text}%"


def percent_figure(value: Rate | Decimal | float | None) -> str:
    """Write a percentage without its sign, for figures whose unit is set apart. Nothing is "–"."""
    text = _tenths(value)
    return NOTHING if text is None else text


def points(value: float) -> str:
    """Write a difference of percentages without its sign: "2.3 points", "<0.1 points"."""
    text = _tenths(abs(value)) or "0.0"
    if text == "1.0":
        return _("1 point")
    return _("%(number)s points") % {"number": text}


def number(value: int | None) -> str:
    """Write a count with separators; None is "–"."""
    return NOTHING if value is None else _separated(value, get_language())


@lru_cache(maxsize=20_000)
def _separated(value: int, language: str | None) -> str:
    return str(intcomma(value))


def svg_percent(value: Rate | float | None) -> str:
    """Write a share as an SVG length; empty is zero."""
    share = value.percent if isinstance(value, Rate) else value
    return f"{min(share or 0.0, 100.0):.2f}%"


def clock(moment: datetime, as_of: datetime) -> str:
    """Write when something was, as short as is clear: "10:42", "yesterday, 10:42", "17 Nov, 10:42"."""
    there, here = timezone.localtime(moment), timezone.localtime(as_of)
    clock_time = time_format(there, "H:i")
    if there.date() == here.date():
        return clock_time
    if there.date() == here.date() - timedelta(days=1):
        return _("yesterday, %(time)s") % {"time": clock_time}
    return f"{date_format(there, 'j M' if there.year == here.year else 'j M Y')}, {clock_time}"


def absolute(moment: datetime) -> str:
    """Write a moment in full with its zone: "Tuesday 17 November 2026, 10:42:07 CET"."""
    return _in_full(moment, timezone.get_current_timezone_name(), get_language())


@lru_cache(maxsize=20_000)
def _in_full(moment: datetime, zone: str, language: str | None) -> str:
    return _written_in_full(timezone.localtime(moment), language)


def _written_in_full(there: datetime, language: str | None) -> str:
    return f"{_date_in_full(there.date(), language)}, {there:%H:%M:%S} {there.tzname()}"


# Moments of a list differ, and many are of one day.
@lru_cache(maxsize=5_000)
def _date_in_full(local: date, language: str | None) -> str:
    return date_format(local, "l j F Y")


def day(moment: datetime) -> str:
    """Write the local date of a moment: "17 Nov 2026"."""
    return _day(moment, timezone.get_current_timezone_name(), get_language())


@lru_cache(maxsize=20_000)
def _day(moment: datetime, zone: str, language: str | None) -> str:
    return _date(timezone.localtime(moment).date(), language)


@lru_cache(maxsize=5_000)
def _date(local: date, language: str | None) -> str:
    return date_format(local, "j M Y")


def last_day(ends_at: datetime) -> str:
    """Write the last local day before a moment: a role that ends at midnight holds for the whole day before."""
    return day(ends_at - timedelta(microseconds=1))


def stamp(moment: datetime | None) -> SafeString | str:
    """Draw a moment as its local date, in full on hover; nothing for None. For lists, which hold hundreds."""
    return "" if moment is None else _stamp(moment, timezone.get_current_timezone_name(), get_language())


_TIME = Markup('<time class="nowrap" datetime="{}" title="{}">{}</time>')


@lru_cache(maxsize=20_000)
def _stamp(moment: datetime, zone: str, language: str | None) -> SafeString:
    there = timezone.localtime(moment)
    return _TIME(there.isoformat(), _written_in_full(there, language), _date(there.date(), language))


def ahead(moment: datetime, as_of: datetime) -> str:
    """Write how many local days lie between: "today", "tomorrow", "in 10 days"; as of a past day, those from it on."""
    days = (timezone.localtime(moment).date() - day_of(as_of, timezone.get_current_timezone())).days
    if days <= 0:
        return _("today")
    if days == 1:
        return _("tomorrow")
    return ngettext("in %(days)s day", "in %(days)s days", days) % {"days": intcomma(days)}


def took(length: timedelta | None) -> str:
    """Write a duration as minutes and seconds, "2:04", with hours when there are any; None is "–"."""
    if length is None:
        return NOTHING
    seconds = max(0, int(length.total_seconds()))
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def in_words(length: timedelta) -> str:
    """Write a duration in words, as exact as is useful: "50 seconds", "1 minute 12 seconds", "2 hours"."""
    seconds = max(0, int(length.total_seconds()))
    minutes, hours = seconds // 60, seconds // 3600
    if hours:
        return ngettext("%(n)s hour", "%(n)s hours", hours) % {"n": intcomma(hours)}
    in_minutes = ngettext("%(n)s minute", "%(n)s minutes", minutes) % {"n": minutes}
    if minutes >= 5:
        return in_minutes
    in_seconds = ngettext("%(n)s second", "%(n)s seconds", seconds % 60) % {"n": seconds % 60}
    if minutes and seconds % 60:
        return f"{in_minutes} {in_seconds}"
    return in_minutes if minutes else in_seconds


def every(length: timedelta) -> str:
    """Write an interval exactly: "every hour", "every 90 minutes", "every 6 hours"."""
    minutes = int(length.total_seconds() // 60)
    hours, rest = divmod(minutes, 60)
    if rest or not hours:
        return ngettext("every %(n)s minute", "every %(n)s minutes", minutes) % {"n": intcomma(minutes)}
    return _("every hour") if hours == 1 else _("every %(n)s hours") % {"n": intcomma(hours)}
