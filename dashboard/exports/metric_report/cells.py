"""One number as it is told: its parts, its value, and how it is written."""

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from dashboard.formats import NOTHING, number, percent
from dashboard.metrics.registry import Value
from dashboard.rate import Rate


@dataclass(frozen=True)
class Cell:
    """A value unrounded (percent, a count or days; None: nothing to divide by), its parts, and as it is shown.

    A count has no denominator; days have the finishers in both parts.
    """

    value: float | int | None = None
    numerator: int | None = None
    denominator: int | None = None
    shown: str = NOTHING

    @classmethod
    def of(cls, value: Value) -> "Cell":
        """Return a rate, rounded down to one decimal, or a count."""
        if isinstance(value, Rate):
            return cls(value.percent, value.numerator, value.denominator, percent(value))
        return cls(value, value, None, number(value))

    @classmethod
    def of_days(cls, days: float | None, finishers: int) -> "Cell":
        """Return days, rounded down to one decimal as rates are."""
        if days is None:
            return cls(None, 0, 0)
        shown = Decimal(str(days)).quantize(Decimal("0.1"), rounding=ROUND_DOWN)
        return cls(days, finishers, finishers, f"{shown:,}")


@dataclass(frozen=True)
class Pair:
    """A number without what is exempt, the headline, and with it; `year_before` is the headline of a year before."""

    net: Cell = Cell()
    gross: Cell = Cell()
    year_before: Cell | None = None
