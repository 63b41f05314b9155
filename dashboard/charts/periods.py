"""Lines over quarters or months: what they say, and where that lies in a drawing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import floor

from dashboard.charts.svg import Mark, Size, count_axis
from dashboard.formats import percent

WIDE = Size(720, 262, left=40, right=74)
NARROW = Size(360, 230, left=40, right=48)
# The most labels that fit under the axis of each.
_TICKS = {WIDE: 12, NARROW: 4}
_LETTER = 6.4


@dataclass(frozen=True)
class Line:
    """One value per period; None where there is none. `tone` is a colour of the style sheets: done, due, ink.

    `texts` are the values as they are written. A reference is what the other lines are compared with: dotted, without
    a label.
    """

    name: str
    values: Sequence[float | None]
    texts: Sequence[str]
    tone: str = "done"
    is_reference: bool = False


@dataclass(frozen=True)
class Plot:
    """Lines over the same periods, oldest first; `is_running`: the last period has not ended.

    Rates are in percent, on an axis that need not begin at zero and then says so by its labels; counts always do.
    """

    periods: Sequence[str]
    lines: Sequence[Line]
    is_rate: bool = False
    is_running: bool = False

    @property
    def axis(self) -> list[float]:
        """The values the axis names, from its foot to its top."""
        known = [value for line in self.lines for value in line.values if value is not None]
        if not self.is_rate:
            top, width = count_axis(int(max(known, default=0)))
            return [float(value) for value in range(0, top + 1, width)]
        lowest = min(known, default=0.0)
        for step in (1, 2, 5, 10, 20):
            foot = floor(lowest / step) * step
            if (100 - foot) / step <= 4 or step == 20:
                # A line along the very foot of its axis reads as nothing at all.
                foot -= step if foot == lowest and foot > 0 and (100 - foot) / step < 4 else 0
                return [float(value) for value in range(foot, 101, step)]
        raise AssertionError("the last step always fits")

    @property
    def is_zoomed(self) -> bool:
        """Whether the axis begins above zero."""
        return self.axis[0] > 0

    def tick(self, value: float) -> str:
        """Write a value of the axis."""
        return percent(value).replace(".0%", "%") if self.is_rate else f"{int(value):,}"


@dataclass(frozen=True)
class Stroke:
    """One line as drawn: its path without the running period, that period's own path, and its points."""

    line: Line
    path: str
    open_path: str
    dots: list[Mark]
    open_dot: Mark | None
    label: Mark | None


@dataclass(frozen=True)
class Drawing:
    """A plot laid out in a view box."""

    width: int
    height: int
    left: float
    right: float
    y_ticks: list[Mark]
    x_ticks: list[Mark]
    strokes: list[Stroke]


def draw(plot: Plot, size: Size) -> Drawing:
    """Lay out the lines: the running period is a hollow dot at the end of a dotted line."""
    axis, last = plot.axis, len(plot.periods) - 1
    base, top = size.height - 26, 18.0
    longest = max((len(end_text(line, plot)) for line in plot.lines), default=0)
    reach = size.width - size.left - max(size.right, 14 + _LETTER * longest)

    def x(place: int) -> float:
        return round(size.left + reach * (place / last if last else 0.5), 1)

    def y(value: float) -> float:
        return round(base - (base - top) * (value - axis[0]) / (axis[-1] - axis[0]), 1)

    strokes = []
    for line in plot.lines:
        points = [(place, x(place), y(value)) for place, value in enumerate(line.values) if value is not None]
        is_open = plot.is_running and bool(points) and points[-1][0] == last and not line.is_reference
        settled = points[:-1] if is_open else points
        mark = Mark(points[-1][1], points[-1][2], end_text(line, plot), "start") if points else None
        strokes.append(
            Stroke(
                line,
                _path(settled),
                _path(points[-2:]) if is_open else "",
                [Mark(dx, dy, f"{plot.periods[place]}: {line.texts[place]}") for place, dx, dy in settled],
                Mark(points[-1][1], points[-1][2], f"{plot.periods[last]}: {line.texts[last]}") if is_open else None,
                None if line.is_reference else mark,
            )
        )
    return Drawing(
        size.width,
        size.height,
        size.left,
        x(last) if last else size.left + reach,
        [Mark(size.left - 10, y(value), plot.tick(value), "end") for value in axis],
        [Mark(x(place), size.height - 6, plot.periods[place]) for place in tick_places(plot, _TICKS[size])],
        _apart(strokes),
    )


def tick_places(plot: Plot, most: int) -> list[int]:
    """Return the places of the periods to name: the last one, and back from it at even steps, `most` at most."""
    count = len(plot.periods)
    step = next(step for step in (1, 2, 3, 4, 6, 12, count) if -(-count // step) <= most)
    return sorted(range(count - 1, -1, -step))


def _path(points: Iterable[tuple[int, float, float]]) -> str:
    """Return the path through points, with a gap where a period has none."""
    path, before = "", None
    for place, x, y in points:
        path += f"{'L' if before == place - 1 else 'M'}{x} {y}"
        before = place
    return path


def end_text(line: Line, plot: Plot) -> str:
    """Return what stands at the end of a line: its last value, after its name where there are several; or nothing."""
    if line.is_reference:
        return ""
    text = next(
        (text for text, value in zip(line.texts[::-1], line.values[::-1], strict=True) if value is not None), ""
    )
    return f"{line.name} {text}" if text and sum(not other.is_reference for other in plot.lines) > 1 else text


def _apart(strokes: list[Stroke]) -> list[Stroke]:
    """Move labels apart that would lie on each other: the upper one up, the lower one down."""
    labelled = sorted((stroke for stroke in strokes if stroke.label), key=lambda stroke: stroke.label.y)  # type: ignore[union-attr]
    moved: dict[int, Mark] = {}
    for upper, lower in pairwise(labelled):
        if upper.label and lower.label and (gap := 15 - (lower.label.y - upper.label.y)) > 0:
            moved[id(upper)] = Mark(upper.label.x, round(upper.label.y - gap / 2, 1), upper.label.label, "start")
            moved[id(lower)] = Mark(lower.label.x, round(lower.label.y + gap / 2, 1), lower.label.label, "start")
    return [Stroke(s.line, s.path, s.open_path, s.dots, s.open_dot, moved.get(id(s), s.label)) for s in strokes]
