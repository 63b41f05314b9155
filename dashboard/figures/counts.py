"""Figures at a moment, for everybody and by group: from tallies or, where they cannot, facts.

Both say the same. Facts answer any question in a time that grows with the enrollments it is about; tallies the usual
ones in a time that does not.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from dashboard.access import Scope
from dashboard.figures import lines, tallies
from dashboard.figures.names import names
from dashboard.figures.selection import Basis, By, Filters, Selection, select
from dashboard.metrics import INTERVALS, Counts, Totals
from dashboard.models import CONTENT_TYPE_CODES
from dashboard.rollups import intervals

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
PEOPLE = ("people_counted", "people_past_due", "people_active")


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
    return _totals(selection, None, with_people=with_people).get(0, Totals())


def figures_by(
    scope: Scope,
    by: By,
    *,
    as_of: datetime,
    filters: Filters = Filters(),  # noqa: B008 - frozen
    basis: Basis = Basis.NOW,
    with_people: bool = True,
) -> list[Group]:
    """Return the figures of each group that has people or counted enrollments, by name; nameless ones last.

    By manager, each has their whole line, or with `filters.whole_line` off their direct reports; lines are those of
    managers in scope. By campaign and by content type nobody is an "active person" of the group: that count is 0.
    People may be in several groups of KnowBe4. Quarters, months and days: see `cohorts` and `figures` of several
    moments.
    """
    if by not in KEYS:
        raise ValueError(f"Figures at a moment are not grouped by {by}.")
    selection = select(scope, as_of=as_of, filters=filters, basis=basis)
    if selection is None:
        return []
    line = lines.pairs(selection) if by == By.MANAGER and filters.whole_line else ""
    totals = _totals(selection, by, with_people=with_people, line=line)
    if line:
        for person, own in _of(selection, lines.in_loops(selection, line)).items():
            totals[person] = totals.get(person, Totals()) - own
        if not scope.sees_everyone:
            # Who stands above everybody in scope has a line that is not all in it.
            shown = set(scope.people().values_list("pk", flat=True))
            totals = {key: value for key, value in totals.items() if key <= 0 or key in shown}
    found = {BY_CODE[key].value if by == By.CONTENT_TYPE else key: value for key, value in totals.items()}
    called = names(selection, by, found)
    groups = [Group(key, called.get(key, ""), value) for key, value in found.items() if value != Totals()]
    return sorted(groups, key=lambda group: (not group.name, group.name.casefold(), str(group.key)))


IS_EXEMPT = (
    "EXISTS (SELECT FROM dashboard_exemptspan x WHERE x.enrollment_id = f.enrollment_id"
    " AND x.during @> %(now)s::timestamptz)"
)


def _intervals(selection: Selection) -> str:
    """Return the SQL for the intervals that count at the moment."""
    return intervals.current_at("%(now)s", where=selection.of_facts, source=selection.facts)


def _totals(selection: Selection, by: By | None, *, with_people: bool, line: str = "") -> dict[Any, Totals]:
    """Return the totals of each key, or of everything under 0; with `line` (see `lines.pairs`) of whole lines."""
    key = KEYS[by] if by else ""
    found = tallies.totals(selection, key, with_people=with_people, lines=line)
    if found is None:
        found = _from_facts(selection, key, line=line)
        if not with_people:
            return found
        if by is None or by in _OF_PEOPLE:
            found = _with_active(found, _active(selection, key, line=line))
        return found
    if not with_people or tallies.has_active_people(selection, key):
        return found
    if not tallies.has_people(selection, key):
        people = _from_facts(selection, key, PEOPLE[:2], line=line)
        for name in people.keys() | found.keys():
            here = people.get(name, Totals())
            found[name] = found.get(name, Totals()) + Totals(_only_people(here.net), _only_people(here.gross))
    is_of_people = by is None or by in _OF_PEOPLE
    return _with_active(found, _active(selection, key, line=line) if is_of_people else {})


def _only_people(counts: Counts) -> Counts:
    return Counts(people_counted=counts.people_counted, people_past_due=counts.people_past_due)


def _with_active(found: dict[Any, Totals], active: Mapping[Any, int]) -> dict[Any, Totals]:
    totals = {}
    for key in found.keys() | active.keys():
        net, gross = found.get(key, Totals())
        whole = gross._replace(people_active=active.get(key, 0))
        totals[key] = Totals(whole if net is gross else net._replace(people_active=whole.people_active), whole)
    return totals


def _from_facts(
    selection: Selection, key: str, counts: Sequence[str] = (*INTERVALS, *PEOPLE[:2]), *, line: str = ""
) -> dict[Any, Totals]:
    """Count the facts one by one: each person's first, so that distinct people fall out of it."""
    spans = {name: INTERVALS[name] for name in INTERVALS if name in counts or f"people_{name}" in counts}
    source = f"({_intervals(selection)}) f {_MEMBERS if key == 'group_id' else ''}"
    columns = intervals.at_moment(spans, "%(now)s")
    kinds = [""]
    if selection.has_exemptions:
        source = f"""
            {source} LEFT JOIN (
                SELECT enrollment_id AS exempt_id FROM dashboard_exemptspan
                WHERE account_id = %(account)s AND during @> %(now)s::timestamptz
            ) x ON exempt_id = f.enrollment_id
        """
        columns += intervals.at_moment(spans, "%(now)s", prefix="net_", also="exempt_id IS NULL")
        kinds.append("net_")
    sums = [f"{_sum(name, kind)} AS {kind}{name}" for kind in kinds for name in counts]
    sql = f"""
        SELECT key, {", ".join(sums)} FROM (
            SELECT {key or "0"} AS key, f.person_id, {", ".join(columns)}
            FROM {source} WHERE {selection.of_states} GROUP BY 1, 2
        ) person GROUP BY key
    """
    if line:
        sql = lines.widened(sql, ["key"], [kind + name for kind in kinds for name in counts], line)
    found = {}
    with connection.cursor() as cursor:
        cursor.execute(sql, selection.values)
        for group, *values in cursor.fetchall():
            gross = Counts(**dict(zip(counts, values, strict=False)))
            net = Counts(**dict(zip(counts, values[len(counts) :], strict=True))) if selection.has_exemptions else gross
            found[group] = Totals(net, gross)
    return found


