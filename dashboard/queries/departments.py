"""Departments as KnowBe4 spells them: who is in which spelling, which are merged, which look alike."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Count, Q

from dashboard import metrics
from dashboard.access import Scope
from sync.models import Department

# A department with so many times fewer people than one whose name it begins with may be a spelling of it.
FEW = 10
# Words that say no more than that it is a department.
_FILLERS = frozenset("department dept team division unit group the of".split())


@dataclass
class DepartmentLine:
    """A department, and what is counted in it.

    `spellings` are KnowBe4's words for it with the active people under each, most frequent first; `merged` the
    departments counted as part of it, and `people` the active people of all of them.
    """

    department: Department
    spellings: list[tuple[str, int]] = field(default_factory=list)
    merged: list["DepartmentLine"] = field(default_factory=list)

    @property
    def own_people(self) -> int:
        """Active people under its own spellings."""
        return sum(people for _, people in self.spellings)

    @property
    def people(self) -> int:
        """Active people counted in it."""
        return self.own_people + sum(line.own_people for line in self.merged)

    @property
    def vacated_at(self) -> datetime | None:
        """Since when it has nobody, with all that is merged into it; None while it has somebody."""
        moments = [line.department.vacated_at for line in (self, *self.merged)]
        known = [moment for moment in moments if moment is not None]
        return max(known) if self.department.key and len(known) == len(moments) else None

    @property
    def link(self) -> int:
        """Key by which filters name it: its id, 0 for "No department"."""
        return self.department.pk if self.department.key else 0

    @property
    def other_spellings(self) -> list[tuple[str, int]]:
        """The spellings beside the one it is shown in."""
        return [(name, people) for name, people in self.spellings if name != self.department.name]


@dataclass(frozen=True)
class Suggestion:
    """Two departments whose names look like one; the one with fewer people would be merged into the other."""

    department: DepartmentLine
    into: DepartmentLine


def department_of(scope: Scope, key: int) -> tuple[int, str] | None:
    """Return the key and the name of the department that a filter by `key` is about; None when it is not in scope.

    A merged spelling is the department it was merged into. 0 is people without one: its name is empty.
    """
    nameless = scope.people().filter(Q(department__isnull=True) | Q(department__key=""))
    if not key:
        return (0, "") if nameless.exists() else None
    found = scope.departments().filter(pk=key).select_related("merged_into").first()
    if found is None:
        return None
    home = found.merged_into or found
    return (home.pk, home.name) if home.key else (0, "")


def department_lines(scope: Scope, *, as_of: datetime) -> list[DepartmentLine]:
    """Return every department that is not merged into another, by name, those without people too; nameless last."""
    departments = {one.pk: DepartmentLine(one) for one in scope.departments().order_by("name", "pk")}
    spelled = (
        scope.people()
        .filter(metrics.active(as_of), department__isnull=False)
        .order_by()
        .values_list("department_id", "department_name")
        .annotate(people=Count("pk"))
    )
    for key, name, people in spelled:
        if key in departments:
            departments[key].spellings.append((name, people))
    for line in departments.values():
        line.spellings.sort(key=lambda entry: (-entry[1], entry[0]))
        end = line.department.merged_into_id
        if end is not None and end in departments:
            departments[end].merged.append(line)
    lines = [line for line in departments.values() if line.department.merged_into_id is None]
    return sorted(
        lines, key=lambda line: (not line.department.key, line.department.name.casefold(), line.department.pk)
    )


def suggestions(lines: Iterable[DepartmentLine]) -> list[Suggestion]:
    """Return pairs that look like spellings of one department, the bigger first.

    Alike are names that differ in accents, punctuation, word order and words like "team"; an abbreviation and the
    initials of a longer name ("HR", "Human Resources"); and one that begins with another and has few people beside it
    ("Finance & Treasury", "Finance"). Nothing is merged by that.
    """
    lines = [line for line in lines if line.department.key and line.people]
    alike: dict[str, list[DepartmentLine]] = defaultdict(list)
    initials: dict[str, list[DepartmentLine]] = defaultdict(list)
    for line in lines:
        words = _words(line.department.name)
        alike[" ".join(sorted(words))].append(line)
        if len(words) > 1 and max(map(len, words)) > 1:
            initials["".join(word[0] for word in words)].append(line)
    found: list[Suggestion] = []
    for same in alike.values():
        ranked = sorted(same, key=lambda line: (-line.people, line.department.pk))
        # "R&D" is two words; as one they are the initials of a longer name.
        longer = initials.get("".join(_words(same[0].department.name)), [])
        if len(longer) == 1 and longer[0] not in ranked:
            ranked = sorted([*ranked, longer[0]], key=lambda line: (line is not longer[0], -line.people))
        found.extend(Suggestion(line, ranked[0]) for line in ranked[1:])
    small = {pair.department.department.pk for pair in found}
    for line in lines:
        words = _words(line.department.name)
        for length in range(1, len(words)):
            shorter = alike.get(" ".join(sorted(words[:length])), [])
            if len(shorter) == 1 and line.people * FEW <= shorter[0].people and line.department.pk not in small:
                small.add(line.department.pk)
                found.append(Suggestion(line, shorter[0]))
    return sorted(found, key=lambda pair: (-pair.department.people, pair.department.department.pk))


def _words(name: str) -> list[str]:
    plain = "".join(x for x in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(x))
    words = re.findall(r"[^\W_]+", plain.replace("&", " and "))
    kept = [word for word in words if word not in _FILLERS and word != "and"]
    return kept or words
