"""The burn-up of a campaign: its share completed by day, against its window, laid out for an SVG."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from dashboard.charts import Mark, Size
from dashboard.charts.plotly_figure import AXIS, LOOK
from dashboard.formats import number, percent
from dashboard.queries.campaign import BurnDay
from dashboard.wording.campaign import HALF, THREE_QUARTERS, on_day, reached, short

WIDE = Size(720, 300, left=44, right=52)
NARROW = Size(340, 260, left=40, right=44, names_deadlines=False)
# After the deadline the chart goes on for as long as the campaign's window was, but for this many days at least.
FEWEST_DAYS_AFTER = 14
_TOP, _FOOT = 42.0, 26
# As many rows as a table beside a chart shows.
TABLE_ROWS = 24
MOST_POINTS = 160
_STEPS = (1, 2, 7, 14)
# Days are labelled by month and year in a window that is longer.
LONG_WINDOW = 330
_LABEL = 6.4
_STRONG = {"color": "var(--ink)", "size": 12, "weight": 600}


@dataclass(frozen=True)
class BurnUp:
    """One line over days from 0 to 100 percent, with its axes, its deadline and the days by which much was done."""

    width: int
    height: int
    left: float
    right: float
    top: float
    base: float
    line: str
    area: str
    late: str
    y_ticks: list[Mark]
    x_ticks: list[Mark]
    marks: list[Mark]
    deadline: Mark | None
    last: Mark


def window(days: Sequence[BurnDay], deadline: date | None) -> Sequence[BurnDay]:
    """Return the days worth showing: not the years after a deadline, or after the last completion, in which none came.

    People who leave move the share a little even then; the page's figures are those of its own day.
    """
    grown = [later.date for earlier, later in pairwise(days) if later.completed > earlier.completed]
    quiet_from = (grown[-1] if grown else days[-1].date) + timedelta(days=FEWEST_DAYS_AFTER)
    last = max(quiet_from, deadline or quiet_from)
    if deadline is not None:
        last = deadline + timedelta(days=max((deadline - days[0].date).days, FEWEST_DAYS_AFTER))
    return [row for row in days if row.date <= last]


def thinned(days: Sequence[BurnDay], kept: Iterable[date]) -> list[BurnDay]:
    """Return at most about `MOST_POINTS` of the days, evenly apart, with the first, the last and those `kept`."""
    step = max(1, -(-len(days) // MOST_POINTS))
    wanted = {days[0].date, days[-1].date, *kept}
    return [row for place, row in enumerate(days) if place % step == 0 or row.date in wanted]


def burn_up(days: Sequence[BurnDay], deadline: date | None, size: Size) -> BurnUp:
    """Lay out the days, at least one of them; a deadline to come extends the axis to it."""
    first, last = days[0].date, days[-1].date
    end = max(last, deadline or last, first + timedelta(days=1))
    base, reach = float(size.height - _FOOT), size.width - size.left - size.right

    def x(day: date) -> float:
        return round(size.left + reach * (day - first).days / (end - first).days, 1)

    def y(row: BurnDay) -> float:
        return round(base - (base - _TOP) * (row.rate.percent or 0) / 100, 1)

    at_deadline = on_day(days, deadline) if deadline and deadline < last else None
    drawn = thinned(days, _kept(days, deadline))
    line = "M" + "L".join(f"{x(row.date)} {y(row)}" for row in drawn)
    before = [row for row in drawn if at_deadline is None or row.date <= at_deadline.date]
    after = [row for row in drawn if at_deadline is not None and row.date >= at_deadline.date]
    area = "M" + "L".join(f"{x(row.date)} {y(row)}" for row in before)
    return BurnUp(
        width=size.width,
        height=size.height,
        left=size.left,
        right=x(end),
        top=_TOP - 28,
        base=base,
        line=line,
        area=f"{area}L{x(before[-1].date)} {base}L{x(first)} {base}Z",
        late=(
            "M" + "L".join(f"{x(row.date)} {y(row)}" for row in after) + f"L{x(last)} {y(after[0])}Z" if after else ""
        ),
        y_ticks=[
            Mark(size.left - 10, round(base - (base - _TOP) * share / 100, 1), f"{share}%", "end")
            for share in range(0, 101, 25)
        ],
        x_ticks=_x_ticks(first, end, x, size),
        marks=_marks(days, at_deadline, x, y, size),
        deadline=_deadline(deadline, first, last, x, size),
        last=Mark(x(last), y(days[-1]), percent(days[-1].rate), "start"),
    )


def _x_ticks(first: date, end: date, x: Callable[[date], float], size: Size) -> list[Mark]:
    days = tick_days(first, end, max(2, int((size.width - size.left - size.right) / 72)))
    words = "M Y" if (end - first).days > LONG_WINDOW else "j M"
    return [Mark(x(day), size.height - 6, date_format(day, words)) for day in days]


def tick_days(first: date, end: date, most: int) -> list[date]:
    """Return the days to label, about `most` of them: every so many days, or the beginnings of months or years."""
    length = (end - first).days
    step = next((step for step in _STEPS if length / step <= most), None)
    if step is not None:
        return [first + timedelta(days=ahead) for ahead in range(0, length + 1, step)]
    months = next((months for months in (1, 2, 3, 6, 12) if length / (30 * months) <= most), 24)
    starts = [
        date(first.year + ahead // 12, ahead % 12 + 1, 1)
        for ahead in range(first.month - 1, first.month + length // 28 + 1)
        if ahead % months == 0
    ]
    return [day for day in starts if first <= day <= end]


def _marks(
    days: Sequence[BurnDay],
    at_deadline: BurnDay | None,
    x: Callable[[date], float],
    y: Callable[[BurnDay], float],
    size: Size,
) -> list[Mark]:
    """Label the days by which half and three quarters were done, and how much was at the deadline, as far as they fit.

    A label stands left of its point, above the rising line; where there is no room it goes to the right, below it.
    """
    found: list[Mark] = []
    today, last_x = days[-1].date, x(days[-1].date)
    for share in (THREE_QUARTERS, HALF):
        day = reached(days, share)
        row = on_day(days, day) if day else None
        if row is None or (found and found[-1].x - x(row.date) < 8):
            continue
        text = _("%(share)s%% on %(day)s") % {"share": share, "day": short(row.date, today)}
        room = x(row.date) - size.left - 12
        fits_left = room > len(text) * _LABEL
        if fits_left or last_x - x(row.date) > len(text) * _LABEL:
            found.append(Mark(x(row.date), y(row), text, "end" if fits_left else "start"))
    if at_deadline is not None and last_x - x(at_deadline.date) > 30:
        text = _("%(rate)s at the deadline") % {"rate": percent(at_deadline.rate)}
        fits = size.width - x(at_deadline.date) > len(text) * _LABEL + 20
        found.append(Mark(x(at_deadline.date), y(at_deadline), text if fits else percent(at_deadline.rate), "deadline"))
    return found


def _deadline(deadline: date | None, first: date, last: date, x: Callable[[date], float], size: Size) -> Mark | None:
    if deadline is None or deadline < first:
        return None
    text = _("Deadline, %(day)s") % {"day": short(deadline, last)}
    anchor = "end" if x(deadline) - size.left > len(text) * _LABEL + 8 else "start"
    return Mark(x(deadline), _TOP - 20, text, anchor)


def table_rows(days: Sequence[BurnDay]) -> list[BurnDay]:
    """Return some of the days, evenly apart, the last one always among them; newest first."""
    step = -(-len(days) // TABLE_ROWS)
    return list(days)[::-1][::step]


def _kept(days: Sequence[BurnDay], deadline: date | None) -> list[date]:
    """Return the days that a chart marks."""
    marked = (reached(days, HALF), reached(days, THREE_QUARTERS), deadline)
    return [day for day in marked if day is not None]


# With Plotly ----------------------------------------------------------------------------------------------------


def figure(days: Sequence[BurnDay], deadline: date | None) -> dict[str, Any]:
    """Return the same as Plotly's figure, as `dashboard.charts.plotly_figure` does: exact values by day on hover."""
    drawn = thinned(days, _kept(days, deadline))
    first, last = days[0].date, days[-1].date
    end = max(last, deadline or last)
    shares = [round(row.rate.percent or 0, 2) for row in drawn]
    marks = _figure_marks(days, deadline)
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "lines",
                "x": [row.date.isoformat() for row in drawn],
                "y": shares,
                "line": {"color": "var(--done)", "width": 2},
                "fill": "tozeroy",
                "fillcolor": "var(--chart-area-done)",
                "name": "",
                "customdata": [
                    _("%(rate)s, %(completed)s of %(counted)s")
                    % {
                        "rate": percent(row.rate),
                        "completed": number(row.completed),
                        "counted": number(row.counted),
                    }
                    for row in drawn
                ],
                "hovertemplate": "%{customdata}<extra></extra>",
                "cliponaxis": False,
            },
            {
                "type": "scatter",
                "mode": "markers",
                "x": [row.date.isoformat() for row, _text, _side in marks],
                "y": [round(row.rate.percent or 0, 2) for row, _text, _side in marks],
                "marker": {"color": "var(--done)", "size": 9, "line": {"color": "var(--surface)", "width": 2}},
                "hoverinfo": "skip",
                "cliponaxis": False,
            },
        ],
        "layout": {
            **LOOK,
            "margin": {"l": 44, "r": 52, "t": 42, "b": 34, "pad": 0},
            "annotations": [
                *(_annotation(row.date, row.rate.percent or 0, text, side) for row, text, side in marks),
                *(
                    [
                        {
                            **_annotation(
                                deadline, 1.0, _("Deadline, %(day)s") % {"day": short(deadline, last)}, "end"
                            ),
                            "yref": "paper",
                            "yanchor": "bottom",
                            "yshift": 14,
                            "xanchor": "right" if (deadline - first) > (end - first) / 4 else "left",
                            "font": {"color": "var(--ink-2)", "size": 12},
                        }
                    ]
                    if deadline is not None and deadline >= first
                    else []
                ),
            ],
            "shapes": [_line({"x0": 0, "x1": 1, "xref": "paper", "y0": 0, "y1": 0}, "var(--chart-axis)", "solid")]
            + (
                [
                    _line(
                        {"x0": deadline.isoformat(), "x1": deadline.isoformat(), "yref": "paper", "y0": 0, "y1": 1.1},
                        "var(--chart-ref)",
                        "2px,3px",
                    )
                ]
                if deadline is not None and deadline >= first
                else []
            ),
            "xaxis": {
                **AXIS,
                "type": "date",
                "showgrid": False,
                "showline": False,
                "showspikes": False,
                "range": [first.isoformat(), max(end, first + timedelta(days=1)).isoformat()],
                "hoverformat": "%-d %b %Y",
                "tickformat": "%-d %b" if (end - first).days <= LONG_WINDOW else "%b %Y",
                "tickangle": 0,
                "ticklabelstandoff": 8,
                "tickvals": [day.isoformat() for day in tick_days(first, end, 8)],
            },
            "yaxis": {
                **AXIS,
                "showgrid": True,
                "gridcolor": "var(--chart-grid)",
                "gridwidth": 1,
                "range": [0, 101],
                "tickvals": [0, 25, 50, 75, 100],
                "ticktext": ["0%", "25%", "50%", "75%", "100%"],
            },
        },
    }


