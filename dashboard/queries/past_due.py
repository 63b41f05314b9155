"""People with training past due, one row each whatever the number of campaigns, and how long it has been.

Where everybody stands now is kept (`PersonStanding`), so today's list does not depend on the number of enrollments. Any
other question (a past moment, a filter about campaigns or content, places of then, exempt ones too) is answered from
the facts that were ever past due, which an index holds by the moments at which they began and ceased to be.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db import connection

from dashboard.access import Scope
from dashboard.figures.counts import IS_EXEMPT
from dashboard.figures.names import NAME
from dashboard.figures.selection import Basis, Filters, Selection, select
from dashboard.local_days import day_of, local_midnight
from dashboard.metrics import AGE_LIMITS, INTERVALS, Age, State, days_past_due
from dashboard.rollups import intervals, standings

# More people than this whose standing has to be worked out anew: the facts alone are faster.
MOST_STALE = 1_000

# The facts f that are past due at a moment, in the very words of the index `fact_past_due`.
_ENDS = "least(f.completed_at, f.until, 'infinity'::timestamptz)"
_BEGINS = "greatest(f.due_at, f.enrolled_at)"
IS_PAST_DUE = (
    f"f.due_at IS NOT NULL AND {_BEGINS} < {_ENDS} AND {_ENDS} > %(now)s::timestamptz"
    f" AND {_BEGINS} <= %(now)s::timestamptz"
)


class Sort(StrEnum):
    """Order of a list of people. Ties: the oldest due date first, then by our id."""

    DAYS = "days"
    ITEMS = "items"
    PERSON = "person"
    DEPARTMENT = "department"
    MANAGER = "manager"
    ACTIVITY = "activity"


@dataclass(frozen=True)
class PastDuePerson:
    """Someone with training past due.

    `department_id` and `manager_id` are keys as in `figures_by`: 0 is none, a negative manager is known by name only.
    `last_activity_at` is when they last began or completed anything that can count, whatever the filters; None: never.
    """

    person_id: int
    name: str
    email: str
    department_id: int
    department: str
    manager_id: int
    manager: str
    items: int
    oldest_due_at: datetime
    days_past_due: int
    last_activity_at: datetime | None


@dataclass(frozen=True)
class AgeGroup:
    """Group past due so long: enrollments by their own age, people by that of their oldest."""

    age: Age
    enrollments: int = 0
    people: int = 0


@dataclass(frozen=True)
class Ageing:
    """Every age, empty ones too, without what is exempt and with it."""

    net: tuple[AgeGroup, ...]
    gross: tuple[AgeGroup, ...]


def people_past_due(
    scope: Scope,
    *,
    as_of: datetime,
    filters: Filters = Filters(),  # noqa: B008 - frozen
    basis: Basis = Basis.NOW,
    gross: bool = False,
    sort: Sort = Sort.DAYS,
    is_descending: bool = True,
    limit: int = 50,
    offset: int = 0,
) -> list[PastDuePerson]:
    """Return people past due at `as_of`, `limit` of them after the first `offset`; the longest past due first.

    Filters about campaigns, content and state narrow the items as well: someone none of whose items pass is not listed.
    `gross` counts exempt items, too. People who never did anything come last when sorted by activity, latest first.
    """
    selection = select(scope, as_of=as_of, filters=filters, basis=basis)
    if selection is None or not may_be_late(selection):
        return []
    values: dict[str, Any] = {**selection.values, "limit": limit, "offset": offset}
    late, activity = late_people(selection, gross=gross)
    with connection.cursor() as cursor:
        cursor.execute(listing(late, activity, selection.basis, sort, is_descending=is_descending), values)
        rows = cursor.fetchall()
    return [listed(selection, row) for row in rows]


def ageing(
    scope: Scope,
    *,
    as_of: datetime,
    filters: Filters = Filters(),  # noqa: B008 - frozen
    basis: Basis = Basis.NOW,
) -> Ageing:
    """Return how much is past due at `as_of` by age: enrollments, and people by the age of their oldest one.

    Days are local days of the account, as in `metrics.days_past_due`.
    """
    selection = select(scope, as_of=as_of, filters=filters, basis=basis)
    if selection is None or not may_be_late(selection):
        return Ageing(tuple(map(AgeGroup, Age)), tuple(map(AgeGroup, Age)))
    ages, bounds = age_bounds(selection)
    kinds = {"gross": "true"}
    if selection.has_exemptions:
        kinds["net"] = "NOT is_exempt"
    people = ", ".join(f"min(due_at) FILTER (WHERE {condition}) AS {kind}" for kind, condition in kinds.items())
    counts = " UNION ALL ".join(
        f"""
        SELECT '{kind}', width_bucket(due_at, %(bounds)s::timestamptz[]), count(*)::int, 0
        FROM late WHERE {condition} GROUP BY 2
        UNION ALL
        SELECT '{kind}', width_bucket({kind}, %(bounds)s::timestamptz[]), 0, count(*)::int
        FROM person WHERE {kind} IS NOT NULL GROUP BY 2
        """
        for kind, condition in kinds.items()
    )
    is_exempt = IS_EXEMPT if selection.has_exemptions else "false"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH late AS MATERIALIZED (
                SELECT f.person_id, f.due_at, {is_exempt} AS is_exempt FROM ({past_due_intervals(selection)}) f
            ), person AS (SELECT {people} FROM late GROUP BY person_id)
            {counts}
            """,
            {**selection.values, "bounds": bounds},
        )
        rows = cursor.fetchall()
    gross = _ages(ages, [row[1:] for row in rows if row[0] == "gross"])
    return Ageing(_ages(ages, [row[1:] for row in rows if row[0] == "net"]) if "net" in kinds else gross, gross)


