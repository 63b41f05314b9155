"""Links that keep what every page knows: the day figures are computed for, and whose department counts."""

from typing import Any
from urllib.parse import quote, urlencode

from django import template

from config.email_addresses import mailable
from dashboard.requests.account_paths import address_of
from dashboard.requests.filters import CARRIED

register = template.Library()


def _texts(value: Any) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list | tuple | set) else [str(value)]


@register.filter
def mailto(address: str | None) -> str:
    """Return the link that writes to an email address; empty for what is not one single address."""
    found = mailable(address or "")
    return f"mailto:{quote(found, safe='@+')}" if found else ""


@register.simple_tag(takes_context=True)
def to(context: dict[str, Any], name: str, *keys: Any, **query: Any) -> str:
    """Return the address of a page, with this page's day and basis and the given query: `{% to "people" state="x" %}`.

    Keys go into the path. A list in the query becomes several values; None leaves its name out.
    """
    given = context["request"].GET
    found = {key: [value] for key in CARRIED if (value := given.get(key))} if given else {}
    for key, value in query.items():
        if value is None:
            found.pop(key, None)
        else:
            found[key] = _texts(value)
    address = address_of(name, *keys)
    return f"{address}?{urlencode(found, doseq=True)}" if found else address


@register.simple_tag(takes_context=True)
def here(context: dict[str, Any], **query: Any) -> str:
    """Return this page's address with some of its query changed; None takes a name out. The page number starts over."""
    found = dict(context["request"].GET.lists())
    found.pop("page", None)
    for key, value in query.items():
        if value is None:
            found.pop(key, None)
        else:
            found[key] = _texts(value)
    return f"?{urlencode(found, doseq=True)}"
