"""One count by day as a figure for Plotly: what `svg.line_chart` draws, with the exact number of each day on hover."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from django.utils.formats import date_format

from dashboard.charts.plotly_figure import AXIS, LOOK
from dashboard.charts.svg import count_axis
from dashboard.formats import number

_STRONG = {"color": "var(--ink)", "size": 12, "weight": 600}
# Labels of deadlines closer to each other than this share of the days would run into each other.
_APART = 5
# As many days as a date is wide, in a chart of the usual width; a letter is as wide as a day.
_DATE = 9


def figure(
    days: Sequence[tuple[date, int]], deadlines: Sequence[tuple[date, str]], texts: Sequence[str]
) -> dict[str, Any]:
    """Return Plotly's figure of at least two days; `texts` say what was counted on each.

    Of deadlines that are too close to each other the earlier in the sequence is labelled.
    """
    first, (last, last_count) = days[0][0], days[-1]
    peak, peak_count = max(days, key=lambda day: (day[1], day[0]))
    top, step = count_axis(max(count for _, count in days))
    shown = _apart([(day, name) for day, name in deadlines if first <= day <= last], len(days) // _APART)
    points = [(last, last_count)]
    if peak_count > last_count and (last - peak).days > len(days) // 12:
        points.insert(0, (peak, peak_count))
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "lines",
                "x": [day.isoformat() for day, _ in days],
                "y": [count for _, count in days],
                "line": {"color": "var(--due)", "width": 2},
                "fill": "tozeroy",
                "fillcolor": "var(--chart-area-due)",
                "name": "",
                "customdata": list(texts),
                "hovertemplate": "%{customdata}<extra></extra>",
                "cliponaxis": False,
            },
            {
                "type": "scatter",
                "mode": "markers",
                "x": [day.isoformat() for day, _ in points],
                "y": [count for _, count in points],
                "marker": {"color": "var(--due)", "size": 9, "line": {"color": "var(--surface)", "width": 2}},
                "hoverinfo": "skip",
                "cliponaxis": False,
            },
        ],
        "layout": {
            **LOOK,
            "margin": {"l": 40, "r": 52, "t": 42, "b": 26, "pad": 0},
            "annotations": [
                *(
                    {**_label(day.isoformat(), count, number(count), "left", 9), "font": _STRONG}
                    for day, count in points
                ),
                *_named(shown, first, last),
            ],
            "shapes": [
                _line({"xref": "paper", "x0": 0, "x1": 1, "y0": 0, "y1": 0}, "var(--chart-axis)", "solid"),
                *(
                    _line(
                        {"x0": day.isoformat(), "x1": day.isoformat(), "yref": "paper", "y0": 0, "y1": 1.1},
                        "var(--chart-ref)",
                        "2px,3px",
                    )
                    for day, _name in shown
                ),
            ],
            "xaxis": {
                **AXIS,
                "type": "date",
                "showgrid": False,
                "showline": False,
                "showspikes": False,
                "range": [first.isoformat(), last.isoformat()],
                "hoverformat": "%-d %b %Y",
                "tickformat": "%-d %b",
                "tickangle": 0,
                "tickvals": [day.isoformat() for day, _ in days if day.day in {1, 15}],
            },
            "yaxis": {
                **AXIS,
                "showgrid": True,
                "gridcolor": "var(--chart-grid)",
                "gridwidth": 1,
                "range": [0, top * 1.01],
                "tickvals": list(range(0, top + 1, step)),
                "ticktext": [number(count) for count in range(0, top + 1, step)],
            },
        },
    }


def _named(deadlines: Sequence[tuple[date, str]], first: date, last: date) -> list[dict[str, Any]]:
    """Return the labels of the deadlines: their dates, and as `name` what stands there where the chart is wide.

    They are named where the name fits between the lines beside it, in a chart of the usual width.
    """
    labels, begin = [], first
    for place, (day, name) in enumerate(deadlines):
        end = deadlines[place + 1][0] if place + 1 < len(deadlines) else last
        short = date_format(day, "j M")
        text = f"{name}, {short}"
        fits_left = len(text) <= (day - begin).days
        # The next label may stand on this side of its line.
        fits_right = len(text) + _DATE <= (end - day).days
        side = (
            ("right", -6)
            if fits_left or (not fits_right and (day - first).days * 2 > (last - first).days)
            else ("left", 6)
        )
        labels.append(
            {
                **_label(day.isoformat(), 1, short, *side),
                "yref": "paper",
                "yanchor": "bottom",
                "yshift": 6,
                "font": {"color": "var(--ink-2)", "size": 12},
                "name": text if fits_left or fits_right else short,
            }
        )
        # What stands right of a line leaves the next one less room.
        taken = 0 if side[0] == "right" else len(labels[-1]["name"]) + 2
        begin = day + timedelta(days=taken)
    return labels


def _apart(deadlines: Sequence[tuple[date, str]], least: int) -> list[tuple[date, str]]:
    kept: list[tuple[date, str]] = []
    for day, name in deadlines:
        if all(abs((day - other).days) >= least for other, _name in kept):
            kept.append((day, name))
    return sorted(kept)


def _label(x: str, y: float, text: str, side: str, shift: int) -> dict[str, Any]:
    return {"x": x, "y": y, "text": text, "showarrow": False, "xanchor": side, "xshift": shift}


def _line(place: dict[str, Any], color: str, dash: str) -> dict[str, Any]:
    return {"type": "line", **place, "line": {"color": color, "width": 1, "dash": dash}, "layer": "below"}