def age_bounds(selection: Selection) -> tuple[list[Age], list[datetime]]:
    """Return the ages from the oldest on, and the moments at which each younger one begins: as width_bucket counts."""
    today = day_of(selection.as_of, selection.zone)
    ages = sorted(AGE_LIMITS, key=lambda age: -AGE_LIMITS[age][0])
    bounds = [
        local_midnight(today - timedelta(days=most), selection.zone)
        for age in ages
        if (most := AGE_LIMITS[age][1]) is not None
    ]
    return ages, bounds


def _ages(ages: list[Age], rows: Iterable[tuple[int, int, int]]) -> tuple[AgeGroup, ...]:
    enrollments, people = dict.fromkeys(Age, 0), dict.fromkeys(Age, 0)
    for place, items, persons in rows:
        enrollments[ages[place]] += items
        people[ages[place]] += persons
    return tuple(AgeGroup(age, enrollments[age], people[age]) for age in Age)


def late_people(selection: Selection, *, gross: bool = False, moved: int | None = None) -> tuple[str, str]:
    """Return the SQL for people past due (person_id, department_id, manager_id, items, oldest_due_at), one row each.

    With it comes the SQL for when such a `late` one was last active. Costs a query at most; none where `moved`, what
    `MOVED` counts, is known.
    """
    if _stands(selection, gross=gross, moved=moved):
        return _late_by_standing(selection), "late.last_activity_at"
    return _late_by_facts(selection, gross=gross), LAST_ACTIVITY


def may_be_late(selection: Selection) -> bool:
    """Return whether a filter by state, if there is one, lets anything past due pass."""
    return not selection.states or State.PAST_DUE in selection.states


def past_due_intervals(selection: Selection) -> str:
    """Return the SQL for the intervals f that are past due at the moment."""
    return intervals.current_at("%(now)s", where=f"{selection.of_facts} AND {IS_PAST_DUE}", source=selection.facts)


def _late_by_facts(selection: Selection, *, gross: bool) -> str:
    is_counted = "true" if gross or not selection.has_exemptions else f"NOT {IS_EXEMPT}"
    return f"""
        SELECT f.person_id, f.department_id, f.manager_id, count(*)::int AS items, min(f.due_at) AS oldest_due_at
        FROM ({past_due_intervals(selection)}) f
        WHERE {intervals.holds(INTERVALS["past_due"], "%(now)s")} AND {is_counted}
        GROUP BY f.person_id, f.department_id, f.manager_id
    """


# Whose standing does not tell how they stand at the moment: time has moved them since, or it was worked out later.
_IS_STALE = "(f.next_event_at <= %(now)s OR f.computed_at > %(now)s)"


# How many those are; of more than `MOST_STALE` it does not matter.
MOVED = f"""
    SELECT count(*) FROM (
        SELECT FROM dashboard_personstanding f WHERE f.account_id = %(account)s AND {_IS_STALE} LIMIT {MOST_STALE + 1}
    ) stale
"""


def _stands(selection: Selection, *, gross: bool, moved: int | None) -> bool:
    """Return whether standings can answer, but for a few people: all of someone's work is meant, as placed now."""
    if gross or selection.basis != Basis.NOW or not selection.is_of_all_work:
        return False
    if moved is None:
        with connection.cursor() as cursor:
            cursor.execute(MOVED, selection.values)
            moved = cursor.fetchone()[0]
    return moved <= MOST_STALE


def _late_by_standing(selection: Selection) -> str:
    stale = f"f.account_id = %(account)s AND f.person_id IN (SELECT person_id FROM {_STALE_PEOPLE})"
    return f"""
        SELECT f.person_id, f.department_id, f.manager_id, f.past_due AS items, f.oldest_due_at, f.last_activity_at
        FROM dashboard_personstanding f
        WHERE {selection.of_people} AND f.past_due > 0 AND NOT coalesce({_IS_STALE}, false)
        UNION ALL
        SELECT f.person_id, f.department_id, f.manager_id, figure.past_due, figure.oldest_due_at,
               figure.last_activity_at
        FROM ({standings.figures("%(now)s", stale)}) figure JOIN dashboard_personstanding f USING (person_id)
        WHERE {selection.of_people} AND figure.past_due > 0
    """


