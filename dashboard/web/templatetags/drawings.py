"""Drawings, each one piece of text: a template takes ten times as long over their many parts."""

from collections.abc import Iterator, Sequence

from django import template
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString

from dashboard.charts.periods import Drawing, Stroke
from dashboard.charts.svg import Mark, Segment

register = template.Library()


@register.simple_tag
def split(parts: Sequence[Segment], label: str) -> SafeString:
    """Draw a bar of parts side by side, which says in words what it shows."""
    drawn = "".join(f'<rect class="b-{part.name}" x="{part.x}%" width="{part.width}%" height="8"/>' for part in parts)
    return format_html('<svg class="bar-svg" role="img" aria-label="{}">{}</svg>', label, SafeString(drawn))


@register.simple_tag
def spark(line: tuple[str, Mark] | None, tone: str = "") -> SafeString | str:
    """Draw a small line with its end marked, beside the number it leads to; nothing for None."""
    if line is None:
        return ""
    path, end = line
    dot = format_html('<circle class="{}" cx="{}" cy="{}" r="2.75"/>', tone, end.x, end.y)
    return format_html('<svg class="spark" viewBox="0 0 88 28" aria-hidden="true"><path d="{}"/>{}</svg>', path, dot)


@register.simple_tag
def periods(drawing: Drawing, name: str, label: str) -> SafeString:
    """Draw lines over periods, `name`d for the style sheets; `label` says to who cannot see it what is drawn."""
    parts = []
    for place, tick in enumerate(drawing.y_ticks):
        kind = "c-grid" if place else "c-base"
        parts.append(f'<line class="{kind}" x1="{drawing.left}" x2="{drawing.right}" y1="{tick.y}" y2="{tick.y}"/>')
        parts.append(f'<text x="{tick.x}" y="{tick.y}" dy="4" text-anchor="end">{escape(tick.label)}</text>')
    parts += [
        f'<text x="{tick.x}" y="{tick.y}" text-anchor="middle">{escape(tick.label)}</text>' for tick in drawing.x_ticks
    ]
    for stroke in drawing.strokes:
        parts += _stroke(stroke)
    return format_html(
        '<svg class="chart {}" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>',
        name,
        str(drawing.width),
        str(drawing.height),
        label,
        SafeString("".join(parts)),
    )


def _stroke(stroke: Stroke) -> Iterator[str]:
    """Yield a line, its dots (squares where its colour is ink's), the running period's hollow one, and its label."""
    if stroke.line.is_reference:
        yield f'<path class="c-ref-line" d="{stroke.path}"/>'
        return
    tone = stroke.line.tone
    yield f'<path class="c-line s-{tone}" d="{stroke.path}"/>'
    if stroke.open_path:
        yield f'<path class="c-line is-open s-{tone}" d="{stroke.open_path}"/>'
    for dot in stroke.dots:
        title = f"<title>{escape(dot.label)}</title>"
        if tone == "ink":
            at = f'x="{dot.x}" y="{dot.y}" width="7" height="7" transform="translate(-3.5 -3.5)"'
            yield f'<rect class="c-dot f-ink" {at}>{title}</rect>'
        else:
            yield f'<circle class="c-dot f-{tone}" cx="{dot.x}" cy="{dot.y}" r="4">{title}</circle>'
    if stroke.open_dot:
        end = stroke.open_dot
        title = f"<title>{escape(end.label)}</title>"
        yield f'<circle class="c-dot is-hollow s-{tone}" cx="{end.x}" cy="{end.y}" r="4.5">{title}</circle>'
    if stroke.label:
        at = f'x="{stroke.label.x}" dx="10" y="{stroke.label.y}" dy="4"'
        yield f'<text class="strong" {at}>{escape(stroke.label.label)}</text>'
