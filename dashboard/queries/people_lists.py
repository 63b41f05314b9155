"""People as lists that can be written out whole: those of the People page, and those past due.

Both wrap the very SELECT that draws the page, so a file has the page's people, order and figures, and add what pages
have no room for: the manager's address, the employee number.
"""

from collections.abc import Collection
from typing import Any

from dashboard.figures.select_query import SelectQuery
from dashboard.queries.enrollment_list import DAYS_PAST_DUE
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
    "person": "JOIN sync_person person ON person.id = listed.person_id",
    "above": "LEFT JOIN sync_person above ON above.id = listed.manager_id",
}
_DAYS = DAYS_PAST_DUE.format(due="listed.oldest_due_at")
_COMMON = {
    "person_id": "listed.person_id",
    "person_knowbe4_id": "person.knowbe4_id",
    "person": "listed.name",
    "email": "listed.email",
    "employee_number": "person.employee_number",
    "location": "person.location",
    "division": "person.division",
    "department": "listed.department",
    "manager_email": ("coalesce(above.email, CASE WHEN listed.manager_id < 0 THEN person.manager_email END, '')"),
    "last_activity_at": "listed.last_activity_at",
    "oldest_due_at": "listed.oldest_due_at",
    "days_past_due": f"CASE WHEN listed.oldest_due_at IS NOT NULL THEN {_DAYS} END",
}


def people_query(found: tuple[str, dict[str, Any], int], bare_names: dict[int, str]) -> SelectQuery:
    """Return the people of a `people.listing`; `bare_names` are the names of then of managers known by name only."""
    sql, values, _total = found
    return SelectQuery(
        {
            **_COMMON,
            "job_title": "listed.job_title",
            "active": "CASE WHEN listed.is_active THEN 'yes' ELSE 'no' END",
            "manager": "coalesce(called.name, listed.manager)",
            "assigned": "listed.assigned",
            "completed": "listed.completed",
            "past_due": "listed.past_due",
            "exempt": "listed.exempt",
            "risk_score": "listed.risk_score",
        },
        _numbered(sql, _PERSON_ROW),
        "listed.place",
        {**values, "bare_keys": list(bare_names), "bare_names": list(bare_names.values())},
        {
            **_JOINS,
            "called": "LEFT JOIN unnest(%(bare_keys)s::bigint[], %(bare_names)s::text[]) AS called (key, name)"
            " ON called.key = listed.manager_id",
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
    chosen = "WHERE listed.person_id = ANY(%(only)s)" if only else ""
    return SelectQuery(
        {
            **_COMMON,
            "job_title": "person.job_title",
            "manager": "listed.manager",
            "items": "listed.items",
            "campaign": "item.campaign",
            "due_source": "item.due_source",
        },
        f"(SELECT listed.* FROM {_numbered(sql, _LATE_ROW)} {chosen}) listed",
        "listed.place",
        {**values, "only": list(only)},
        {**_JOINS, "item": f"LEFT JOIN ({asking.oldest()}) item ON item.person_id = listed.person_id"},
    )


def _numbered(sql: str, columns: str) -> str:
    """Return the SQL source of a list whose rows know their place, for joins keep no order."""
    return f"(SELECT listed.*, row_number() OVER () AS place FROM ({sql}) AS listed ({columns})) listed"
