"""Plotly's bundle is cut to what charts draw, and what is left is a whole script."""

from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from plotly import graph_objects as go

from dashboard.charts.periods import Line, Plot
from dashboard.charts.plotly_figure import figure
from dashboard.charts.plotly_js.bundle import NAME, cut, source
from dashboard.charts.plotly_js.javascript import UnreadableScriptError, parts_of, reachable, words_of


def declared(script: str) -> list[str]:
    return [part.declares for part in parts_of(f"{script}}}", 0)[0]]


def kept(script: str) -> str:
    parts, _end = parts_of(f"{script}}}", 0)
    return "".join(parts[place].text for place in reachable(parts, []))


def test_statements_and_declarations_are_told_apart() -> None:
    script = 'var a=1,b=(x,y)=>{return x,y},c;function d(){var e=";}"}class f{}async function g(){}d();'
    assert declared(script) == ["a", "b", "c", "d", "f", "g", ""]


@pytest.mark.parametrize(
    "value",
    [
        '"}"',
        "'\\'}'",
        "`}${`${{a:1}.a}}`}`",
        "/[/}]\\/}/g",
        "1/2/(3)",
        "(()=>{if(1)/}/.test(2)})",
        "[].length/2",
        ".5e-3/1",
    ],
)
def test_brackets_within_texts_and_expressions_are_none(value: str) -> None:
    assert declared(f"var a={value},b=2;") == ["a", "b"]


def test_only_what_is_used_stays() -> None:
    script = "var a=()=>b(),b=()=>1,c=()=>a(),d={a:1};function e(){return x.b}a();"
    assert kept(script) == "var a=()=>b();var b=()=>1;a();"


def test_members_are_no_references_but_spread_values_are() -> None:
    assert words_of("x.y?.z") == {"x"}
    assert "z" in words_of("[...z]")
    assert "z" in words_of("`${z}`")


def test_a_script_of_another_shape_is_refused() -> None:
    with pytest.raises(UnreadableScriptError, match="begin"):
        cut("console.log(1)")
    with pytest.raises(UnreadableScriptError, match="registers"):
        cut("var Plotly=(()=>{var a=1;return a})();")


@pytest.mark.slow
def test_the_bundle_holds_lines_and_bars_and_no_maps() -> None:
    found = finders.find(NAME)
    assert isinstance(found, str)
    script = Path(found).read_text()
    assert len(script) < source().stat().st_size / 4
    assert 'moduleType:"trace",name:"scatter"' in script
    assert 'moduleType:"trace",name:"bar"' in script
    for gone in ("maplibregl-map", 'name:"surface"', 'name:"sankey"', 'createElement("style");e.id'):
        assert gone not in script
    assert "Licensed under the MIT license" in script[:400]


def test_the_finder_finds_nothing_else() -> None:
    assert finders.find("js/plotly.js") is None


PLOTS = {
    "rates": Plot(
        ["Q1 26", "Q2 26", "Q3 26"],
        [
            Line("A year before", [None, 70.0, 71.5], ["–", "70%", "71.5%"], is_reference=True),
            Line("On time", [80.0, None, 82.5], ["80%", "–", "82.5%"]),
            Line("Completion", [90.0, 91.0, 92.0], ["90%", "91%", "92%"], "ink"),
        ],
        is_rate=True,
        is_running=True,
    ),
    "counts": Plot(["a", "b"], [Line("People", [3, 4], ["3", "4"], "due")]),
    "nothing": Plot(["a"], [Line("People", [None], ["–"])], is_rate=True, is_running=True),
}


@pytest.mark.parametrize("name", PLOTS)
def test_figures_pass_plotlys_own_checks(name: str) -> None:
    go.Figure(figure(PLOTS[name]))


def test_the_running_period_is_a_hollow_dot_after_a_dotted_line() -> None:
    lines = [Line("before", [1, 1], ["1", "1"], is_reference=True), Line("x", [1, 2], ["1", "2"])]
    _reference, dotted, settled, hollow = figure(Plot(["a", "b"], lines, is_running=True))["data"]
    assert dotted["line"]["dash"]
    assert settled["y"] == [1, None]
    assert hollow["y"] == [None, 2]
    assert hollow["marker"]["color"] == "var(--surface)"