def _figure_marks(days: Sequence[BurnDay], deadline: date | None) -> list[tuple[BurnDay, str, str]]:
    """Return the marked days, what is said of each and on which side of its point: start or end of the text there."""
    last, found = days[-1], []
    for share in (HALF, THREE_QUARTERS):
        day = reached(days, share)
        row = on_day(days, day) if day else None
        if row is not None and row is not last:
            side = "end" if (row.date - days[0].date) * 4 > last.date - days[0].date else "start"
            text = _("%(share)s%% on %(day)s") % {"share": share, "day": short(row.date, last.date)}
            found.append((row, text, side))
    if len(found) == 2 and found[0][0].date == found[1][0].date:
        del found[0]
    at_deadline = on_day(days, deadline) if deadline and deadline < last.date else None
    if at_deadline is not None:
        # On a phone the second half of the days is as wide as these words.
        has_room = (at_deadline.date - days[0].date) * 2 < last.date - days[0].date
        rate = percent(at_deadline.rate)
        found.append((at_deadline, _("%(rate)s at the deadline") % {"rate": rate} if has_room else rate, "below"))
    found.append((last, percent(last.rate), "last"))
    return found


def _annotation(day: date, share: float, text: str, side: str) -> dict[str, Any]:
    is_before = side == "end"
    shift = {"end": (-8, 10), "start": (8, -12), "below": (8, -14), "last": (8, 0)}[side]
    return {
        "x": day.isoformat(),
        "y": round(share, 2),
        "text": text,
        "showarrow": False,
        "xanchor": "right" if is_before else "left",
        "xshift": shift[0],
        "yshift": shift[1],
        "font": _STRONG,
    }


def _line(place: dict[str, Any], color: str, dash: str) -> dict[str, Any]:
    return {"type": "line", **place, "line": {"color": color, "width": 1, "dash": dash}, "layer": "below"}
