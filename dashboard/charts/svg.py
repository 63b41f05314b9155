"""Charts drawn on the server as plain SVG: numbers in, coordinates out. Colours come from style sheets."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.formats import date_format


@dataclass(frozen=True)
class Mark:
    """A labelled place in a chart, in its own units."""

    x: float
    y: float
    label: str
    anchor: str = "middle"


@dataclass(frozen=True)
class LineChart:
    """One filled line over days, with its axes, dotted deadlines and labelled points."""

    width: int
    height: int
    left: float
    right: float
    top: float
    base: float
    line: str
    area: str
    y_ticks: list[Mark]
    x_ticks: list[Mark]
    deadlines: list[Mark]
    last: Mark
    peak: Mark | None


@dataclass(frozen=True)
class Size:
    """Size of a chart, and of the texts in it: widths in units of its view box."""

    width: int
    height: int
    left: int = 34
    right: int = 44
    days_between_ticks: int = 14
    names_deadlines: bool = True


WIDE = Size(720, 262)
NARROW = Size(340, 230, right=34, days_between_ticks=28, names_deadlines=False)


def line_chart(days: Sequence[tuple[date, int]], deadlines: Sequence[tuple[date, str]], size: Size) -> LineChart:
    """Lay out one count per day, at least two of them, on an axis that starts at zero.

    Deadlines outside the days, or whose labels would run into each other, are left out; earlier in the sequence wins.
    """
    base, top = size.height - 26, 42.0
    top_count, step = count_axis(max(count for _, count in days))
    reach = size.width - size.left - size.right

    def x(index: float) -> float:
        return round(size.left + reach * index / (len(days) - 1), 1)

    def y(count: float) -> float:
        return round(base - (base - top) * count / top_count, 1)

    points = [f"{x(index)} {y(count)}" for index, (_, count) in enumerate(days)]
    line = "M" + "L".join(points)
    last_index = len(days) - 1
    last_count = days[-1][1]
    peak_index = max(range(len(days)), key=lambda index: (days[index][1], index))
    peak_count = days[peak_index][1]
    shows_peak = peak_count > last_count and x(last_index) - x(peak_index) > 40
    return LineChart(
        width=size.width,
        height=size.height,
        left=x(0),
        right=x(last_index),
        top=14,
        base=base,
        line=line,
        area=f"{line}L{x(last_index)} {base}L{x(0)} {base}Z",
        y_ticks=[Mark(size.left - 10, y(count), f"{count:,}", "end") for count in range(0, top_count + 1, step)],
        x_ticks=_x_ticks(days, x, size),
        deadlines=_deadline_marks(days, deadlines, x, size),
        last=Mark(x(last_index), y(last_count), f"{last_count:,}", "start"),
        peak=Mark(x(peak_index), y(peak_count), f"{peak_count:,}", "start") if shows_peak else None,
    )


def count_axis(highest: int) -> tuple[int, int]:
    """Return the axis' end and step: round numbers, three to five steps, never zero."""
    for magnitude in (10**power for power in range(10)):
        for factor in (1, 2, 5):
            step = magnitude * factor
            if step * 4 >= highest:
                return step * max(2, -(-highest // step)), step
    raise ValueError(f"{highest} is more people than any chart was made for.")


def _x_ticks(days: Sequence[tuple[date, int]], x: Callable[[float], float], size: Size) -> list[Mark]:
    """Label the first of each month, and the fifteenth where there is room."""
    wanted = {1} if size.days_between_ticks > 15 else {1, 15}
    return [
        Mark(x(index), size.height - 6, date_format(day, "j M"))
        for index, (day, _) in enumerate(days)
        if day.day in wanted and x(index) - size.left >= 12
    ]


def _deadline_marks(
    days: Sequence[tuple[date, int]], deadlines: Sequence[tuple[date, str]], x: Callable[[float], float], size: Size
) -> list[Mark]:
    """Place the deadlines whose dates fit beside each other, then name those that have the room for it."""
    index_of = {day: index for index, (day, _) in enumerate(days)}
    placed: list[tuple[str, _Label]] = []
    for day, name in deadlines:
        if day in index_of:
            label = _fit(x(index_of[day]), date_format(day, "j M"), [other for _name, other in placed], size)
            if label:
                placed.append((name, label))
    if size.names_deadlines:
        for index, (name, label) in enumerate(placed):
            others = [other for _name, other in placed[:index] + placed[index + 1 :]]
            named = _fit(label.mark.x, f"{_cut(name, 28)}, {label.mark.label}", others, size)
            placed[index] = (name, named or label)
    return sorted((label.mark for _name, label in placed), key=lambda mark: mark.x)


@dataclass(frozen=True)
class _Label:
    """A label with the room it takes, its line included."""

    mark: Mark
    begin: float
    end: float


def _fit(place: float, text: str, others: Sequence[_Label], size: Size) -> _Label | None:
    """Put the text left of its line, else right of it, else nowhere."""
    length = 8 + 6.2 * len(text)
    for begin, end, anchor in ((place - length, place + 8, "end"), (place - 8, place + length, "start")):
        is_free = all(end <= other.begin or other.end <= begin for other in others)
        if is_free and begin >= size.left and end <= size.width:
            return _Label(Mark(place, 22, text, anchor), begin, end)
    return None


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"


def spark_line(counts: Sequence[float]) -> tuple[str, Mark] | None:
    """Return a small line's path and end point in an 88 by 28 box; None when there are fewer than two numbers."""
    if len(counts) < 2:
        return None
    low, high = min(counts), max(counts)
    reach = (high - low) or 1
    xs = [round(2 + 82 * index / (len(counts) - 1), 1) for index in range(len(counts))]
    ys = [round(24 - 20 * (count - low) / reach, 1) for count in counts]
    path = "M" + "L".join(f"{x} {y}" for x, y in zip(xs, ys, strict=True))
    return path, Mark(xs[-1], ys[-1], "")


@dataclass(frozen=True)
class Bar:
    """One bar of a small column chart."""

    x: float
    y: float
    width: float
    height: float
    is_on: bool


def spark_bars(counts: Sequence[int]) -> list[Bar]:
    """Return small columns in an 88 by 28 box; an empty day keeps a thin foot so that the days can be counted."""
    highest = max(counts, default=0) or 1
    pitch = 88 / max(1, len(counts))
    bars = []
    for index, count in enumerate(counts):
        height = round(max(2.0, 24 * count / highest), 1) if count else 1.5
        bars.append(Bar(round(index * pitch, 1), 26 - height, round(pitch * 2 / 3, 1), height, count > 0))
    return bars


@dataclass(frozen=True)
class Segment:
    """One part of a split bar, in percent of its width."""

    name: str
    x: float
    width: float


def split_bar(parts: Sequence[tuple[str, int]]) -> list[Segment]:
    """Return the parts of a whole side by side with a hair between them; empty parts take no room."""
    whole = sum(count for _, count in parts)
    if not whole:
        return []
    segments, at = [], 0.0
    gap = 0.5
    for name, count in parts:
        if not count:
            continue
        width = 100 * count / whole
        segments.append(Segment(name, round(at, 2), round(max(width - gap, 0.4), 2)))
        at += width
    return segments
