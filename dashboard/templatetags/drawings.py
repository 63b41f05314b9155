"""Small drawings in rows of lists, each one piece of text: a template takes ten times as long over their parts."""

from collections.abc import Sequence

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

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