_STALE_PEOPLE = (
    f"(SELECT f.person_id FROM dashboard_personstanding f WHERE f.account_id = %(account)s AND {_IS_STALE}) s"
)

# When someone last began or completed anything that can count, by the moment; as `standings.figures` has it.
LAST_ACTIVITY = """
    (SELECT max(greatest(CASE WHEN g.completed_at <= %(now)s THEN g.completed_at END,
                         CASE WHEN g.started_at <= %(now)s THEN g.started_at END))
     FROM dashboard_fact g
     WHERE g.account_id = %(account)s AND g.person_id = late.person_id
       AND g.enrolled_at < least(g.until, 'infinity'))
"""

_JOINS = {
    "person": "JOIN sync_person person ON person.id = late.person_id",
    "department": "LEFT JOIN sync_department department ON department.id = late.department_id",
    "above": f"""
        LEFT JOIN LATERAL (
            SELECT person.id, {NAME} AS name FROM sync_person person WHERE person.id = late.manager_id
        ) above ON true
    """,
}
# The name of a manager known by name only, or out of the reader's sight, as the person's own record has it, now or
# then: what it was before the first change seen after the moment. For all others the key is null, and nobody is looked
# up. It asks for the manager's id, not the name: behind row-level security Postgres uses no index with what text
# functions have touched.
_BARE_NAME = """
    LEFT JOIN LATERAL (
        SELECT btrim({}) AS name FROM sync_person named
        WHERE named.id = CASE WHEN above.id IS NULL AND late.manager_id <> 0 THEN late.person_id END
    ) bare ON true
"""
_BARE_NAMES = {
    Basis.NOW: _BARE_NAME.format("named.manager_name"),
    Basis.THEN: _BARE_NAME.format(
        """coalesce((
            SELECT coalesce(old, '') FROM sync_change
            WHERE account_id = %(account)s AND subject = 1 AND subject_id = named.id AND field = 'manager_name'
              AND observed_at > %(now)s
            ORDER BY observed_at, id LIMIT 1
        ), named.manager_name)"""
    ),
}
_MANAGER = "coalesce(above.name, bare.name, '')"
_DEPARTMENT = "CASE WHEN late.department_id = 0 THEN '' ELSE coalesce(department.name, '') END"

# What each list is ordered by, and whose names that takes: only those of the page are looked up for the rest.
_KEYS: dict[Sort, tuple[list[str], list[str]]] = {
    Sort.DAYS: (["late.oldest_due_at"], []),
    Sort.ITEMS: (["late.items"], []),
    Sort.ACTIVITY: (["late.last_activity_at"], []),
    Sort.PERSON: (["lower(person.last_name)", "lower(person.first_name)", "lower(person.email)"], ["person"]),
    Sort.DEPARTMENT: ([f"lower({_DEPARTMENT})"], ["department"]),
    Sort.MANAGER: ([f"lower({_MANAGER})"], ["above", "bare"]),
}


def listing(late: str, activity: str, basis: Basis, sort: Sort, *, is_descending: bool, key: str = "0") -> str:
    """Return the SQL for one page of the people `late`, with what everything is called, as `listed` reads it.

    `key` is one more column of theirs, which comes last.
    """
    # The more days past due, the earlier the date.
    is_backwards = is_descending != (sort == Sort.DAYS)
    direction = "DESC NULLS LAST" if is_backwards else "ASC NULLS FIRST"
    joins = {**_JOINS, "bare": _BARE_NAMES[basis]}
    keys, needed = _KEYS[sort]
    order = [f"key_{place} {direction}" for place in range(len(keys))]
    return f"""
        SELECT late.person_id, {NAME}, person.email, late.department_id, late.manager_id, {_DEPARTMENT}, {_MANAGER},
               late.items, late.oldest_due_at, late.last_activity_at, late.key
        FROM (
            SELECT late.*, {", ".join(f"{ordered} AS key_{place}" for place, ordered in enumerate(keys))}
            FROM (
                SELECT late.person_id, late.department_id, late.manager_id, late.items, late.oldest_due_at,
                       {activity} AS last_activity_at, {key} AS key
                FROM ({late}) late
            ) late {" ".join(joins[name] for name in needed)}
            ORDER BY {", ".join([*order, "late.oldest_due_at", "late.person_id"])}
            LIMIT %(limit)s OFFSET %(offset)s
        ) late {" ".join(joins.values())}
        ORDER BY {", ".join([*order, "late.oldest_due_at", "late.person_id"])}
    """


def listed(selection: Selection, row: tuple[Any, ...]) -> PastDuePerson:
    """Return the person that a row of a `listing` is about."""
    person, name, email, department_id, manager_id, department, manager, items, oldest, last_activity, _key = row
    return PastDuePerson(
        person_id=person,
        name=name,
        email=email,
        department_id=department_id,
        department=department,
        manager_id=manager_id,
        manager=manager,
        items=items,
        oldest_due_at=oldest,
        days_past_due=days_past_due(oldest, selection.as_of, selection.zone),
        last_activity_at=last_activity,
    )
