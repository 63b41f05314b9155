"""Filters in words, as people write them, made the ids that queries take; within the reader's scope only."""

from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q
from django.db.models.functions import Trim

from dashboard.access import Scope
from dashboard.figures.selection import Filters
from dashboard.merged_departments import homes, marked
from dashboard.metrics import State
from dashboard.models import PersonStanding
from sync.models.training import ContentType

NO_DEPARTMENT = "no department"
NONE = "none"


class NoSuchFilterError(ValueError):
    """A filter names what is not there, or not in scope; the sentence says what."""


@dataclass(frozen=True)
class Wanted:
    """The filters as they were written."""

    campaign: list[int] = field(default_factory=list)
    campaign_state: list[str] = field(default_factory=list)
    trigger: list[str] = field(default_factory=list)
    content_type: list[str] = field(default_factory=list)
    department: list[str] = field(default_factory=list)
    group: list[str] = field(default_factory=list)
    state: list[str] = field(default_factory=list)
    manager: str | None = None
    direct: bool = False


def resolve(scope: Scope, wanted: Wanted) -> tuple[Filters, dict[str, object]]:
    """Return the filters, and in words those that were given. NoSuchFilterError for what the scope does not hold."""
    words: dict[str, object] = {}
    found: dict[str, Any] = {"whole_line": not wanted.direct}
    if wanted.department:
        found["departments"], words["departments"] = _departments(scope, wanted.department)
    if wanted.manager is not None:
        found["manager"], words["manager"] = _manager(scope, wanted.manager)
    if wanted.direct:
        words["line"] = "direct reports"
    if wanted.campaign:
        found["campaigns"], words["campaigns"] = _campaigns(scope, wanted.campaign)
    if wanted.content_type:
        kinds = {kind.casefold(): kind for kind in ContentType.values}
        unknown = [text for text in wanted.content_type if text.strip().casefold() not in kinds]
        if unknown:
            raise NoSuchFilterError(f"There is no content type {unknown[0]!r}; there are: {', '.join(kinds.values())}.")
        chosen = sorted({kinds[text.strip().casefold()] for text in wanted.content_type})
        found["content_types"], words["content_types"] = frozenset(chosen), chosen
    if wanted.group:
        found["groups"], words["groups"] = _groups(scope, wanted.group)
    for name, values in (("campaign_states", wanted.campaign_state), ("triggers", wanted.trigger)):
        if values:
            found[name], words[name] = frozenset(values), sorted(set(values))
    if wanted.state:
        found["states"] = frozenset(map(State, wanted.state))
        words["states"] = sorted(set(wanted.state))
    return Filters(**found), words


def _departments(scope: Scope, names: list[str]) -> tuple[frozenset[int], list[str]]:
    """Return the departments of these names, whatever their case and blanks; merged ones as what they are part of."""
    known = {row.key: row for row in scope.departments().select_related("merged_into").order_by("pk")}
    keys, words = set(), []
    for name in names:
        key = " ".join(name.split()).lower()
        # A department may be called so, too.
        if not key or (key == NO_DEPARTMENT and key not in known):
            keys.add(0)
            words.append("No department")
            continue
        if key not in known:
            raise NoSuchFilterError(f"There is no department {name!r}.")
        home = known[key].merged_into or known[key]
        keys.add(home.pk if home.key else 0)
        words.append(home.name or "No department")
    if scope.account is not None:
        # An empty answer about a department with nobody left must not read like one without trouble.
        vacant = [home for home in homes(scope.account, keys) if home.vacated_at is not None]
        marks = {home.name: marked(home, scope.account) for home in vacant}
        words = [marks.get(word, word) for word in words]
    return frozenset(keys), words


def _manager(scope: Scope, text: str) -> tuple[int, str]:
    """Return a manager's key: a person's by their email, else that of a name nobody's email goes with."""
    name = text.strip()
    if name.casefold() == NONE:
        return 0, "No manager"
    people = scope.people().filter(email__iexact=name, removed_at__isnull=True)
    # Active people first, as publish finds managers.
    person = min(people, key=lambda person: (person.status != "active", person.pk), default=None)
    if person is not None:
        return person.pk, str(person)
    called = scope.people().annotate(called=Trim("manager_name")).filter(called__iexact=name, manager__isnull=True)
    report = called.exclude(called="").order_by("pk").first()
    key = PersonStanding.objects.filter(person=report).values_list("manager_id", flat=True).first() if report else None
    if key is None or report is None:
        raise NoSuchFilterError(f"There is no manager {text!r}.")
    return key, report.manager_name.strip()


def _campaigns(scope: Scope, ids: list[int]) -> tuple[frozenset[int], list[str]]:
    """Return the campaigns of these ids: KnowBe4's, else our own."""
    rows = list(scope.campaigns().filter(Q(knowbe4_id__in=ids) | Q(pk__in=ids)).order_by("pk"))
    theirs, ours = {row.knowbe4_id: row for row in rows}, {row.pk: row for row in rows}
    unknown = [str(number) for number in ids if number not in theirs and number not in ours]
    if unknown:
        raise NoSuchFilterError(f"There is no campaign {unknown[0]}.")
    found = [theirs.get(number) or ours[number] for number in ids]
    return frozenset(row.pk for row in found), [str(row) for row in found]


def _groups(scope: Scope, names: list[str]) -> tuple[frozenset[int], list[str]]:
    """Return the groups of these names, all of one name; whatever their case."""
    keys: set[int] = set()
    for name in names:
        found = scope.groups().filter(name__iexact=name.strip()).values_list("pk", flat=True)
        if not found:
            raise NoSuchFilterError(f"There is no group {name!r}.")
        keys.update(found)
    return frozenset(keys), [name.strip() for name in names]
