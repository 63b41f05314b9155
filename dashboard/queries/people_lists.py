"""People as lists that can be written out whole: those of the People page, and those past due.

Both wrap the very SELECT that draws the page, so a file has the page's people, order and figures, and add what pages
have no room for: the manager's address, the employee number.
"""

from collections.abc import Collection
from typing import Any

from dashboard.figures.select_query import SelectQuery
from dashboard.queries.fields import PEOPLE, selected
from dashboard.queries.past_due import Sort
from dashboard.queries.past_due_groups import PastDue

_PERSON_ROW = (
    "person_id, name, email, job_title, is_active, department_id, department, manager_id, manager, assigned, "
    "completed, past_due, exempt, oldest_due_at, last_activity_at, risk_score, total"
)
_LATE_ROW = (
    "person_id, name, email, department_id, manager_id, department, manager, items, oldest_due_at, "
    "last_activity_at, key"
)
_JOINS = {
    "person": "JOIN sync_person person ON person.id = f.person_id",
    "above": "LEFT JOIN sync_person above ON above.id = f.manager_id",
}


def people_query(found: tuple[str, dict[str, Any], int], bare_names: dict[int, str]) -> SelectQuery:
    """Return the people of a `people.listing`; `bare_names` are the names of then of managers known by name only."""
    sql, values, _total = found
    return SelectQuery(
        _columns(manager="coalesce(called.name, f.manager)"),
        _numbered(sql, _PERSON_ROW),
        "f.place",
        {**values, "bare_keys": list(bare_names), "bare_names": list(bare_names.values())},
        {
            **_JOINS,
            "called": "LEFT JOIN unnest(%(bare_keys)s::bigint[], %(bare_names)s::text[]) AS called (key, name)"
            " ON called.key = f.manager_id",
        },
    )


def past_due_query(
    asking: PastDue, sort: Sort, *, is_descending: bool, only: Collection[int] = ()
) -> SelectQuery | None:
    """Return the people past due, with what each has had past due for longest; `only` these if any. None: nobody."""
    found = asking.listing(sort, is_descending=is_descending)
    if found is None:
        return None
    sql, values = found
    chosen = "WHERE f.person_id = ANY(%(only)s)" if only else ""
    return SelectQuery(
        {**_columns(), "items": "f.items", "campaign": "item.campaign", "due_source": "item.due_source"},
        f"(SELECT f.* FROM {_numbered(sql, _LATE_ROW)} {chosen}) f",
        "f.place",
        {**values, "only": list(only)},
        {**_JOINS, "item": f"LEFT JOIN ({asking.oldest()}) item ON item.person_id = f.person_id"},
    )


def _columns(**own: str) -> dict[str, str]:
    """Return what is known of people, whose name and department the page's own SELECT has."""
    return selected(PEOPLE.values(), "f", person="f.name", department="f.department", **own)


def _numbered(sql: str, columns: str) -> str:
    """Return the SQL source of a list whose rows know their place, for joins keep no order."""
    return f"(SELECT f.*, row_number() OVER () AS place FROM ({sql}) AS f ({columns})) f"
