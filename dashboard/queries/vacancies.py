"""Filters about nobody any more: a department, group, campaign or manager with nobody left."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Count, Max, Q
from django.utils.translation import gettext as _

from dashboard import merged_departments
from dashboard.access import Scope
from dashboard.figures.selection import Filters
from sync.models import Account, Campaign, Enrollment, Group, Person


@dataclass(frozen=True)
class Vacancies:
    """Sentences about filters that name nobody. `is_total`: nothing that one of the filters names has anybody."""

    sentences: tuple[str, ...] = ()
    is_total: bool = False


def vacancies_of(scope: Scope, filters: Filters) -> Vacancies:
    """Return what is to be said of the departments, groups, campaigns and the manager that filters name.

    To who does not see everyone nothing is said of campaigns and managers, of whom others may see more than they do,
    nor of departments and groups out of scope. Asks nothing where no such filter is set.
    """
    sentences: list[str] = []
    is_total = False
    for count, found in _by_filter(scope, filters):
        sentences += found
        is_total |= len(found) == count
    return Vacancies(tuple(sentences), is_total)


def nobody_in(scope: Scope) -> str:
    """Return, as sentences, that nobody is left in the scope: in its departments, or who reports to its managers.

    Empty while there is somebody, and for a scope that had nobody to begin with.
    """
    if scope.vacancy or scope.account is None or scope.sees_everyone or not scope.manager_keys:
        return scope.vacancy
    if scope.people().filter(status="active", removed_at=None).exists():
        return ""
    homes = merged_departments.homes(scope.account, scope.department_keys)
    return " ".join(
        [*merged_departments.sentences(homes, scope.account), _("Everybody in the reporting line has left.")]
    )


def _by_filter(scope: Scope, filters: Filters) -> Iterator[tuple[int, list[str]]]:
    """Yield for each filter how many things it names, and a sentence for each with nobody left."""
    account, is_whole = scope.account, scope.sees_everyone
    if account is None:
        return
    if filters.departments:
        known = scope.departments().filter(pk__in=filters.departments).values_list("pk", flat=True)
        homes = merged_departments.homes(account, filters.departments if is_whole else list(known))
        yield len(filters.departments), merged_departments.sentences(homes, account)
    if filters.groups:
        groups = scope.groups().filter(pk__in=filters.groups).order_by("name", "pk")
        yield len(filters.groups), [said for group in groups if (said := group_emptied(group, account))]
    if is_whole and filters.campaigns:
        campaigns = Campaign.objects.filter(account=account, pk__in=filters.campaigns).order_by("name", "pk")
        yield (
            len(filters.campaigns),
            [said for campaign in campaigns if (said := campaign_emptied(campaign, account))],
        )
    if is_whole and (filters.manager or 0) > 0:
        yield 1, _manager(account, filters.manager or 0)


def group_emptied(group: Group, account: Account) -> str:
    """Say that a group has nobody left, or is gone, and since when; empty while it has somebody."""
    since = group.removed_at or group.vacated_at
    if since is None:
        return ""
    words = {"name": group, "day": merged_departments.day_of(since, account)}
    if group.removed_at is not None:
        return _("The group %(name)s is not at KnowBe4 any more since %(day)s.") % words
    return _("The group %(name)s has no people since %(day)s.") % words


def campaign_emptied(campaign: Campaign, account: Account) -> str:
    """Say that a campaign has no enrollments left, and since when; empty while it has some, and before it begins."""
    enrolled = Enrollment.objects.filter(account=account, campaign=campaign)
    gone = enrolled.aggregate(at=Max("removed_at"), here=Count("pk", filter=Q(removed_at=None)))
    if gone["here"] or gone["at"] is None:
        return ""
    words = {"name": campaign, "day": merged_departments.day_of(gone["at"], account)}
    return _("%(name)s has no enrollments since %(day)s.") % words


def _manager(account: Account, manager: int) -> list[str]:
    if Person.objects.filter(account=account, manager=manager, status="active").exists():
        return []
    person = Person.objects.filter(account=account, pk=manager).first()
    return [_("Nobody reports to %(name)s.") % {"name": person}] if person else []
