"""Links that keep what every page knows: the day figures are computed for, and whose department counts."""

from typing import Any

from django import template
from django.http import QueryDict
from django.urls import reverse

from dashboard.pages.asked import CARRIED

register = template.Library()


@register.simple_tag(takes_context=True)
def to(context: dict[str, Any], name: str, *keys: Any, **query: Any) -> str:
    """Return the address of a page, with this page's day and basis and the given query: `{% to "people" state="x" %}`.

    Keys go into the path. A list in the query becomes several values; None leaves its name out.
    """
    found = QueryDict(mutable=True)
    for key in CARRIED:
        if value := context["request"].GET.get(key):
            found[key] = value
    for key, value in query.items():
        if value is None:
            found.pop(key, None)
        else:
            found.setlist(key, [str(each) for each in (value if isinstance(value, list | tuple | set) else [value])])
    address = reverse(name, args=keys)
    return f"{address}?{found.urlencode()}" if found else address


@register.simple_tag(takes_context=True)
def here(context: dict[str, Any], **query: Any) -> str:
    """Return this page's address with some of its query changed; None takes a name out. The page number starts over."""
    found = context["request"].GET.copy()
    found.pop("page", None)
    for key, value in query.items():
        if value is None:
            found.pop(key, None)
        else:
            found.setlist(key, [str(each) for each in (value if isinstance(value, list | tuple | set) else [value])])
    return f"?{found.urlencode()}"
