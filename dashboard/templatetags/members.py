"""How the ends of roles and loans are written."""

from datetime import datetime, timedelta

from django import template

from dashboard.templatetags.figures import day

register = template.Library()


@register.filter
def last_day(ends_at: datetime) -> str:
    """Write the last local day before a moment: a role that ends at midnight holds for the whole day before."""
    return day(ends_at - timedelta(microseconds=1))
