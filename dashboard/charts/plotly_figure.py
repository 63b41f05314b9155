"""The same lines as a figure for Plotly: the dictionary that `plotly.graph_objects.Figure` takes and writes.

Figures are put together as they are written, since making objects of them takes longer than the rest of a page; the
tests pass each through Plotly's own checks. Colours are names of our style sheets' (`var(--done)`): whoever draws
fills in those of the theme, as `static/js/chart.js` does.
"""

from typing import Any

from dashboard.charts.periods import Line, Plot, end_text, tick_places

_COLORS = {"done": "var(--done)", "due": "var(--due)", "ink": "var(--ink-2)"}
_SYMBOLS = {"done": "circle", "due": "circle", "ink": "square"}
_RING = {"color": "var(--surface)", "width": 2}
SMALL = {"color": "var(--ink-3)", "size": 12}
# What every chart's layout has in common: paper and type of the page, no legend, one hover label for a place.
LOOK: dict[str, Any] = {
    "paper_bgcolor": "rgba(0,0,0,0)",
    "plot_bgcolor": "rgba(0,0,0,0)",
    "font": SMALL,
    "showlegend": False,
    "dragmode": False,
    "hovermode": "x unified",
    "hoverlabel": {
        "bgcolor": "var(--raised)",
        "bordercolor": "var(--line-2)",
        "font": {"color": "var(--ink)", "size": 12},
    },
}
AXIS: dict[str, Any] = {"fixedrange": True, "zeroline": False, "ticks": "", "tickfont": SMALL, "automargin": False}


def figure(plot: Plot) -> dict[str, Any]:
    """Return Plotly's figure of a plot, ready to be written as JSON."""
    axis = plot.axis
    labels = [_label(plot, line) for line in plot.lines if end_text(line, plot)]
    longest = max((len(label["text"]) for label in labels), default=0)
    return {
        "data": [trace for line in plot.lines for trace in _traces(plot, line)],
        "layout": {
            **LOOK,
            "margin": {"l": 40, "r": max(52, 14 + 7 * longest), "t": 18, "b": 26, "pad": 0},
            "annotations": labels,
            "shapes": [
                {
                    "type": "line",
                    "xref": "paper",
                    "x0": 0,
                    "x1": 1,
                    "y0": axis[0],
                    "y1": axis[0],
                    "line": {"color": "var(--chart-axis)", "width": 1},
                    "layer": "below",
                }
            ],
            "xaxis": {
                **AXIS,
                "type": "category",
                "showgrid": False,
                "showline": False,
                "showspikes": False,
                "range": [-0.1, len(plot.periods) - 0.9],
                "tickvals": [plot.periods[place] for place in tick_places(plot, 6)],
            },
            "yaxis": {
                **AXIS,
                "showgrid": True,
                "gridcolor": "var(--chart-grid)",
                "gridwidth": 1,
                "range": [axis[0], axis[-1] + (axis[-1] - axis[0]) * 0.02],
                "tickvals": axis,
                "ticktext": [plot.tick(value) for value in axis],
            },
        },
    }


def _traces(plot: Plot, line: Line) -> list[dict[str, Any]]:
    """Return the line, and for a running period its own dotted end with a hollow dot."""
    color, symbol = _COLORS[line.tone], _SYMBOLS[line.tone]
    last = len(plot.periods) - 1
    values = list(line.values)
    common: dict[str, Any] = {
        "type": "scatter",
        "x": list(plot.periods),
        "name": line.name,
        "customdata": list(line.texts),
        "hovertemplate": "%{customdata}",
        "cliponaxis": False,
    }
    if line.is_reference:
        dots = {"color": "var(--chart-ref)", "width": 1.5, "dash": "2px,3px"}
        return [{**common, "y": values, "mode": "lines", "line": dots}]
    settled = {
        **common,
        "y": values,
        "mode": "lines+markers",
        "line": {"color": color, "width": 2},
        "marker": {"color": color, "size": 8, "symbol": symbol, "line": _RING},
    }
    if not plot.is_running or values[last] is None:
        return [settled]
    dotted = {
        **common,
        "y": [value if place >= last - 1 else None for place, value in enumerate(values)],
        "mode": "lines",
        "line": {"color": color, "width": 2, "dash": "2px,5px"},
        "hoverinfo": "skip",
    }
    del dotted["hovertemplate"]
    hollow = {
        **common,
        "y": [value if place == last else None for place, value in enumerate(values)],
        "mode": "markers",
        "marker": {"color": "var(--surface)", "size": 8, "symbol": symbol, "line": {"color": color, "width": 2}},
    }
    return [dotted, {**settled, "y": [*values[:last], None]}, hollow]


def _label(plot: Plot, line: Line) -> dict[str, Any]:
    """Return the label at a line's last point."""
    place = max(place for place, value in enumerate(line.values) if value is not None)
    return {
        "x": place,
        "y": line.values[place],
        "text": end_text(line, plot),
        "showarrow": False,
        "xanchor": "left",
        "xshift": 9,
        "font": {"color": "var(--ink)", "size": 12, "weight": 600},
    }
