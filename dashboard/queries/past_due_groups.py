"""People past due as a page lists them: by age, and side by side with others of their department, manager or campaign.

One question at a time is asked of the same people (`past_due.late_people`), so strip, groups and rows always agree.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db import connection

from dashboard.access import Scope
from dashboard.figures import tallies
from dashboard.figures.counts import IS_EXEMPT, KEYS
from dashboard.figures.names import NAME
from dashboard.figures.selection import Basis, By, Filters, Selection, select
from dashboard.metrics import INTERVALS, Age
from dashboard.queries.past_due import (
    IS_PAST_DUE,
    LAST_ACTIVITY,
    PastDuePerson,
    Sort,
    age_bounds,
    late_people,
    listed,
    listing,
    may_be_late,
    past_due_intervals,
)
from dashboard.queries.past_due_found import Item, PastDueGroup, Spread
from dashboard.queries.past_due_lines import Line, line_below, managing
from dashboard.rollups import intervals


@dataclass(frozen=True)
class PastDue:
    """A question about people past due, resolved once. None of its answers has anybody whom the scope does not."""

    selection: Selection | None
    by: By | None = None
    ages: frozenset[Age] = frozenset()
    line: Line | None = None

    @classmethod
    def ask(
        cls,
        scope: Scope,
        *,
        as_of: datetime,
        filters: Filters = Filters(),  # noqa: B008 - frozen
        basis: Basis = Basis.NOW,
        by: By | None = None,
        ages: Collection[Age] = (),
    ) -> "PastDue":
        """Resolve filters, ages (none: all) and what people are grouped by: department, manager, campaign or nothing.

        By manager with the whole line, groups are the lines of those just below the filtered manager, or below the
        only one whom nobody manages. A person's age is that of their oldest enrollment which the filters select.
        """
        is_by_line = by == By.MANAGER and filters.whole_line and (filters.manager is None or filters.manager > 0)
        if not is_by_line:
            selection = select(scope, as_of=as_of, filters=filters, basis=basis)
            return cls(selection if selection and may_be_late(selection) else None, by, frozenset(ages))
        selection = select(scope, as_of=as_of, filters=replace(filters, manager=None), basis=basis)
        if selection is None or not may_be_late(selection):
            return cls(None, by)
        above, moved = managing(selection)
        line = replace(line_below(above, filters.manager), moved=moved)
        if filters.manager is not None:
            without = filters.manager if line.is_loop else None
            selection = replace(selection, managers=tuple(sorted(line.heads)), without=without)
        return cls(selection, by, frozenset(ages), line)

    @cached_property
    def _people(self) -> tuple[str, str]:
        """The SQL for people past due, and for their last activity; it may cost a query to know which is right."""
        assert self.selection is not None  # noqa: S101 - callers have looked
        return late_people(self.selection, moved=self.line.moved if self.line else None)

    @cached_property
    def _late(self) -> tuple[str, str]:
        """The SQL for people past due with the `key` of their group and `aged_at`, and for their last activity."""
        if self.selection is None:
            raise ValueError("Nobody is asked about.")
        if self.by == By.CAMPAIGN:
            # A row for each campaign that someone is past due in, aged as the person is.
            return _BY_CAMPAIGN.format(items=past_due_intervals(self.selection)), LAST_ACTIVITY
        late, activity = self._people
        key, join = (f"late.{KEYS[self.by]}" if self.by else "0"), ""
        if self.line is not None:
            key = "coalesce(head.head, late.manager_id)"
            join = """
                LEFT JOIN unnest(%(line)s::bigint[], %(heads)s::bigint[]) AS head (manager, head)
                ON head.manager = late.manager_id
            """
        return f"SELECT late.*, {key} AS key, late.oldest_due_at AS aged_at FROM ({late}) late {join}", activity

    @property
    def _values(self) -> dict[str, Any]:
        if self.selection is None:
            return {}
        ages, bounds = age_bounds(self.selection)
        heads = self.line.heads if self.line else {}
        return {
            **self.selection.values,
            "bounds": bounds,
            "ages": [place for place, age in enumerate(ages) if age in self.ages],
            "line": list(heads),
            "heads": list(heads.values()),
        }

    @property
    def _of_ages(self) -> str:
        return f"{_PLACE} = ANY(%(ages)s)" if self.ages else "true"

    def spread(self, *, first: int = 0, most: int | None = None) -> Spread:
        """Return everybody past due by age and by group.

        With `most` only so many groups from the `first` on are sure to be named and in their place (the last ones where
        there are fewer): there are thousands of managers, and a page shows twenty.
        """
        if self.selection is None:
            return Spread(dict.fromkeys(Age, 0), 0)
        places, _bounds = age_bounds(self.selection)
        ages, groups, called = dict.fromkeys(Age, 0), dict[int, int](), dict[int, tuple[str, str]]()
        for group, place, count, *names in self._counts(first, most):
            if place is None:
                called[group] = names[0], names[1]
            elif group is None:
                ages[places[place]] += count
            elif not self.ages or places[place] in self.ages:
                groups[group] = groups.get(group, 0) + count
        line = self.line or Line({})
        within = {head for manager, head in line.heads.items() if manager != head}
        found = [
            PastDueGroup(
                group,
                called.get(group, ("", ""))[0],
                count,
                is_direct=group == line.top,
                is_line=group in line.heads and group != line.top,
                has_lines_below=group in within,
                department=called.get(group, ("", ""))[1],
            )
            for group, count in groups.items()
        ]
        return Spread(
            ages,
            sum(count for age, count in ages.items() if not self.ages or age in self.ages),
            tuple(sorted(found, key=lambda group: (-group.people, not group.name, group.name.casefold(), group.key))),
        )

    def _counts(self, first: int, most: int | None) -> list[tuple[Any, ...]]:
        """Return group, place of the age, people; without a group for everybody. And without a place group names.

        Those of a group are its own and its department's.
        """
        if self.by == By.MANAGER:
            return self._counts_by_manager(first, most)
        late, _activity = self._late
        people = "count(DISTINCT late.person_id)" if self.by == By.CAMPAIGN else "count(*)"
        sets = "(late.key, place), (place)" if self.by else "(place)"
        key = "late.key" if self.by else "NULL::bigint"
        return self._ask(
            f"""
            WITH spread (key, place, people) AS (
                SELECT {key}, place, {people}::int
                FROM (SELECT late.key, late.person_id, {_PLACE} AS place FROM ({late}) late) late
                GROUP BY GROUPING SETS ({sets})
            ), shown (key) AS (SELECT DISTINCT key FROM spread WHERE key IS NOT NULL)
            {_with_names(self.by)}
            """
        )

    def _counts_by_manager(self, first: int, most: int | None) -> list[tuple[Any, ...]]:
        """Return what `_counts` does. Only managers who can be shown are named, and lines found for managers alone.

        It takes ten times as long to name them all, and to find the line of each person past due.
        """
        late, _activity = self._people
        heads = self.line.heads if self.line else {}
        shown = _STANDING_ALONE if self.line else _EVERY if most is None else _OF_PAGE
        rows = self._ask(
            f"""
            WITH spread (key, place, people) AS MATERIALIZED (
                SELECT late.manager_id, place, count(*)::int
                FROM (SELECT late.manager_id, {_PLACE} AS place FROM (
                    SELECT late.*, late.oldest_due_at AS aged_at FROM ({late}) late
                ) late) late
                GROUP BY 1, 2
            ), sizes AS (
                SELECT key, sum(people) AS people FROM spread WHERE %(any_age)s OR place = ANY(%(ages)s) GROUP BY key
            ), shown (key) AS ({shown})
            {_with_names(self.by)}
            """,
            any_age=not self.ages,
            shown=list({*heads.values()}),
            first=first,
            most=most,
        )
        found: list[tuple[Any, ...]] = []
        for manager, place, people, *names in rows:
            found.append((heads.get(manager, manager) if place is not None else manager, place, people, *names))
            if place is not None:
                found.append((None, place, people, "", ""))
        return found

    def _ask(self, sql: str, **extra: Any) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(sql, {**self._values, **extra})
            return cursor.fetchall()

    def people(self, sort: Sort, *, is_descending: bool, limit: int, offset: int = 0) -> list[PastDuePerson]:
        """Return people past due, `limit` of them after the first `offset`, whatever they are grouped by."""
        if self.selection is None:
            return []
        late, activity = self._late
        late = f"SELECT late.* FROM ({late}) late WHERE {self._of_ages}"
        return [
            listed(self.selection, row) for row in self._listing(late, activity, sort, is_descending, limit, offset)
        ]

    def listing(self, sort: Sort, *, is_descending: bool) -> tuple[str, dict[str, Any]] | None:
        """Return the SQL for all people of the ages asked for, as `people` lists them, and its values; None: nobody.

        Its columns are person_id, name, email, department_id, manager_id, department, manager, items, oldest_due_at,
        last_activity_at and key, in this order.
        """
        if self.selection is None:
            return None
        late, activity = self._late
        late = f"SELECT late.* FROM ({late}) late WHERE {self._of_ages}"
        sql = listing(late, activity, self.selection.basis, sort, is_descending=is_descending, key="late.key")
        return sql, {**self._values, "limit": None, "offset": 0}

    def oldest(self, people: str = "true") -> str:
        """Return the SQL for what people have had past due for longest, by group (key) and person.

        `people` is a condition on facts f. Nobody asked about: ValueError.
        """
        if self.selection is None:
            raise ValueError("Nobody is asked about.")
        key = "f.campaign_id" if self.by == By.CAMPAIGN else "0::bigint"
        where = f"{self.selection.of_facts} AND {people} AND {IS_PAST_DUE}"
        return f"""
            SELECT DISTINCT ON (1, 2) {key} AS key, f.person_id, f.campaign_id,
                   coalesce(campaign.name, '') AS campaign, e.due_source, person.job_title
            FROM ({intervals.current_at("%(now)s", where=where, source=self.selection.facts)}) f
            JOIN sync_enrollment e ON e.id = f.enrollment_id
            JOIN sync_person person ON person.id = f.person_id
            LEFT JOIN sync_campaign campaign ON campaign.id = f.campaign_id
            WHERE {intervals.holds(INTERVALS["past_due"], "%(now)s")} AND NOT {IS_EXEMPT}
            ORDER BY 1, 2, f.due_at, f.enrollment_id
        """

    def with_rows(
        self, groups: Sequence[PastDueGroup], sort: Sort, *, is_descending: bool, each: int
    ) -> list[PastDueGroup]:
        """Return these groups with the first people of each, by days past due or by items, and of how many they are."""
        if self.selection is None or not groups:
            return list(groups)
        late, activity = self._late
        order = "late.items" if sort == Sort.ITEMS else "late.oldest_due_at"
        direction = "DESC" if is_descending == (sort == Sort.ITEMS) else "ASC"
        top = f"""
            SELECT late.* FROM (
                SELECT late.*, row_number() OVER (
                    PARTITION BY late.key ORDER BY {order} {direction}, late.oldest_due_at, late.person_id
                ) AS place
                FROM ({late}) late WHERE late.key = ANY(%(keys)s) AND {self._of_ages}
            ) late WHERE place <= %(each)s
        """
        extra = {"keys": [group.key for group in groups], "each": each}
        rows: dict[int, list[PastDuePerson]] = {}
        kept = Sort.ITEMS if sort == Sort.ITEMS else Sort.DAYS
        for row in self._listing(top, activity, kept, is_descending, each * len(groups), 0, **extra):
            rows.setdefault(row[-1], []).append(listed(self.selection, row))
        counted = self._counted()
        return [
            replace(
                group,
                name=group.name or _manager_of(self.by, rows.get(group.key, ())),
                rows=tuple(rows.get(group.key, ())),
                of=None if counted is None else counted.get(group.key, 0),
            )
            for group in groups
        ]

    def items(self, people: Iterable[int]) -> dict[tuple[int, int], Item]:
        """Return what these people have had past due for longest, by group (0 unless by campaign) and person."""
        if self.selection is None:
            return {}
        rows = self._ask(self.oldest("f.person_id = ANY(%(people)s)"), people=list(people))
        return {(group, person): Item(*item) for group, person, *item in rows}

    def _listing(
        self, late: str, activity: str, sort: Sort, is_descending: bool, limit: int, offset: int, **extra: Any
    ) -> list[tuple[Any, ...]]:
        assert self.selection is not None  # noqa: S101 - callers have looked
        sql = listing(late, activity, self.selection.basis, sort, is_descending=is_descending, key="late.key")
        return self._ask(sql, limit=limit, offset=offset, **extra)

    def _counted(self) -> dict[int, int] | None:
        """Return how many people have anything counted in each group; None where tallies cannot tell."""
        if self.selection is None or self.by is None:
            return None
        tallied = tallies.counts(self.selection, KEYS[self.by], [self.selection.as_of], ("people_counted",))
        if tallied is None:
            return None
        found: dict[Any, int] = {}
        for key, totals in tallied[0].items():
            group = self.line.heads.get(key, key) if self.line else key
            found[group] = found.get(group, 0) + totals.net.people_counted
        return found


_PLACE = "width_bucket(late.aged_at, %(bounds)s::timestamptz[])"

# Whom a page shows when managers are not put into lines: all of them, or those as large as any on the page. A page
# beyond the last is the last.
_EVERY = "SELECT key FROM sizes"
_OF_PAGE = """
    SELECT key FROM sizes, (
        SELECT min(people) AS least, max(people) AS most FROM (
            SELECT people FROM sizes ORDER BY people DESC LIMIT %(most)s
            OFFSET (SELECT least(%(first)s, greatest(count(*) - 1, 0) / %(most)s * %(most)s) FROM sizes)
        ) page
    ) bounds WHERE people BETWEEN least AND bounds.most
