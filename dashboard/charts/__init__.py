"""Charts: drawn on the server as plain SVG, and once more by Plotly where JavaScript runs.

`svg` and `periods` lay out, `interactive` makes Plotly's figures, `panel` is what a page shows; `bundle` cuts Plotly's
JavaScript.
"""

from dashboard.charts.svg import (
    NARROW,
    WIDE,
    Bar,
    LineChart,
    Mark,
    Segment,
    Size,
    line_chart,
    spark_bars,
    spark_line,
    split_bar,
)

__all__ = [
    "NARROW",
    "WIDE",
    "Bar",
    "LineChart",
    "Mark",
    "Segment",
    "Size",
    "line_chart",
    "spark_bars",
    "spark_line",
    "split_bar",
]
