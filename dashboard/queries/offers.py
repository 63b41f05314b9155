"""Check before a role is offered that it would show its holder anybody."""

from collections.abc import Collection

from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from dashboard import merged_departments
from dashboard.models import Role
from sync.models import Account, Department, Person


def doubts(account: Account, role: Role, *, email: str, departments: list[Department]) -> list[str]:
    """Return, as sentences, why whoever gets the role would see nobody; nothing before the first sync.

    A people manager is found by email, as their reporting line is; `email` may be empty where it is not known yet.
    """
    if account.published_at is None:
        return []
    if role == Role.DEPARTMENT_HEAD:
        homes = merged_departments.homes(account, [department.pk for department in departments])
        return merged_departments.sentences(homes, account)
    if role != Role.PEOPLE_MANAGER or not email:
        return []
    listed = Person.objects.filter(account=account, removed_at=None)
    words = {"email": email}
    if not listed.filter(email__iexact=email).exists():
        return [_("KnowBe4 knows nobody by the email %(email)s, so they would see nobody.") % words]
    if not listed.filter(manager__email__iexact=email, status="active").exists():
        return [_("At KnowBe4 nobody reports to %(email)s, so they would see nobody.") % words]
    return []


def managers_of_nobody(account: Account, emails: Collection[str]) -> set[str]:
    """Return which of the emails, in lower case, are of nobody to whom anybody active reports."""
    wanted = {email.lower() for email in emails}
    if not wanted or account.published_at is None:
        return set()
    reports = Person.objects.filter(account=account, removed_at=None, status="active", manager__isnull=False)
    found = reports.annotate(boss=Lower("manager__email")).filter(boss__in=wanted).order_by()
    return wanted - set(found.values_list("boss", flat=True).distinct())
