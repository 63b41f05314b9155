"""Filters that write the ends of roles and loans."""

from django import template
from django.template import Context
from django.utils.translation import gettext as _

from dashboard import merged_departments
from dashboard.formats import last_day
from sync.models import Department

register = template.Library()
register.filter(last_day)


@register.simple_tag(takes_context=True)
def counted_as(context: Context, department: Department) -> str:
    """Write the department that a role's is counted as now, with a mark where nobody is left in it.

    All of the account's are read with the first one of a page.
    """
    request = context["request"]
    names: dict[int, str] | None = getattr(request, "department_names", None)
    if names is None:
        account = request.account
        every = merged_departments.homes(account)
        names = {pk: merged_departments.marked(home, account) for home in every for pk in home.spellings if home.key}
        request.department_names = names
    return names.get(department.pk) or _("No department")
