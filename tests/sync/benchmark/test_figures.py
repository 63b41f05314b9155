"""Figures read well, and `--json` keeps its names."""

import pytest

from sync.benchmark.figures import Figure


@pytest.mark.parametrize(
    ("figure", "is_met"),
    [
        (Figure("time", 10.0, "ms", at_most=10), True),
        (Figure("time", 10.01, "ms", at_most=10), False),
        (Figure("speed", 60_000, at_least=60_000), True),
        (Figure("speed", 59_999, at_least=60_000), False),
        (Figure("rows", 3), None),
    ],
)
def test_goal_is_met_up_to_the_bound(figure, is_met):
    assert figure.is_met is is_met


def test_figure_in_words():
    figure = Figure("time", 8.5, "ms", at_most=10, beside={"median ms": 7.25, "runs": 40})

    assert (figure.measured, figure.goal, figure.remarks) == ("8.50 ms", "at most 10 ms", "median ms 7.25, runs 40")


def test_figure_as_json_is_stable():
    figure = Figure("time", 8.5, "ms", at_most=10, beside={"runs": 40})

    assert figure.as_json() == {
        "name": "time",
        "value": 8.5,
        "unit": "ms",
        "at_least": None,
        "at_most": 10,
        "met": True,
        "beside": {"runs": 40},
    }
