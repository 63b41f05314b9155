"""Shares as they are read: one decimal, rounded down."""

from fractions import Fraction


def shown(numerator: int, denominator: int) -> str:
    """Return a share of a whole in percent: nothing of nothing is "–", and only a full house reads 100 %."""
    if not denominator:
        return "–"
    percent = Fraction(numerator * 100, denominator)
    if 0 < percent < Fraction(1, 10):
        return "<0.1%"
    tenths = int(percent * 10)
    if tenths == 1000:
        return "100%"
    return f"{tenths // 10}.{tenths % 10}%"
