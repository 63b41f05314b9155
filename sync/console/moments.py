"""Dates as people and programs write them: ISO, day first, month first, with month names, with and without a time.

Whether 05/11/2026 is in May or in November, one cell cannot say. A whole column can: one 17 in it decides. Where no
column of the file decides, it is asked for.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from zoneinfo import ZoneInfo

# Nothing KnowBe4 knows is older than KnowBe4 (2010); a deadline of the next century is a typing error.
FIRST_YEAR, LAST_YEAR = 2000, 2099

BLANKS = frozenset({"", "-", "–", "—", "n/a", "na", "none", "null", "never", "nil", "k. a.", "k.a.", "n.v.t.", "s/o"})


class Order(StrEnum):
    """The order of day and month in dates such as 05/11/2026."""

    DAY_FIRST = "day"
    MONTH_FIRST = "month"


class Precision(StrEnum):
    """Precision of a cell's moment; Postgres' own words for it."""

    DAY = "day"
    MINUTE = "minute"
    SECOND = "second"


@dataclass(frozen=True)
class Moment:
    """A moment in UTC, and how exactly the file tells it."""

    at: datetime
    precision: Precision


class NotADateError(ValueError):
    """The text is no date; the message says why, fit to follow "the due date "."""


_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january januar janvier janv enero ene januari",
            "feb february februar fevrier fevr fev febrero februari",
            "mar march marz maerz mars marzo maart mrt",
            "apr april avril avr abril abr",
            "may mai mayo mei",
            "jun june juni juin junio",
            "jul july juli juillet juil julio",
            "aug august aout agosto ago augustus",
            "sep sept september septembre septiembre",
            "oct october okt oktober octobre octubre",
            "nov november novembre noviembre",
            "dec december dez dezember decembre dic diciembre",
        ),
        start=1,
    )
    for name in names.split()
}
_TIME = (
    r"(?:(?:\s*T\s*|\s*,\s*|\s+)(?:(?:at|um|à|a\s+las|om)\s+)?"
    r"(?P<hour>\d{1,2})(?:[:.h](?P<minute>\d{2}))?(?:[:.](?P<second>\d{2})(?:[.,]\d{1,9})?)?"
    r"\s*(?P<half>[ap]\.?\s?m\.?)?(?:\s*Uhr)?"
    r"\s*(?P<zone>Z|(?:UTC|GMT)?\s*[+-]\d{1,2}(?::?\d{2})?|UTC|GMT)?)?"
)
_WEEKDAY = r"(?:[^\W\d]{2,12}\.?,\s+)?"
_FORMS = [
    re.compile(rf"{date}{_TIME}", re.IGNORECASE)
    for date in (
        r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})",
        r"(?P<one>\d{1,2})(?P<sign>[./-])\s?(?P<two>\d{1,2})[./-]\s?(?P<year>\d{4}|\d{2})",
        rf"{_WEEKDAY}(?P<day>\d{{1,2}})(?:\.|st|nd|rd|th|er)?[\s-]+(?:de\s+)?(?P<name>[^\W\d_]+)\.?,?[\s-]+(?:de\s+)?"
        r"(?P<year>\d{4})",
        rf"{_WEEKDAY}(?P<name>[^\W\d_]+)\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>\d{{4}})",
    )
]


@dataclass
class Votes:
    """Evidence in a column's dates for their order."""

    day_first: int = 0
    month_first: int = 0
    undecided: int = 0
    _seen: set[str] = field(default_factory=set, repr=False)

    def count(self, text: str) -> None:
        """Take a cell into account; the same text counts once."""
        if text in self._seen:
            return
        self._seen.add(text)
        match = _FORMS[1].fullmatch(text.strip())
        if match is None:
            return
        if int(match["one"]) > 12:
            self.day_first += 1
        elif int(match["two"]) > 12:
            self.month_first += 1
        elif match["sign"] == ".":
            # Nobody writes dots with the month first.
            self.day_first += 1
        elif match["one"] != match["two"]:
            self.undecided += 1

    @property
    def order(self) -> Order | None:
        """The order that more dates prove; None when none does, or as many prove the one as the other."""
        if self.day_first == self.month_first:
            return None
        return Order.DAY_FIRST if self.day_first > self.month_first else Order.MONTH_FIRST

    @property
    def is_open(self) -> bool:
        """Whether the column needs an order and does not prove one."""
        return self.order is None and self.day_first + self.month_first + self.undecided > 0


