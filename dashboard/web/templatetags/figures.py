"""`dashboard.formats` for templates, and the small marks they draw."""

from functools import lru_cache

from django import template
from django.http import QueryDict
from django.utils.safestring import SafeString

from config.version import VERSION
from dashboard import formats
from dashboard.markup import Markup

register = template.Library()
_ICON = Markup('<svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><use href="#i-{}"/></svg>')
_MARK = Markup('<svg class="shape" viewBox="0 0 14 14" aria-hidden="true"><use href="#s-{}"/></svg>')

for _filter in (
    formats.percent,
    formats.percent_figure,
    formats.points,
    formats.number,
    formats.svg_percent,
    formats.clock,
    formats.absolute,
    formats.day,
    formats.ahead,
    formats.took,
    formats.in_words,
    formats.every,
):
    register.filter(_filter)
register.simple_tag(formats.stamp)


@register.filter
def kept(parameters: QueryDict, but: str) -> str:
    """Write an address's other parameters for a link that changes one of them: "run=3&"; empty for none."""
    others = parameters.copy()
    others.pop(but, None)
    return f"{others.urlencode()}&" if others else ""


@register.simple_tag
def version() -> str:
    """Return the version of this installation, for the foot of a page."""
    return VERSION


@register.simple_tag
@lru_cache(maxsize=200)
def icon(name: str) -> SafeString:
    """Draw one of the line icons of the sprite; always beside a word, so it is silent to screen readers."""
    return _ICON(name)


@register.simple_tag
@lru_cache(maxsize=200)
def mark(name: str) -> SafeString:
    """Draw one of the status marks of the sprite; always beside its word."""
    return _MARK(name)
