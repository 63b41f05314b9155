"""Parts of every page that are the same on all of them."""

from functools import lru_cache

from django import template
from django.conf import settings
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language

register = template.Library()


@register.simple_tag
def cached_include(name: str) -> SafeString:
    """Draw a template that depends on nothing but the language, once for every process: `{% cached_include NAME %}`."""
    return render_to_string(name) if settings.DEBUG else _drawn(name, get_language())


@lru_cache(maxsize=100)
def _drawn(name: str, language: str | None) -> SafeString:
    return render_to_string(name)