"""
# Else the heads of lines, and who is in none.
_STANDING_ALONE = """
    SELECT unnest(%(shown)s::bigint[]) UNION SELECT key FROM sizes WHERE key <> ALL(%(line)s::bigint[])
"""

_BY_CAMPAIGN = f"""
    SELECT late.*, min(late.oldest_due_at) OVER (PARTITION BY late.person_id) AS aged_at
    FROM (
        SELECT f.campaign_id AS key, f.person_id, f.department_id, f.manager_id, count(*)::int AS items,
               min(f.due_at) AS oldest_due_at
        FROM ({{items}}) f
        WHERE {intervals.holds(INTERVALS["past_due"], "%(now)s")} AND NOT {IS_EXEMPT}
        GROUP BY f.campaign_id, f.person_id, f.department_id, f.manager_id
    ) late
"""

# What the groups are called, a manager's department, and the joins that takes. Whoever KnowBe4 lists no person for, or
# one out of sight, is called as their reports' records have it.
_NAMES: dict[By | None, tuple[str, str, str]] = {
    None: ("''", "''", ""),
    By.DEPARTMENT: (
        "coalesce(department.name, '')",
        "''",
        "LEFT JOIN sync_department department ON department.id = spread.key AND spread.key > 0",
    ),
    By.CAMPAIGN: ("coalesce(campaign.name, '')", "''", "LEFT JOIN sync_campaign campaign ON campaign.id = spread.key"),
    By.MANAGER: (
        f"""CASE WHEN person.id IS NOT NULL THEN {NAME} WHEN spread.key <> 0 THEN coalesce((
            SELECT min(btrim(report.manager_name)) FROM dashboard_personstanding f
            JOIN sync_person report ON report.id = f.person_id
            WHERE f.account_id = %(account)s AND f.manager_id = spread.key
        ), '') ELSE '' END""",
        "CASE WHEN department.key <> '' THEN coalesce(home.name, department.name) ELSE '' END",
        """
        LEFT JOIN sync_person person ON person.id = spread.key
        LEFT JOIN sync_department department ON department.id = person.department_id
        LEFT JOIN sync_department home ON home.id = department.merged_into_id
        """,
    ),
}


def _with_names(by: By | None) -> str:
    """Return the SQL for all rows of `spread`, and one for each group of `shown` with its names."""
    name, department, join = _NAMES[by]
    return f"""
        SELECT key, place, people, '', '' FROM spread
        UNION ALL SELECT spread.key, NULL, NULL, {name}, {department} FROM shown AS spread {join}
    """


def _manager_of(by: By | None, rows: Sequence[PastDuePerson]) -> str:
    """Return what a manager is called who is known by name only: their reports know."""
    return rows[0].manager if by == By.MANAGER and rows else ""
