"""The menu that takes a list along as a file: `{% export_menu "people" %}`."""

from typing import Any

from django import template
from django.urls import reverse
from django.utils.translation import gettext_lazy

from dashboard.exports.jobs import formats_for
from dashboard.exports.tables import TABLES
from dashboard.models import Export

register = template.Library()
# What pages say that lists do not ask about.
_LEFT_OUT = ("page", "by", "all")
# A menu names the program that most know such a file by.
_LABELS = {Export.Format.XLSX: gettext_lazy("Excel (XLSX)")}


@register.inclusion_tag("components/export_menu.html", takes_context=True)
def export_menu(context: dict[str, Any], *tables: str, **query: Any) -> dict[str, Any]:
    """Draw the menu of one list, or of several of the same page; nothing for whom none of them is.

    The page's filters, order and day go along; `query` adds to them, None takes a name out.
    """
    request = context["request"]
    found = request.GET.copy()
    for name in (*_LEFT_OUT, *query):
        found.pop(name, None)
    for name, value in query.items():
        if value is not None:
            found[name] = str(value)
    asked = f"?{found.urlencode()}" if found else ""
    offered = [TABLES[key] for key in tables if TABLES[key].allows(request.scope)]
    return {
        "menu": f"export-{tables[0]}",
        "entries": [(table, reverse("export", args=[table.key]) + asked) for table in offered],
        "formats": [(kind.value, _LABELS.get(kind, kind.label)) for kind in formats_for(request.user)],
        "csrf_token": context.get("csrf_token"),
        "request": request,
    }
