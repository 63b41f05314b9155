"""Plotly's JavaScript, cut to what the charts here draw; made from the installed wheel when static files are collected.

The bundle of the wheel is five times as large, and injects style sheets that a strict content security policy refuses.
"""

import re
from importlib.resources import files
from pathlib import Path

from dashboard.charts.plotly_js.javascript import Part, UnreadableScriptError, parts_of, reachable, words_of
from dashboard.generated_files import made_once

# Lines and areas (`scatter`) are part of Plotly's core, as are the parts that draw axes, hover texts and shapes.
TRACES = frozenset({"bar"})
COMPONENTS = frozenset({"annotations", "colorscale", "fx", "legend", "modebar", "shapes"})
NAME = "js/plotly.min.js"

_BEGIN = "var Plotly=(()=>{"
_REGISTERED = re.compile(r"\(\[((?:[\w$]+\(\),?)+)\]\)")
_FORWARDED = re.compile(r"\.exports=([\w$]+)\(\)\}")
_MODULE = re.compile(r'moduleType:"(trace|component)",(?:[^{}]*?,)?name:"(\w+)"')
_INJECTED_STYLE = re.compile(r'=W\(\(\)=>\{\(function\(\)\{if\(!document\.getElementById\("\w+"\)\)\{var \w+=document')


def cut(bundle: str) -> str:
    """Return the bundle without the traces and components that no chart uses. UnreadableScriptError when it cannot."""
    begin = bundle.find(_BEGIN) + len(_BEGIN)
    if begin < len(_BEGIN):
        raise UnreadableScriptError("The bundle does not begin as Plotly's does.")
    parts, end = parts_of(bundle, begin)
    places = {part.declares: place for place, part in enumerate(parts)}
    cut_from = 0
    for place, part in enumerate(parts):
        if _INJECTED_STYLE.search(part.text):
            # The style sheet of the maps, which are cut.
            parts[place] = Part(f"var {part.declares}=W(()=>{{}});", part.declares, frozenset())
        elif "moduleType" not in part.text and _REGISTERED.search(part.text):
            text = _REGISTERED.sub(lambda match: f"([{_kept(match[1], parts, places)}])", part.text)
            cut_from += text != part.text
            parts[place] = Part(text, part.declares, words_of(text))
    if not cut_from:
        raise UnreadableScriptError("The bundle registers its traces in another way than Plotly 4's did.")
    kept = reachable(parts, [])
    return bundle[:begin] + "".join(parts[place].text for place in kept) + bundle[end:]


def _kept(calls: str, parts: list[Part], places: dict[str, int]) -> str:
    """Return the calls, separated by commas, but for those that give a trace or a component nobody uses."""
    return ",".join(call for call in calls.split(",") if _is_used(call.removesuffix("()"), parts, places))


def _is_used(name: str, parts: list[Part], places: dict[str, int]) -> bool:
    for _step in range(3):
        if name not in places:
            return True
        text = parts[places[name]].text
        module = _MODULE.search(text)
        if module:
            return module[2] in (TRACES if module[1] == "trace" else COMPONENTS)
        forwarded = _FORWARDED.search(text)
        if not forwarded:
            # Traces drawn by WebGL put themselves together elsewhere.
            return False
        name = forwarded[1]
    return False


def source() -> Path:
    """Return where the wheel keeps its bundle."""
    return Path(str(files("plotly") / "package_data" / "plotly.min.js"))


def build(folder: Path) -> Path:
    """Return a folder that holds the cut bundle as `NAME`; cut anew when the wheel's or this code has changed."""

    def make(part: Path) -> None:
        (part / NAME).parent.mkdir()
        (part / NAME).write_text(cut(source().read_text()))

    code = (Path(__file__).with_name(name) for name in ("javascript.py", "bundle.py"))
    return made_once(folder, (source(), *code), make)
