"""A share of a whole: what every percentage is made from."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Rate:
    """A share of a whole, kept as its two counts so that totals are recounted and rounding is exact."""

    numerator: int
    denominator: int

    @property
    def percent(self) -> float | None:
        """Percent, unrounded; None when the denominator is empty."""
        return self.numerator * 100 / self.denominator if self.denominator else None

    def points_since(self, earlier: "Rate") -> float | None:
        """Return the difference to an earlier rate in percentage points; None when either is empty."""
        if self.percent is None or earlier.percent is None:
            return None
        return self.percent - earlier.percent
