"""Charts as shares of a plot, from what the pages draw: `templates/pdf/look.typ` puts ink to them."""

from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import Any

from django.utils.translation import gettext as _

from dashboard.charts.burn_up import thinned, tick_days
from dashboard.charts.periods import Line, Plot, end_text, tick_places
from dashboard.formats import percent
from dashboard.queries.campaign import BurnDay
from dashboard.wording.campaign import HALF, THREE_QUARTERS, on_day, reached, short

Point = list[float]
# The most labels under an axis of the page's width.
MOST_TICKS = 9
# Labels nearer than this share of the plot's height are moved apart.
APART = 0.1
# A mark nearer to the deadline, as a share of the width, says what the deadline's own label says.
CROWDED = 0.06


def of_plot(plot: Plot, alt: str, *, most_ticks: int = MOST_TICKS) -> dict[str, Any]:
    """Return a chart of lines over quarters or months; the running one is a hollow dot on a dotted line."""
    axis, last = plot.axis, len(plot.periods) - 1
    foot, top = axis[0], axis[-1]

    def x(place: int) -> float:
        return place / last if last else 0.5

    def y(value: float) -> float:
        return (value - foot) / (top - foot)

    lines: list[dict[str, Any]] = []
    for line in plot.lines:
        points = [(place, x(place), y(value)) for place, value in enumerate(line.values) if value is not None]
        is_open = plot.is_running and bool(points) and points[-1][0] == last
        lines.append(
            {
                "tone": line.tone,
                "fill": False,
                "runs": _runs(points[:-1] if is_open else points),
                "open": [[dx, dy] for _place, dx, dy in points[-2:]] if is_open else [],
                "dots": [[dx, dy, is_open and place == last] for place, dx, dy in points],
                "label": {"at": points[-1][2] if points else 0.0, "text": end_text(line, plot)},
            }
        )
    _move_apart(lines)
    return {
        "alt": alt,
        "right": max((len(line["label"]["text"]) for line in lines), default=0),
        "y_ticks": [{"at": y(value), "label": plot.tick(value)} for value in axis],
        "x_ticks": [{"at": x(place), "label": plot.periods[place]} for place in tick_places(plot, most_ticks)],
        "references": [],
        "lines": lines,
        "notes": [],
    }


def _runs(points: Sequence[tuple[int, float, float]]) -> list[list[Point]]:
    """Return the points in runs without a gap: a period without a value breaks the line."""
    runs: list[list[Point]] = []
    before = None
    for place, x, y in points:
        if before != place - 1:
            runs.append([])
        runs[-1].append([x, y])
        before = place
    return runs


def _move_apart(lines: Sequence[dict[str, Any]]) -> None:
    ordered = sorted((line["label"] for line in lines if line["label"]["text"]), key=lambda label: label["at"])
    for lower, upper in pairwise(ordered):
        gap = APART - (upper["at"] - lower["at"])
        if gap > 0:
            lower["at"] -= gap / 2
            upper["at"] += gap / 2


def of_burn_up(days: Sequence[BurnDay], deadline: date | None, alt: str) -> dict[str, Any]:
    """Return the chart of a campaign's share completed by day, at least one day, against its deadline."""
    first, last = days[0].date, days[-1].date
    length = max((max(last, deadline or last) - first).days, 1)

    def x(day: date) -> float:
        return (day - first).days / length

    def y(row: BurnDay) -> float:
        return (row.rate.percent or 0.0) / 100

    half, most = reached(days, HALF), reached(days, THREE_QUARTERS)
    drawn = thinned(days, [day for day in (half, most, deadline) if day is not None])
    notes = []
    for share, day in ((HALF, half), (THREE_QUARTERS, most)):
        row = on_day(days, day) if day else None
        is_crowded = (share == THREE_QUARTERS and most == half) or (
            row is not None and deadline is not None and abs(x(row.date) - x(deadline)) < CROWDED
        )
        if row is not None and row is not days[-1] and not is_crowded:
            text = _("%(share)s%% on %(day)s") % {"share": share, "day": short(row.date, last)}
            is_left = x(row.date) > 0.25
            notes.append(_note(x(row.date), y(row), text, "end" if is_left else "start", -5 if is_left else 7))
    at_deadline = on_day(days, deadline) if deadline is not None and deadline < last else None
    if at_deadline is not None:
        text = _("%(rate)s at the deadline") % {"rate": percent(at_deadline.rate)}
        is_right = x(at_deadline.date) < 0.7
        notes.append(
            _note(x(at_deadline.date), y(at_deadline), text, "start" if is_right else "end", 11 if is_right else -7)
        )
    references = []
    if deadline is not None and deadline >= first:
        references.append(
            {
                "at": x(deadline),
                "label": _("Deadline, %(day)s") % {"day": short(deadline, last)},
                "anchor": "end" if x(deadline) > 0.25 else "start",
            }
        )
    dots = [row for day in (half, most) if day and (row := on_day(days, day))]
    return {
        "alt": alt,
        "right": len(percent(days[-1].rate)),
        "y_ticks": [{"at": share / 100, "label": f"{share}%"} for share in range(0, 101, 25)],
        "x_ticks": [
            {"at": x(day), "label": short(day, last)}
            for day in tick_days(first, max(last, deadline or last), MOST_TICKS)
        ],
        "references": references,
        "lines": [
            {
                "tone": "done",
                "fill": True,
                "runs": [[[x(row.date), y(row)] for row in drawn]],
                "open": [],
                "dots": [[x(row.date), y(row), False] for row in [*dots, days[-1]]],
                "label": {"at": y(days[-1]), "text": percent(days[-1].rate) if last >= (deadline or last) else ""},
            }
        ],
        "notes": [
            *notes,
            *(
                [_note(x(last), y(days[-1]), percent(days[-1].rate), "start", 0)]
                if deadline is not None and last < deadline
                else []
            ),
        ],
    }


def _note(x: float, y: float, text: str, anchor: str, dy: float) -> dict[str, Any]:
    return {"x": x, "y": y, "text": text, "anchor": anchor, "dy": dy}


def rates(
    completion: Sequence[float | None],
    on_time: Sequence[float | None],
    completion_texts: Sequence[str],
    on_time_texts: Sequence[str],
) -> list[Line]:
    """Return the two lines of a chart of rates."""
    return [
        Line(_("Completion"), completion, completion_texts),
        Line(_("On time"), on_time, on_time_texts, "ink"),
    ]
