"""The log of settings: who decided what, and the names of what was decided about."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from django.db.models import QuerySet

from dashboard.access import Scope
from dashboard.models import SettingChange

Subject = SettingChange.Subject
Key = tuple[str, int]


def setting_changes(
    scope: Scope, *, subject: str = "", subject_id: int | None = None, subject_ids: Iterable[int] | None = None
) -> QuerySet[SettingChange]:
    """Return the changes of settings in scope, newest first, with who made them."""
    found = scope.setting_changes().select_related("changed_by").order_by("-pk")
    if subject:
        found = found.filter(subject=subject)
    if subject_id is not None:
        found = found.filter(subject_id=subject_id)
    if subject_ids is not None:
        found = found.filter(subject_id__in=list(subject_ids))
    return found


def latest_by_subject(scope: Scope, subject: str, ids: Iterable[int]) -> dict[int, SettingChange]:
    """Return the latest change of each of these subjects; those never changed are missing."""
    found = scope.setting_changes().filter(subject=subject, subject_id__in=list(ids)).select_related("changed_by")
    latest = found.order_by("subject_id", "-pk").distinct("subject_id")
    return {change.subject_id: change for change in latest}


def names(scope: Scope, changes: Iterable[SettingChange]) -> Mapping[Key, str]:
    """Return what the changes are about, by subject and id: campaigns, departments (merged ones' new home too), whom an
    exemption is for. What is out of scope is missing.
    """
    wanted: dict[str, set[int]] = defaultdict(set)
    for change in changes:
        wanted[change.subject].add(change.subject_id)
        if change.subject == Subject.DEPARTMENT:
            wanted[change.subject] |= {int(text) for text in (change.old, change.new) if text and text.isdecimal()}
    found: dict[Key, str] = {}
    if ids := wanted.get(Subject.CAMPAIGN):
        for campaign in scope.campaigns().filter(pk__in=ids):
            found[Subject.CAMPAIGN, campaign.pk] = str(campaign)
    if ids := wanted.get(Subject.DEPARTMENT):
        for department in scope.departments().filter(pk__in=ids):
            found[Subject.DEPARTMENT, department.pk] = str(department)
    if ids := wanted.get(Subject.EXEMPTION):
        for exemption in scope.exemptions().filter(pk__in=ids).select_related("person", "group"):
            found[Subject.EXEMPTION, exemption.pk] = str(exemption.person or exemption.group)
    return found
