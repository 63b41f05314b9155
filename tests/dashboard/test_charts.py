"""Charts stay inside their box, start at zero and never put one label over another."""

import re
from datetime import date, timedelta
from itertools import pairwise

import plotly.graph_objects as go
import pytest

from dashboard import charts
from dashboard.charts.days import figure as day_figure
from dashboard.web.templatetags.drawings import spark, split

FIRST = date(2026, 8, 26)


def days(counts: list[int]) -> list[tuple[date, int]]:
    return [(FIRST + timedelta(days=index), count) for index, count in enumerate(counts)]


@pytest.mark.parametrize("size", [charts.WIDE, charts.NARROW])
@pytest.mark.parametrize("counts", [[0] * 90, [1] * 90, [7, 3] * 45, list(range(0, 90_000, 1000))])
def test_a_line_stays_inside_its_box(size: charts.Size, counts: list[int]) -> None:
    chart = charts.line_chart(days(counts), [], size)
    numbers = [float(number) for number in re.findall(r"[\d.]+", chart.line)]
    assert all(size.left <= x <= size.width - size.right for x in numbers[::2])
    assert all(14 <= y <= chart.base for y in numbers[1::2])
    assert chart.y_ticks[0].label == "0"
    assert chart.y_ticks[0].y == chart.base
    assert 3 <= len(chart.y_ticks) <= 6


def test_the_peak_is_labelled_unless_it_is_now() -> None:
    assert charts.line_chart(days([0, 9, *([2] * 30)]), [], charts.WIDE).peak is not None
    assert charts.line_chart(days([0] * 30 + [9]), [], charts.WIDE).peak is None


def test_deadline_labels_do_not_overlap() -> None:
    wanted = [(FIRST + timedelta(days=day), "A campaign with quite a long name indeed") for day in (30, 31, 60, 400)]
    marks = charts.line_chart(days([5] * 90), wanted, charts.WIDE).deadlines
    assert [mark.x for mark in marks] == sorted(mark.x for mark in marks)
    assert len(marks) >= 2
    assert any("A campaign" in mark.label for mark in marks)
    boxes = []
    for mark in marks:
        length = 6.2 * len(mark.label)
        boxes.append((mark.x - length, mark.x) if mark.anchor == "end" else (mark.x, mark.x + length))
    for index, (left, right) in enumerate(boxes):
        assert left >= 0
        assert right <= charts.WIDE.width
        assert all(right <= begin or end <= left for begin, end in boxes[index + 1 :])


def test_split_bar_keeps_small_parts_visible_and_leaves_empty_ones_out() -> None:
    parts = charts.split_bar([("done", 996), ("late", 0), ("due", 4)])
    assert [part.name for part in parts] == ["done", "due"]
    assert parts[-1].width >= 0.4
    assert charts.split_bar([("done", 0)]) == []


def test_sparks() -> None:
    assert charts.spark_line([5]) is None
    assert charts.spark_line([5, 5, 5]) is not None
    bars = charts.spark_bars([0, 5, 0, 1])
    assert [bar.is_on for bar in bars] == [False, True, False, True]
    assert all(bar.y >= 0 and bar.y + bar.height <= 26.01 for bar in bars)


@pytest.mark.parametrize("counts", [[0] * 90, [1] * 90, [7, 3] * 45])
def test_days_are_a_figure_that_plotly_takes(counts: list[int]) -> None:
    drawn = days(counts)
    deadlines = [(drawn[20][0], "Autumn awareness"), (drawn[22][0], "Invoice fraud"), (FIRST - timedelta(1), "Before")]
    figure = go.Figure(day_figure(drawn, deadlines, [f"{count} people" for count in counts]))
    assert list(figure.data[0].y) == counts
    day = f"{drawn[20][0]:%-d %b}"
    named = [(note.text, note.name) for note in figure.layout.annotations if note.yref == "paper"]
    assert named == [(day, f"Autumn awareness, {day}")]
    assert figure.layout.yaxis.range[0] == 0


def test_names_of_deadlines_do_not_run_into_each_other() -> None:
    drawn = days([5] * 90)
    deadlines = [
        (drawn[23][0], "Information handling policy 2026"),
        (drawn[65][0], "Autumn"),
        (drawn[86][0], "Quarterly"),
    ]
    figure = day_figure(drawn, deadlines, [""] * 90)
    notes = [note for note in figure["layout"]["annotations"] if note.get("yref") == "paper"]
    reach = []
    for note in notes:
        at = (date.fromisoformat(note["x"]) - FIRST).days
        reach.append((at - len(note["name"]), at) if note["xanchor"] == "right" else (at, at + len(note["name"])))
    assert all(end <= begin for (_, end), (begin, _) in pairwise(reach))
    assert [note["name"].split(",")[0] for note in notes][1:] == ["Autumn", "Quarterly"]


def test_rows_of_lists_are_drawn_in_one_piece() -> None:
    drawn = split(charts.split_bar([("done", 3), ("due", 1)]), "3 completed, 1 <past> due")
    assert drawn.count("<rect") == 2
    assert 'aria-label="3 completed, 1 &lt;past&gt; due"' in drawn
    assert spark(None) == ""
    assert spark(charts.spark_line([1, 2, 3]), "f-due").count('class="f-due"') == 1
