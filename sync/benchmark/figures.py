"""One measured figure beside its goal."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Figure:
    """A figure: `value` in `unit`, and its goal, if it has one: to be `at_least` or `at_most` so much.

    `beside` holds numbers that belong to it, by name: what it is compared with, how often it was measured.
    """

    name: str
    value: float
    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None
    beside: Mapping[str, float] = field(default_factory=dict)

    @property
    def measured(self) -> str:
        """The value with its unit, for reading."""
        return _write(self.value, self.unit)

    @property
    def goal(self) -> str:
        """The goal in words; empty for a figure that only explains the others."""
        if self.at_least is not None:
            return f"at least {_write(self.at_least, self.unit)}"
        return "" if self.at_most is None else f"at most {_write(self.at_most, self.unit)}"

    @property
    def remarks(self) -> str:
        """Remarks beside it, for reading."""
        return ", ".join(f"{name} {_write(value, '')}" for name, value in self.beside.items())

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is met; None without one."""
        if self.at_least is not None:
            return self.value >= self.at_least
        return None if self.at_most is None else self.value <= self.at_most

    def as_json(self) -> dict[str, Any]:
        """Return the figure for `--json`."""
        return {
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "at_least": self.at_least,
            "at_most": self.at_most,
            "met": self.is_met,
            "beside": dict(self.beside),
        }


def _write(value: float, unit: str) -> str:
    number = f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.2f}"
    return f"{number} {unit}".strip()
