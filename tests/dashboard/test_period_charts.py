"""Lines over periods stay inside their box, say where their axis begins, and keep their labels apart."""

import re

import pytest

from dashboard.charts.periods import NARROW, WIDE, Line, Plot, draw, tick_places
from dashboard.charts.svg import Size


def rates(*values: float | None, **more: bool) -> Plot:
    texts = ["–" if value is None else f"{value}%" for value in values]
    return Plot([f"Q{place}" for place in range(len(values))], [Line("Rate", values, texts)], is_rate=True, **more)


@pytest.mark.parametrize("size", [WIDE, NARROW])
@pytest.mark.parametrize("values", [(0.0, 100.0), (99.9, 100.0, 100.0), (54.0, 68.3, 97.2), (100.0,)])
def test_points_stay_inside_the_box(size: Size, values: tuple[float, ...]) -> None:
    drawing = draw(rates(*values), size)
    for stroke in drawing.strokes:
        numbers = [float(number) for number in re.findall(r"[\d.]+", stroke.path)]
        assert all(size.left <= x <= drawing.right for x in numbers[::2])
        assert all(18 <= y <= size.height - 26 for y in numbers[1::2])
        assert stroke.label is not None
        assert stroke.label.x + 10 + 6 * len(stroke.label.label) <= size.width
    assert 2 <= len(drawing.y_ticks) <= 6


def test_rates_zoom_and_say_so_counts_never_do() -> None:
    assert rates(92.0, 97.0).is_zoomed
    assert rates(92.0, 97.0).axis[-1] == 100
    assert not rates(3.0, 97.0).is_zoomed
    assert Plot(["a", "b"], [Line("People", [900, 950], ["900", "950"])]).axis[0] == 0


def test_a_period_without_a_value_is_a_gap() -> None:
    stroke = draw(rates(90.0, None, 95.0, 96.0), WIDE).strokes[0]
    assert stroke.path.count("M") == 2
    assert len(stroke.dots) == 3


def test_a_running_period_has_its_own_dotted_path() -> None:
    stroke = draw(rates(90.0, 95.0, 80.0, is_running=True), WIDE).strokes[0]
    assert stroke.open_path
    assert stroke.open_dot is not None
    assert len(stroke.dots) == 2


def test_no_value_at_all_draws_axes_only() -> None:
    drawing = draw(rates(None, None, is_running=True), WIDE)
    assert drawing.strokes[0].path == ""
    assert drawing.strokes[0].label is None


def test_labels_of_lines_that_end_together_are_moved_apart() -> None:
    lines = [Line("One", [90.0, 95.0], ["90%", "95%"]), Line("Two", [91.0, 95.0], ["91%", "95%"], "ink")]
    drawing = draw(Plot(["a", "b"], lines, is_rate=True), WIDE)
    ys = [stroke.label.y for stroke in drawing.strokes if stroke.label]
    assert abs(ys[0] - ys[1]) >= 14.9


@pytest.mark.parametrize(("count", "most"), [(1, 4), (8, 4), (12, 6), (12, 12), (24, 6)])
def test_the_last_period_is_always_named(count: int, most: int) -> None:
    places = tick_places(rates(*[90.0] * count), most)
    assert places[-1] == count - 1
    assert len(places) <= most
