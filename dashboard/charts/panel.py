"""A panel with a chart: the sentence, what is drawn, and the table of the same numbers (`components/chart.html`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.charts.periods import NARROW, WIDE, Drawing, Plot, draw
from dashboard.charts.plotly_figure import figure
from dashboard.isolation import isolated_in


@dataclass(frozen=True)
class Cell:
    """A number of a chart's table; `address` is where the rows behind it are."""

    text: str
    address: str = ""


@dataclass(frozen=True)
class Chart:
    """Everything a panel with a chart shows: the sentence, what is drawn, and the table of the same numbers.

    `passport` is the address that says what the number is made of; empty where no metric is it.
    """

    name: str
    finding: str
    what: str
    plot: Plot
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Cell]]]
    passport: str = ""

    @property
    def figure(self) -> dict[str, Any]:
        """Plotly's figure of it; it goes to a script, where no middleware sees its names."""
        return dict(isolated_in(figure(self.plot)))

    @property
    def wide(self) -> Drawing:
        """The drawing for a wide panel."""
        return draw(self.plot, WIDE)

    @property
    def narrow(self) -> Drawing:
        """The drawing for a narrow one."""
        return draw(self.plot, NARROW)
