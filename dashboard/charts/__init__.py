"""Charts: drawn on the server as plain SVG, and once more by Plotly where JavaScript runs.

`svg` and `periods` lay out, `plotly_figure` makes Plotly's figures, `panel` is what a page shows; `plotly_js` cuts
Plotly's JavaScript. A figure travels in the page as JSON (`components/chart_figure.html`); `static/js/chart.js` draws
it.
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
