"""The burn-up of a campaign: its share completed by day, against its window, laid out for an SVG."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from dashboard.charts import Mark, Size
from dashboard.pages.campaign_words import HALF, THREE_QUARTERS, on_day, reached, short
from dashboard.queries.campaign import BurnDay
from dashboard.templatetags.figures import percent

WIDE = Size(720, 300, left=44, right=52)
NARROW = Size(340, 260, left=40, right=44, names_deadlines=False)
# After the deadline the chart goes on for as long as the campaign's window was, but for this many days at least.
FEWEST_DAYS_AFTER = 14
_TOP, _FOOT = 42.0, 26
# As many rows as a table beside a chart shows.
TABLE_ROWS = 24
_STEPS = (1, 2, 7, 14)
_LABEL = 6.4


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
    """Return the days worth showing: not the years after a deadline in which hardly anything happens any more."""
    if deadline is None or len(days) < 2:
        return days
    ran = max((deadline - days[0].date).days, FEWEST_DAYS_AFTER)
    return [row for row in days if row.date <= deadline + timedelta(days=ran)]


def burn_up(days: Sequence[BurnDay], deadline: date | None, size: Size) -> BurnUp:
    """Lay out the days, at least one of them; a deadline to come extends the axis to it."""
    first, last = days[0].date, days[-1].date
    end = max(last, deadline or last, first + timedelta(days=1))
    base, reach = float(size.height - _FOOT), size.width - size.left - size.right

    def x(day: date) -> float:
        return round(size.left + reach * (day - first).days / (end - first).days, 1)

    def y(row: BurnDay) -> float:
        return round(base - (base - _TOP) * (row.rate.percent or 0) / 100, 1)

    line = "M" + "L".join(f"{x(row.date)} {y(row)}" for row in days)
    at_deadline = on_day(days, deadline) if deadline and deadline < last else None
    before = [row for row in days if at_deadline is None or row.date <= at_deadline.date]
    after = [row for row in days if at_deadline is not None and row.date >= at_deadline.date]
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
    """Label days, weeks, months or years, whichever leaves room between the labels."""
    most = max(2, int((size.width - size.left - size.right) / 72))
    length = (end - first).days
    step = next((step for step in _STEPS if length / step <= most), None)
    if step is not None:
        found = [first + timedelta(days=ahead) for ahead in range(0, length + 1, step)]
        return [Mark(x(day), size.height - 6, date_format(day, "j M")) for day in found]
    months = next((months for months in (1, 2, 3, 6, 12) if length / (30 * months) <= most), 24)
    starts = [
        date(first.year + ahead // 12, ahead % 12 + 1, 1)
        for ahead in range(first.month - 1, first.month + length // 28 + 1)
        if ahead % months == 0
    ]
    words = "M Y" if length > 330 else "j M"
    return [Mark(x(day), size.height - 6, date_format(day, words)) for day in starts if first <= day <= end]


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
