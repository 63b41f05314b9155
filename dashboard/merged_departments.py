"""Departments as they are counted: what each is merged into, and since when one has nobody left.

Whatever is bound to one (roles, loans, schedules, filters, bookmarks) follows its merges, and says so when nobody is
left in it: a report about nobody must not read like a report without trouble.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models.functions import Coalesce
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from dashboard.models import DepartmentRename
from sync.models import Account, Department


@dataclass(frozen=True)
class Home:
    """A department with all that is merged into it. `key` names it in filters: its id, 0 for people without one.

    `spellings` are the ids of all it is made of; `vacated_at` is since when it has nobody active, None while it has.
    """

    key: int
    name: str
    spellings: frozenset[int]
    vacated_at: datetime | None = None


def homes(account: Account, keys: Collection[int] | None = None) -> list[Home]:
    """Return what departments of an account (None: all) are counted as, each once, by name; unknown ids are left out.

    0, people without a department, is found by no id and left out, too.
    """
    rows = Department.objects.filter(account=account).annotate(home=Coalesce("merged_into", "pk")).order_by("pk")
    if keys is not None:
        wanted = [key for key in keys if key > 0]
        if not wanted:
            return []
        rows = rows.filter(home__in=rows.filter(pk__in=wanted).order_by().values("home"))
    families: dict[int, list[Department]] = {}
    for row in rows:
        families.setdefault(row.home, []).append(row)
    found = [_home(home, family) for home, family in families.items()]
    return sorted(found, key=lambda one: (one.name, one.key))


def _home(pk: int, family: list[Department]) -> Home:
    head = next(row for row in family if row.pk == pk)
    moments = [row.vacated_at for row in family if row.vacated_at is not None]
    # People without a department are no department that can be renamed or emptied.
    is_vacant = bool(head.key) and len(moments) == len(family)
    spellings = frozenset(row.pk for row in family)
    return Home(pk if head.key else 0, str(head), spellings, max(moments) if is_vacant else None)


def counted_as(account: Account, keys: Collection[int]) -> frozenset[int]:
    """Return the keys that filters by these departments are about; unknown ones stay as they are."""
    found = homes(account, keys)
    known = frozenset[int]().union(*(home.spellings for home in found))
    return frozenset(home.key for home in found) | (frozenset(keys) - known)


def day_of(moment: datetime, account: Account) -> str:
    """Return the account's day of a moment, as pages write it: "30 Nov 2026"."""
    return date_format(moment.astimezone(account.zone).date(), "j M Y")


def emptied(home: Home, account: Account) -> str:
    """Say that a department has nobody left, and since when; empty while it has somebody."""
    if home.vacated_at is None:
        return ""
    return _("%(name)s has no people since %(day)s.") % {"name": home.name, "day": day_of(home.vacated_at, account)}


def marked(home: Home, account: Account) -> str:
    """Return the department's name, in lists and labels: with a mark where nobody is left in it."""
    if home.vacated_at is None:
        return home.name
    return _("%(name)s (no people since %(day)s)") % {"name": home.name, "day": day_of(home.vacated_at, account)}


def sentences(found: Iterable[Home], account: Account) -> list[str]:
    """Return what is to be said of the departments that have nobody left."""
    return [said for home in found if (said := emptied(home, account))]


def rename_in_words(rename: DepartmentRename) -> str:
    """Say what KnowBe4 seems to have renamed, and by what that is judged."""
    return _(
        "%(people)s of the %(active)s active people of %(old)s are now in %(new)s, which had nobody before (%(day)s). "
        "Does %(new)s continue %(old)s?"
    ) % {
        "people": rename.people,
        "active": rename.active,
        "old": rename.department,
        "new": rename.into,
        "day": day_of(rename.seen_at, rename.account),
    }
