"""Drawings, each one piece of text: a template takes ten times as long over their many parts."""

from collections.abc import Iterator, Sequence

from django import template
from django.utils.safestring import SafeString

from dashboard.charts.periods import Drawing, Stroke
from dashboard.charts.svg import Mark, Segment
from dashboard.markup import Markup, joined

register = template.Library()
_BAR = Markup('<svg class="bar-svg" role="img" aria-label="{}">{}</svg>')
_PART = Markup('<rect class="b-{}" x="{}%" width="{}%" height="8"/>')
_SPARK = Markup(
    '<svg class="spark" viewBox="0 0 88 28" aria-hidden="true"><path d="{}"/>'
    '<circle class="{}" cx="{}" cy="{}" r="2.75"/></svg>'
)
_CHART = Markup('<svg class="chart {}" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>')
_RULE = Markup('<line class="{}" x1="{}" x2="{}" y1="{}" y2="{}"/>')
_Y_LABEL = Markup('<text x="{}" y="{}" dy="4" text-anchor="end">{}</text>')
_X_LABEL = Markup('<text x="{}" y="{}" text-anchor="middle">{}</text>')
_PATH = Markup('<path class="{}" d="{}"/>')
_SQUARE = Markup(
    '<rect class="c-dot f-ink" x="{}" y="{}" width="7" height="7" transform="translate(-3.5 -3.5)">'
    "<title>{}</title></rect>"
)
_DOT = Markup('<circle class="c-dot f-{}" cx="{}" cy="{}" r="4"><title>{}</title></circle>')
_HOLLOW = Markup('<circle class="c-dot is-hollow s-{}" cx="{}" cy="{}" r="4.5"><title>{}</title></circle>')
_NAME = Markup('<text class="strong" x="{}" dx="10" y="{}" dy="4">{}</text>')


@register.simple_tag
def split(parts: Sequence[Segment], label: str) -> SafeString:
    """Draw a bar of parts side by side, which says in words what it shows."""
    return _BAR(label, joined(_PART(part.name, part.x, part.width) for part in parts))


@register.simple_tag
def spark(line: tuple[str, Mark] | None, tone: str = "") -> SafeString | str:
    """Draw a small line with its end marked, beside the number it leads to; nothing for None."""
    if line is None:
        return ""
    path, end = line
    return _SPARK(path, tone, end.x, end.y)


@register.simple_tag
def periods(drawing: Drawing, name: str, label: str) -> SafeString:
    """Draw lines over periods, `name`d for the style sheets; `label` says to who cannot see it what is drawn."""
    parts = []
    for place, tick in enumerate(drawing.y_ticks):
        parts.append(_RULE("c-grid" if place else "c-base", drawing.left, drawing.right, tick.y, tick.y))
        parts.append(_Y_LABEL(tick.x, tick.y, tick.label))
    parts += [_X_LABEL(tick.x, tick.y, tick.label) for tick in drawing.x_ticks]
    for stroke in drawing.strokes:
        parts += _stroke(stroke)
    return _CHART(name, drawing.width, drawing.height, label, joined(parts))


def _stroke(stroke: Stroke) -> Iterator[SafeString]:
    """Yield a line, its dots (squares where its colour is ink's), the running period's hollow one, and its label."""
    if stroke.line.is_reference:
        yield _PATH("c-ref-line", stroke.path)
        return
    tone = stroke.line.tone
    yield _PATH(f"c-line s-{tone}", stroke.path)
    if stroke.open_path:
        yield _PATH(f"c-line is-open s-{tone}", stroke.open_path)
    for dot in stroke.dots:
        yield _SQUARE(dot.x, dot.y, dot.label) if tone == "ink" else _DOT(tone, dot.x, dot.y, dot.label)
    if stroke.open_dot:
        end = stroke.open_dot
        yield _HOLLOW(tone, end.x, end.y, end.label)
    if stroke.label:
        yield _NAME(stroke.label.x, stroke.label.y, stroke.label.label)
