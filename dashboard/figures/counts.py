"""Figures at a moment or several, for everybody and by group: begin here.

A question (`selection`) is answered by tallies where they hold what it asks for (`coverage`, `tallies`), else by facts
(`facts`). Both say the same: facts answer any question in a time that grows with the enrollments it is about, tallies
the usual ones in a time that does not. Every day of a year: `series`. What falls due in a period: `cohorts`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from dashboard.access import Scope
from dashboard.figures import facts, lines, tallies
from dashboard.figures.coverage import kept_counts
from dashboard.figures.names import names
from dashboard.figures.selection import Basis, By, Filters, Selection, select
from dashboard.figures.tallies import MomentTotals
from dashboard.metrics import INTERVALS, Totals
from dashboard.models import CONTENT_TYPE_CODES
from dashboard.rollups.tallies import PEOPLE

KEYS = {
    By.DEPARTMENT: "department_id",
    By.MANAGER: "manager_id",
    By.CAMPAIGN: "campaign_id",
    By.CONTENT_TYPE: "content_type",
    By.GROUP: "group_id",
}
_OF_PEOPLE = {By.DEPARTMENT, By.MANAGER, By.GROUP}
BY_CODE = {code: kind for kind, code in CONTENT_TYPE_CODES.items()}

Key = int | str
# The counts of people that are known without asking who is active.
DISTINCT = PEOPLE[:2]
IS_EXEMPT = (
    "EXISTS (SELECT FROM dashboard_exemptspan x WHERE x.enrollment_id = f.enrollment_id"
    " AND x.during @> %(now)s::timestamptz)"
)


class Group(NamedTuple):
    """One department, manager, campaign, content type or group, and its figures.

    `key` is our id (0: none; a content type is its own word), `name` empty where there is none.
    """

    key: Key
    name: str
    totals: Totals


def figures(
    scope: Scope,
    *,
    as_of: datetime,
    filters: Filters = Filters(),  # noqa: B008 - frozen
    basis: Basis = Basis.NOW,
    with_people: bool = True,
    selection: Selection | None = None,
) -> Totals:
    """Return the figures of everything the filters select. `with_people`: distinct people, too, which cost more.

    Active people are all whom the filters about people select, whatever they are enrolled in. `selection` is what the
    other arguments select, where the caller has it already.
    """
    selection = selection or select(scope, as_of=as_of, filters=filters, basis=basis)
    if selection is None:
        return Totals()
    (found,) = counts(selection, None, [selection.as_of], people=PEOPLE if with_people else ())
    return found.get(0, Totals())


def figures_by(
    scope: Scope,
    by: By,
    *,
    as_of: datetime,
    filters: Filters = Filters(),  # noqa: B008 - frozen
    basis: Basis = Basis.NOW,
    with_people: bool = True,
    selection: Selection | None = None,
) -> list[Group]:
    """Return the figures of each group that has people or counted enrollments, by name; nameless ones last.

    By manager, each has their whole line, or with `filters.whole_line` off their direct reports; lines are those of
    managers in scope. By campaign and by content type nobody is an "active person" of the group: that count is 0.
    People may be in several groups of KnowBe4. Quarters and months: see `cohorts`. `selection` as in `figures`.
    """
    if by not in KEYS:
        raise ValueError(f"Figures at a moment are not grouped by {by}.")
    selection = selection or select(scope, as_of=as_of, filters=filters, basis=basis)
    if selection is None:
        return []
    line = lines.pairs(selection) if by == By.MANAGER and filters.whole_line else ""
    moments, people = [selection.as_of], PEOPLE if with_people else ()
    (totals,) = counts(selection, by, moments, people=people, line=line)
    if line:
        for person in lines.in_loops(selection, line):
            # A loop puts them into their own line, as far as they are selected.
            (own,) = counts(replace(selection, only=person), None, moments, people=people)
            totals[person] = totals.get(person, Totals()) - own.get(0, Totals())
        if not scope.sees_everyone:
            # Who stands above everybody in scope has a line that is not all in it.
            shown = set(scope.people().values_list("pk", flat=True))
            totals = {key: value for key, value in totals.items() if key <= 0 or key in shown}
    found = {BY_CODE[key].value if by == By.CONTENT_TYPE else key: value for key, value in totals.items()}
    called = names(selection, by, found)
    groups = [Group(key, called.get(key, ""), value) for key, value in found.items() if value != Totals()]
    return sorted(groups, key=lambda group: (not group.name, group.name.casefold(), str(group.key)))


def counts(
    selection: Selection, by: By | None, moments: Sequence[datetime], *, people: Sequence[str] = PEOPLE, line: str = ""
) -> list[MomentTotals]:
    """Return, for each moment, the totals of each key, or of everything under 0, with these counts of people.

    Of tallies as far as they hold what is asked for, else of facts. Moments are no later than the selection's, at which
    people are placed with the basis of then. Managers have their direct reports, or with `line` (see `lines.pairs`)
    their whole lines. People add up over groups that share nobody: departments and managers. ValueError for a filter
    by state at another moment, when it would select others.
    """
    if selection.states and any(at != selection.as_of for at in moments):
        raise ValueError("A filter by state selects others at every moment.")
    if not moments:
        return []
    key = KEYS[by] if by else ""
    wanted = (*INTERVALS, *people)
    kept = kept_counts(selection, key)
    tallied = [name for name in wanted if name in kept]
    found = tallies.counts(selection, key, moments, tallied, line=line) if tallied else None
    if found is None:
        found, tallied = [{} for _ in moments], []
    missing = [name for name in wanted if name not in tallied]
    if counted := [name for name in missing if name != "people_active"]:
        _add(found, facts.counts(selection, key, moments, counted, line=line))
    if "people_active" in missing and (by is None or by in _OF_PEOPLE):
        _add(found, facts.active(selection, key, moments, line=line))
    return found


def _add(found: list[MomentTotals], further: list[MomentTotals]) -> None:
    for here, more in zip(found, further, strict=True):
        for key, totals in more.items():
            here[key] = here[key] + totals if key in here else totals


def positional(sql: str, values: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """Return SQL with named parameters as SQL with %s and their values in order, as the ORM takes it."""
    parts = sql.split("%(")
    text, ordered = parts[0], []
    for part in parts[1:]:
        name, rest = part.split(")s", 1)
        text += "%s" + rest
        ordered.append(values[name])
    return text, ordered