def decide(column: Votes, others: Iterable[Votes]) -> Order | None:
    """Return a column's order: as its own dates prove, else as the file's other columns do. None: it must be asked for.

    One program writes all columns of a file in one way.
    """
    if column.order is not None or not column.is_open:
        return column.order
    orders = {votes.order for votes in others if votes.order is not None}
    return orders.pop() if len(orders) == 1 else None


class MomentReader:
    """Reads one column's dates in a time zone; dates that name their own zone keep it."""

    def __init__(self, zone: ZoneInfo, order: Order | None) -> None:
        self.zone = zone
        self.order = order
        self._read: dict[str, Moment | None] = {}

    def start(self, text: str) -> Moment | None:
        """Return the moment, a date alone as the beginning of its day; None for a blank. NotADateError for no date."""
        if text not in self._read:
            self._read[text] = self._parse(text.strip())
        return self._read[text]

    def end(self, text: str) -> Moment | None:
        """Return the moment, a date alone as the last second of its day: whoever finishes on the due day is on time.

        Midnight would do for that; but pages would then show, and count from, the day after the one in the file.
        """
        found = self.start(text)
        if found is None or found.precision is not Precision.DAY:
            return found
        local = found.at.astimezone(self.zone).replace(tzinfo=None) + timedelta(days=1, seconds=-1)
        return Moment(local.replace(tzinfo=self.zone).astimezone(UTC), Precision.DAY)

    def _parse(self, text: str) -> Moment | None:
        if text.lower() in BLANKS:
            return None
        for form in _FORMS:
            match = form.fullmatch(text)
            if match:
                break
        else:
            raise NotADateError(f"“{text[:40]}” is not a date")
        parts = match.groupdict()
        try:
            year, month, day = self._date(parts, text)
            hour, precision = self._hour(parts)
            local = datetime(year, month, day, hour, int(parts["minute"] or 0), int(parts["second"] or 0))  # noqa: DTZ001
        except NotADateError:
            raise
        except ValueError:
            raise NotADateError(f"“{text[:40]}” does not exist in the calendar") from None
        if not FIRST_YEAR <= year <= LAST_YEAR:
            raise NotADateError(f"“{text[:40]}” lies outside the years {FIRST_YEAR} to {LAST_YEAR}")
        return Moment(local.replace(tzinfo=self._zone(parts["zone"])).astimezone(UTC), precision)

    def _date(self, parts: dict[str, str | None], text: str) -> tuple[int, int, int]:
        year = int(parts["year"] or 0)
        if parts.get("name"):
            month = _MONTHS.get(_plain(parts["name"] or ""))
            if month is None:
                raise NotADateError(f"“{text[:40]}” names no month that is known")
            return year, month, int(parts["day"] or 0)
        if "one" not in parts:
            return year, int(parts["month"] or 0), int(parts["day"] or 0)
        if year < 100:
            year += 2000
        one, two = int(parts["one"] or 0), int(parts["two"] or 0)
        # Without an order only the same day and month can come here: every other date is asked about first.
        return (year, one, two) if self.order is Order.MONTH_FIRST else (year, two, one)

    def _hour(self, parts: dict[str, str | None]) -> tuple[int, Precision]:
        if parts["hour"] is None:
            return 0, Precision.DAY
        hour = int(parts["hour"])
        if parts["half"]:
            if not 1 <= hour <= 12:
                raise ValueError(hour)
            hour = hour % 12 + (12 if parts["half"][0] in "pP" else 0)
        elif parts["minute"] is None:
            raise ValueError(hour)
        return hour, Precision.MINUTE if parts["second"] is None else Precision.SECOND

    def _zone(self, text: str | None) -> ZoneInfo | timezone:
        if not text:
            return self.zone
        match = re.search(r"([+-])(\d{1,2}):?(\d{2})?$", text)
        if match is None:
            return UTC
        offset = timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
        return timezone(-offset if match[1] == "-" else offset)


def _plain(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name.casefold().replace("ä", "a"))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
