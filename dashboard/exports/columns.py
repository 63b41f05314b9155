"""The columns of a list as a file has them: what is in them, and how each kind of value is written."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from dashboard.exports.csv_injection import neutralize
from dashboard.rate import Rate

_TENTH = Decimal("0.001")


class Kind(StrEnum):
    """Kind of a column. A day is a local day of the account, a moment its local time; a state is one of a few words.

    A rate is a `Rate`; a number may have decimals. An id is a whole number that nobody calculates with: its digits are
    a text, so that no separator and no rounding comes between them.
    """

    TEXT = "text"
    ID = "id"
    INTEGER = "integer"
    NUMBER = "number"
    RATE = "rate"
    DAY = "day"
    MOMENT = "moment"
    STATE = "state"
    LINK = "link"


@dataclass(frozen=True)
class Column:
    """One column. `key` names it in addresses, and in the SQL of lists that the database writes.

    `of` takes the value from a row of a list that is written here. `words` are those of a state, by its value; a value
    without a word is written as it is.
    """

    key: str
    heading: Any
    kind: Kind = Kind.TEXT
    is_default: bool = True
    of: Callable[[Any], Any] | None = None
    words: Mapping[str, Any] = field(default_factory=dict)
    width: int = 0

    def cell(self, value: Any, zone: ZoneInfo) -> Any:
        """Return a raw value as a typed one: local days and times, words of states, shares; None for nothing."""
        if value is None or value == "":
            return None
        if self.kind == Kind.DAY:
            return value.astimezone(zone).date() if isinstance(value, datetime) else value
        if self.kind == Kind.MOMENT:
            return value.astimezone(zone).replace(tzinfo=None, microsecond=0)
        if self.kind == Kind.STATE:
            return str(self.words.get(value, value))
        if self.kind == Kind.RATE:
            return share(value)
        return value if self.kind in _NUMBERS else str(value)

    def text(self, value: Any, zone: ZoneInfo, decimal: str = ".") -> str:
        """Return a raw value as CSV has it; nothing is empty. A rate is in percent: 96.4, or with a decimal comma."""
        found = self.cell(value, zone)
        if found is None:
            return ""
        if self.kind == Kind.RATE:
            return percent_text(found).replace(".", decimal)
        if self.kind == Kind.NUMBER:
            return str(found).replace(".", decimal)
        if isinstance(found, datetime):
            return found.isoformat(" ")
        if isinstance(found, date):
            return found.isoformat()
        return neutralize(found) if isinstance(found, str) else str(found)


_NUMBERS = frozenset({Kind.INTEGER, Kind.NUMBER})


def share(rate: Rate) -> Decimal | None:
    """Return a rate as a share of one, cut to a tenth of a percent as pages write it; None when nothing is counted.

    Under a tenth of a percent it is left exact: pages write "<0.1%", never 0 %.
    """
    if not rate.denominator:
        return None
    exact = Decimal(rate.numerator) / Decimal(rate.denominator)
    return exact if 0 < exact < _TENTH else exact.quantize(_TENTH, rounding=ROUND_DOWN)


def percent_text(found: Decimal) -> str:
    """Return a share in percent, without a sign: 96.4; under a tenth with two digits that count."""
    percent = found * 100
    if 0 < percent < Decimal("0.1"):
        return f"{float(f'{percent:.2g}'):f}".rstrip("0")
    return f"{percent:.1f}"
