"""The people of an account: searched, filtered, ordered, a page at a time, each with where they stand.

Who is on a page is found without their figures where neither a filter nor the order needs them; those of the page are
then counted from their own facts, so they are exact at any moment. Where figures are needed for everybody, those kept
now (`PersonStanding`) answer; at a past moment the facts of everybody meant do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import connection

from dashboard import row_security
from dashboard.access import Scope
from dashboard.figures.counts import IS_EXEMPT
from dashboard.figures.names import NAME, names
from dashboard.figures.selection import Basis, By, Filters, Selection, select
from dashboard.metrics import State
from dashboard.queries.past_due import IS_PAST_DUE, MOST_STALE
from dashboard.rollups import intervals, standings

MOST_WORDS = 6
# More than so many found are not ordered by how well they fit: it would take looking at each.
MOST_RANKED = 2_000
# From so many letters on a word is found anywhere; shorter ones only where a word begins.
ANYWHERE_FROM = 3


class Sort(StrEnum):
    """Order of the list. Ties: by name where names are at hand, then by our id."""

    PERSON = "person"
    DEPARTMENT = "department"
    MANAGER = "manager"
    ASSIGNED = "assigned"
    COMPLETED = "completed"
    PAST_DUE = "past_due"
    ACTIVITY = "activity"
    RISK = "risk"


class Status(StrEnum):
    """Whether people are still active at the moment asked for, or have left by then."""

    ACTIVE = "active"
    LEFT = "left"
    ANY = "any"


class StatusGroup(StrEnum):
    """State of a person: something past due; something counted and nothing past due; nothing counted."""

    PAST_DUE = "past_due"
    COMPLIANT = "compliant"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Wanted:
    """Choice of people beside the filters of all numbers. `words` are what was typed; each must be found.

    `is_nobody`: whom is not known any more, so nobody is meant.
    """

    words: tuple[str, ...] = ()
    status: Status = Status.ACTIVE
    standing: StatusGroup | None = None
    is_nobody: bool = False

    @classmethod
    def typed(cls, text: str, status: Status = Status.ACTIVE, standing: StatusGroup | None = None) -> "Wanted":
        """Return what a search box asks for: its words, the first six of them."""
        return cls(tuple(text.replace("\0", " ").split())[:MOST_WORDS], status, standing)


@dataclass(frozen=True)
class PersonRow:
    """One person of the list.

    Figures are net of exemptions. `department_id` and `manager_id` are keys as in `figures_by`: 0 is none, a negative
    manager is known by name only. `last_activity_at`: when they last began or completed anything that can count.
    `risk_score` is KnowBe4's of the last sync, None without.
    """

    person_id: int
    name: str
    email: str
    job_title: str
    is_active: bool
    department_id: int
    department: str
    manager_id: int
    manager: str
    assigned: int
    completed: int
    past_due: int
    exempt: int
    oldest_due_at: datetime | None
    last_activity_at: datetime | None
    risk_score: float | None


@dataclass(frozen=True)
class Page:
    """People of one page, and the number of all."""

    total: int = 0
    rows: tuple[PersonRow, ...] = ()


def people(
    scope: Scope,
    *,
    as_of: datetime,
    filters: Filters = Filters(),  # noqa: B008 - frozen
    basis: Basis = Basis.NOW,
    wanted: Wanted = Wanted(),
    sort: Sort = Sort.PERSON,
    is_descending: bool = False,
    limit: int = 50,
    offset: int = 0,
    are_few: bool = False,
) -> Page:
    """Return `limit` of the people after the first `offset`, with their figures at `as_of`, and how many there are.

    In a search ordered by name that finds few enough, those come first in whom every word begins a word. Filters about
    campaigns, content and state select people who have such an enrollment; their figures are those of all their work.
    `are_few`: the filters leave so few that all are counted from their facts, in one query.
    """
    selection = select(scope, as_of=as_of, filters=filters, basis=basis)
    if selection is None or wanted.is_nobody:
        return Page()
    question = _question(selection, wanted, sort, are_few=are_few)
    values = {**question.values, "limit": limit, "offset": offset}
    with connection.cursor() as cursor:
        total = 0
        if not are_few:
            cursor.execute(f"SELECT count(*) FROM {question.counted} WHERE {question.condition}", question.values)
            total = cursor.fetchone()[0]
            if total <= offset:
                return Page(total)
        keys = _keys(sort, wanted, total)
        cursor.execute(_page(question, keys, is_descending=is_descending, is_counting=are_few), values)
        found = cursor.fetchall()
    if are_few:
        total = found[0][-1] if found else 0
    return Page(total, tuple(_named_of_then(selection, [PersonRow(*row[:-1]) for row in found])))


def listing(
    scope: Scope,
    *,
    as_of: datetime,
    filters: Filters = Filters(),  # noqa: B008 - frozen
    basis: Basis = Basis.NOW,
    wanted: Wanted = Wanted(),
    sort: Sort = Sort.PERSON,
    is_descending: bool = False,
) -> tuple[str, dict[str, Any], int] | None:
    """Return the SQL for all of the people whom `people` lists, in its order, its values, and how many they are.

    Its columns are the fields of a `PersonRow` in their order, and one more. None: nobody may be seen.
    """
    selection = select(scope, as_of=as_of, filters=filters, basis=basis)
    if selection is None or wanted.is_nobody:
        return None
    question = _question(selection, wanted, sort, are_few=False)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {question.counted} WHERE {question.condition}", question.values)
        total = cursor.fetchone()[0]
    sql = _page(question, _keys(sort, wanted, total), is_descending=is_descending, is_counting=False)
    return sql, {**question.values, "limit": None, "offset": 0}, total


def bare_names(
    scope: Scope,
    *,
    as_of: datetime,
    filters: Filters = Filters(),  # noqa: B008 - frozen
    basis: Basis = Basis.NOW,
) -> dict[int, str]:
    """Return what managers known by name only were called then, by key; nothing where everybody counts as now."""
    selection = select(scope, as_of=as_of, filters=filters, basis=basis)
    if selection is None or basis == Basis.NOW:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT f.manager_id FROM {selection.standings} WHERE {selection.of_people} AND f.manager_id < 0",
            selection.values,
        )
        keys = [key for (key,) in cursor.fetchall()]
    return {int(key): name for key, name in names(selection, By.MANAGER, keys).items()}


def _page(question: "_Question", keys: Sequence["_Key"], *, is_descending: bool, is_counting: bool) -> str:
    """Return the SQL for one page of the people, with their names and figures."""
    order = [f"key_{place} {_direction(key, is_descending)}" for place, key in enumerate(keys)]
    columns = "".join(f", {key.sql} AS key_{place}" for place, key in enumerate(keys))
    return f"""
        WITH chosen AS MATERIALIZED (
            SELECT f.person_id, f.department_id, f.manager_id, f.left_at,
                   {"count(*) OVER ()" if is_counting else "0"} AS total{columns}
            FROM {question.source} WHERE {question.condition}
            ORDER BY {", ".join([*order, "f.person_id"])}
            LIMIT %(limit)s OFFSET %(offset)s
        )
        SELECT chosen.person_id, {NAME}, person.email, person.job_title,
               chosen.left_at IS NULL OR chosen.left_at > %(now)s,
               chosen.department_id,
               CASE WHEN chosen.department_id = 0 THEN '' ELSE coalesce(department.name, '') END,
               chosen.manager_id,
               coalesce((SELECT {NAME} FROM sync_person person WHERE person.id = chosen.manager_id),
                        CASE WHEN chosen.manager_id <> 0 THEN btrim(person.manager_name) END, ''),
               coalesce(figure.counted, 0), coalesce(figure.completed, 0), coalesce(figure.past_due, 0),
               coalesce(figure.exempt, 0), figure.oldest_due_at, figure.last_activity_at, person.current_risk_score,
               chosen.total
        FROM chosen
        JOIN sync_person person ON person.id = chosen.person_id
        LEFT JOIN sync_department department ON department.id = chosen.department_id
        LEFT JOIN ({standings.figures("%(now)s", "f.person_id IN (SELECT person_id FROM chosen)")}) figure
          ON figure.person_id = chosen.person_id
        ORDER BY {", ".join([*order, "chosen.person_id"])}
    """


# The order by name, in the very words of the index `person_by_name`.
_NAME_KEY = 'left(person."searchable", 80)'
_OF_FIGURES = frozenset({Sort.ASSIGNED, Sort.COMPLETED, Sort.PAST_DUE, Sort.ACTIVITY})


@dataclass(frozen=True)
class _Question:
    """Condition as SQL: people f, counted alone or with what they are ordered by, and the condition on them."""

    counted: str
    source: str
    condition: str
    values: dict[str, Any]


def _question(selection: Selection, wanted: Wanted, sort: Sort, *, are_few: bool) -> _Question:
    conditions = [selection.of_people, *_STATUS[wanted.status]]
    values = dict(selection.values)
    searched = []
    for place, word in enumerate(wanted.words):
        searched.append(f"person.searchable LIKE {_pattern(place, anywhere=len(word) >= ANYWHERE_FROM)}")
        values[f"word_{place}"] = _escaped(word)
    if searched and row_security.is_on():
        # LIKE may not look into an index before a policy has had its say; a function of the database does.
        searched = ["person.id IN (SELECT people_called(%(patterns)s))"]
        values["patterns"] = [f"%{'' if len(word) >= ANYWHERE_FROM else ' '}{_escaped(word)}%" for word in wanted.words]
    standing = _standing(selection, wanted)
    source = selection.standings
    if standing or sort in _OF_FIGURES:
        source = _with_figures(selection, searched, are_few=are_few)
    if standing:
        conditions.append(_STANDING[standing])
    elif not selection.is_of_all_work:
        conditions.append(f"f.person_id IN ({_with_enrollments(selection)})")
    counted = f"{source} {_PERSON}" if searched else source
    joins = [] if sort in _OF_FIGURES and not searched else [_PERSON]
    if sort in _NAMES:
        joins.append(_NAMES[sort])
    return _Question(counted, " ".join([source, *joins]), " AND ".join([*conditions, *searched]), values)


_PERSON = "JOIN sync_person person ON person.id = f.person_id AND person.account_id = f.account_id"
_LAST_NAME = "lower(coalesce(nullif(btrim(person.last_name || ' ' || person.first_name), ''), person.email))"
_NAMES = {
    Sort.DEPARTMENT: "LEFT JOIN sync_department department ON department.id = f.department_id",
    Sort.MANAGER: f"LEFT JOIN (SELECT id, {_LAST_NAME} AS name FROM sync_person person) above"
    " ON above.id = f.manager_id",
}
_HAS_JOINED = "(f.joined_at IS NULL OR f.joined_at <= %(now)s)"
_STATUS = {
    Status.ACTIVE: (_HAS_JOINED, "(f.left_at IS NULL OR f.left_at > %(now)s)"),
    Status.LEFT: ("f.left_at <= %(now)s",),
    Status.ANY: (_HAS_JOINED,),
}
_STANDING = {
    StatusGroup.PAST_DUE: "f.past_due > 0",
    StatusGroup.COMPLIANT: "f.counted > 0 AND f.past_due = 0",
    StatusGroup.NOTHING: "f.counted = 0",
}


def _standing(selection: Selection, wanted: Wanted) -> StatusGroup | None:
    """Return where people are to stand; something past due in whatever campaign is asked for as a state, too."""
    is_about_all_work = selection.campaigns is None and selection.content_types is None
    if wanted.standing is None and is_about_all_work and selection.states == {State.PAST_DUE}:
        return StatusGroup.PAST_DUE
    return wanted.standing


def _pattern(place: int, *, anywhere: bool) -> str:
    return f"'%%{'' if anywhere else ' '}' || folded(%(word_{place})s) || '%%'"


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _with_enrollments(selection: Selection) -> str:
    """Return the SQL for people with an enrollment that passes the filters about campaigns, content and state."""
    where = selection.of_facts
    if selection.states == {State.PAST_DUE}:
        where = f"{where} AND {IS_PAST_DUE}"
    is_net = f"NOT {IS_EXEMPT}" if selection.has_exemptions else "true"
    held = intervals.current_at("%(now)s", where=where, source=selection.facts)
    return f"SELECT f.person_id FROM ({held}) f WHERE {selection.of_states} AND {is_net}"


# Whose figures as kept do not hold at the moment: time has moved them since, or they were worked out later.
_IS_STALE = "(f.next_event_at <= %(now)s OR f.computed_at > %(now)s)"


_PLACE = "f.person_id, f.account_id, f.department_id, f.manager_id, f.joined_at, f.left_at"
_COUNTS = ("counted", "completed", "past_due")


def _with_figures(selection: Selection, searched: Sequence[str], *, are_few: bool) -> str:
    """Return the SQL source of people f with their figures: those kept, brought up to the moment, or from facts."""
    stale = f"SELECT f.person_id FROM dashboard_personstanding f WHERE f.account_id = %(account)s AND {_IS_STALE}"
    if selection.basis == Basis.NOW and not are_few:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM ({stale} LIMIT {MOST_STALE + 1}) stale", selection.values)
            moved = cursor.fetchone()[0]
        if not moved:
            return selection.standings
        if moved <= MOST_STALE:
            columns = ", ".join(f"f.{name}" for name in (*_COUNTS, "last_activity_at"))
            return f"""
                (SELECT {_PLACE}, {columns} FROM dashboard_personstanding f
                 WHERE f.account_id = %(account)s AND NOT coalesce({_IS_STALE}, false)
                 UNION ALL
                 SELECT {_of_facts("dashboard_personstanding f", f"f.person_id IN ({stale})")}
                 WHERE f.person_id IN ({stale})) f
            """
    meant = [selection.of_people] if selection.basis == Basis.NOW else ["f.account_id = %(account)s"]
    if searched:
        found = "SELECT person.id FROM sync_person person WHERE person.account_id = %(account)s AND "
        meant.append(f"f.person_id IN ({found}{' AND '.join(searched)})")
    return f"(SELECT {_of_facts(selection.standings, ' AND '.join(meant))}) f"


def _of_facts(people: str, where: str) -> str:
    """Return the SQL, but for its SELECT, that gives people f the figures of the moment; `where` selects facts f."""
    counts = ", ".join(f"coalesce(figure.{name}, 0) AS {name}" for name in _COUNTS)
    return f"""
        {_PLACE}, {counts}, figure.last_activity_at
        FROM {people} LEFT JOIN ({standings.figures("%(now)s", where)}) figure ON figure.person_id = f.person_id
    """


@dataclass(frozen=True)
class _Key:
    """Sort key of a list. Whoever has none comes last either way; a fixed key is never turned around."""

    sql: str
    is_fixed: bool = False
    has_nulls: bool = True


_KEYS = {
    Sort.DEPARTMENT: _Key("lower(CASE WHEN f.department_id <> 0 THEN department.name END)"),
    Sort.MANAGER: _Key("coalesce(above.name, CASE WHEN f.manager_id < 0 THEN lower(btrim(person.manager_name)) END)"),
    Sort.ASSIGNED: _Key("f.counted"),
    Sort.COMPLETED: _Key("f.completed"),
    Sort.PAST_DUE: _Key("f.past_due"),
    Sort.ACTIVITY: _Key("f.last_activity_at"),
    Sort.RISK: _Key("person.current_risk_score"),
}


def _keys(sort: Sort, wanted: Wanted, total: int) -> list[_Key]:
    # Without nulls, an index in this order can be read backwards.
    name = _Key(_NAME_KEY, has_nulls=False)
    if sort in _OF_FIGURES:
        return [_KEYS[sort]]
    if sort != Sort.PERSON:
        return [_KEYS[sort], _Key(_NAME_KEY, is_fixed=True)]
    if total > MOST_RANKED:
        return [name]
    begins = [f"person.searchable LIKE {_pattern(place, anywhere=False)}" for place in range(len(wanted.words))]
    return [_Key(f"NOT ({' AND '.join(begins)})", is_fixed=True), name] if begins else [name]


def _direction(key: _Key, is_descending: bool) -> str:
    if not is_descending or key.is_fixed:
        return "ASC NULLS LAST"
    return "DESC NULLS LAST" if key.has_nulls else "DESC"


def _named_of_then(selection: Selection, rows: list[PersonRow]) -> list[PersonRow]:
    """Give managers of then who are known by name only the names of then."""
    bare = {row.manager_id for row in rows if row.manager_id < 0}
    if selection.basis == Basis.NOW or not bare:
        return rows
    called = names(selection, By.MANAGER, bare)
    return [
        PersonRow(**{**vars(row), "manager": called.get(row.manager_id, row.manager)})
        if row.manager_id in bare
        else row
        for row in rows
    ]