_MEMBERS = "JOIN sync_groupmembership member ON member.person_id = f.person_id AND member.removed_at IS NULL"


def _sum(name: str, prefix: str) -> str:
    if name in PEOPLE:
        return f"count(*) FILTER (WHERE {prefix}{name.removeprefix('people_')} > 0)::int"
    return f"sum({prefix}{name})::int"


def _active(selection: Selection, key: str, *, line: str = "") -> dict[Any, int]:
    """Return active people by key, as of the moment."""
    sql = f"""
        SELECT {key or "0"} AS key, count(*)::int AS people
        FROM {selection.standings} {_MEMBERS if key == "group_id" else ""}
        WHERE {selection.of_people} AND (f.joined_at IS NULL OR f.joined_at <= %(now)s)
          AND (f.left_at IS NULL OR f.left_at > %(now)s)
        GROUP BY 1
    """
    with connection.cursor() as cursor:
        cursor.execute(lines.widened(sql, ["key"], ["people"], line) if line else sql, selection.values)
        return dict(cursor.fetchall())


def _of(selection: Selection, people: Iterable[int]) -> dict[int, Totals]:
    """Return the totals of single people, as far as they are selected: for those whom a loop puts into their own line.

    Whoever is left out of the selection already has none.
    """
    found = {}
    for person in people:
        only = replace(selection, only=person)
        found[person] = _with_active(_from_facts(only, ""), _active(only, "")).get(0, Totals())
    return found


def positional(sql: str, values: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """Return SQL with named parameters as SQL with %s and their values in order, as the ORM takes it."""
    parts = sql.split("%(")
    text, ordered = parts[0], []
    for part in parts[1:]:
        name, rest = part.split(")s", 1)
        text += "%s" + rest
        ordered.append(values[name])
    return text, ordered
