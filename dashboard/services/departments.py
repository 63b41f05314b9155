"""Merge and separate departments. KnowBe4 is not touched."""

from collections.abc import Mapping
from datetime import datetime

from django.utils.translation import gettext as _

from dashboard.models import DepartmentMerge, SettingChange, User
from dashboard.rollups import recount
from dashboard.services.deciding import RefusedError, deciding, given, record
from sync.models import Account, Department, Person


def merge(department: Department, into: Department, *, by: User, at: datetime, reason: str) -> bool:
    """Count the department as part of `into` and of whatever that is part of; return whether that changed anything.

    A department merged before is merged anew. RefusedError without a reason, for "No department" (what nobody filled
    in is no spelling of anything), across accounts, and where the chain would lead back to the department.
    """
    reason = given(reason)
    account = department.account
    if into.account_id != account.pk:
        raise RefusedError(_("Both departments must be of the same account."))
    if not department.key:
        raise RefusedError(_("People without a department cannot be merged into one."))
    with deciding(account):
        links = _links(account)
        if links.get(department.pk) == into.pk:
            return False
        if department.pk in _chain(links, into.pk):
            raise RefusedError(
                _("%(into)s is itself merged into %(department)s: separate it first.")
                % {"into": into, "department": department}
            )
        DepartmentMerge.objects.update_or_create(department=department, defaults={"account": account, "into": into})
        _record(department, old=links.get(department.pk), new=into.pk, by=by, at=at, reason=reason)
        _settle(account, department, links | {department.pk: into.pk}, at=at)
    department.refresh_from_db(fields=["merged_into"])
    return True


def unmerge(department: Department, *, by: User, at: datetime, reason: str) -> bool:
    """Count the department by itself again, with all that was merged into it; return whether that changed anything.

    RefusedError without a reason.
    """
    reason = given(reason)
    account = department.account
    with deciding(account):
        links = _links(account)
        if department.pk not in links:
            return False
        into = links.pop(department.pk)
        DepartmentMerge.objects.filter(department=department).delete()
        _record(department, old=into, new=None, by=by, at=at, reason=reason)
        _settle(account, department, links, at=at)
    department.refresh_from_db(fields=["merged_into"])
    return True


def _links(account: Account) -> dict[int, int]:
    return dict(DepartmentMerge.objects.filter(account=account).values_list("department_id", "into_id"))


def _chain(links: Mapping[int, int], start: int) -> list[int]:
    """Return the departments from `start` to the end of its chain. There are no loops: `merge` refuses them."""
    chain = [start]
    while chain[-1] in links:
        chain.append(links[chain[-1]])
    return chain


def _settle(account: Account, department: Department, links: Mapping[int, int], *, at: datetime) -> None:
    """Point the department and all that is merged into it to the end of their chain, and recount their people."""
    ends = {start: chain[-1] for start in {*links, department.pk} if department.pk in (chain := _chain(links, start))}
    for start, end in ends.items():
        Department.objects.filter(pk=start).update(merged_into=end if end != start else None)
    people = Person.objects.filter(account=account, department__in=ends)
    recount(account, people=people.values_list("pk", flat=True), at=at)


def _record(department: Department, *, old: int | None, new: int | None, by: User, at: datetime, reason: str) -> None:
    record(
        department.account,
        SettingChange.Subject.DEPARTMENT,
        department.pk,
        "merged_into",
        old=None if old is None else str(old),
        new=None if new is None else str(new),
        by=by,
        at=at,
        reason=reason,
    )
