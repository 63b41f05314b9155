"""Labels of the catalogue of fields, for tables whose rows a template writes."""

from typing import Any

from django import template

from dashboard.queries.fields import CAMPAIGNS, ENROLLMENTS, PEOPLE

register = template.Library()
_FIELDS = {"person": PEOPLE, "enrollment": ENROLLMENTS, "campaign": CAMPAIGNS}


@register.simple_tag
def label(noun: str, field: str) -> Any:
    """Write what the catalogue calls a field: `{% label "person" "department" %}`. KeyError for one that is none."""
    return _FIELDS[noun][field].label
