"""Choices of filters: departments, campaigns and groups by name, and the managers around one manager."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from dashboard.access import Scope
from dashboard.figures.names import NAME
from dashboard.figures.selection import Filters, placed_in_scope

# More names than this help nobody in a list to choose from; chosen ones are always among them.
MOST = 300
# No reporting line is that long; a loop ends here.
HIGHEST = 20

Named = tuple[int, str]


@dataclass(frozen=True)
class Choices:
    """Ids and names, in the order they are offered.

    `above` are the managers over the chosen one, the highest first; `chosen` is that one, None when there is none or
    nobody is called so; `below` are those of their reports who manage somebody. Without a chosen manager `below` are
    the highest managers, and where there is only one, those who report to them.
    """

    departments: tuple[Named, ...] = ()
    campaigns: tuple[Named, ...] = ()
    groups: tuple[Named, ...] = ()
    above: tuple[Named, ...] = ()
    chosen: Named | None = None
    below: tuple[Named, ...] = ()


# Raw SQL: several short lists in one question, one of them recursive. Each yields kind, place, id and name.
_MANAGES = (
    "EXISTS (SELECT FROM dashboard_personstanding r WHERE r.account_id = %(account)s AND r.manager_id = f.person_id)"
)
# `{0}` below is the condition that a person f is in scope.
_LISTS = {
    "department": """
        (SELECT 'department', 0, d.id, d.name FROM sync_department d
         WHERE d.account_id = %(account)s AND d.merged_into_id IS NULL AND d.key <> ''
           AND (%(own_departments)s::bigint[] IS NULL OR d.id = ANY(%(own_departments)s))
           AND (d.id = ANY(%(departments)s) OR EXISTS (
               SELECT FROM dashboard_personstanding f
               WHERE f.account_id = %(account)s AND f.department_id = d.id AND f.left_at IS NULL AND {0}))
         ORDER BY d.id <> ALL(%(departments)s), d.name LIMIT %(most)s)
    """,
    "campaign": """
        (SELECT 'campaign', 0, c.id, c.name FROM sync_campaign c
         WHERE c.account_id = %(account)s AND (c.id = ANY(%(campaigns)s) OR c.removed_at IS NULL)
           AND (%(own_campaigns)s::bigint[] IS NULL OR c.id = ANY(%(own_campaigns)s))
         ORDER BY c.id <> ALL(%(campaigns)s), c.start_at DESC NULLS LAST, c.id DESC LIMIT %(most)s)
    """,
    "group": """
        (SELECT 'group', 0, g.id, g.name FROM sync_group g
         WHERE g.account_id = %(account)s AND g.name <> '' AND g.knowbe4_id <> 0
           AND (g.id = ANY(%(groups)s) OR g.removed_at IS NULL)
           AND (%(own_groups)s::bigint[] IS NULL OR g.id = ANY(%(own_groups)s))
         ORDER BY g.id <> ALL(%(groups)s), g.name LIMIT %(most)s)
    """,
}
# Whose manager is nobody, or out of sight; a manager who is somebody is in sight of who sees everyone.
_NOBODY_IN_SIGHT_ABOVE = """
    (f.manager_id <= 0 OR NOT EXISTS (
        SELECT FROM (SELECT * FROM dashboard_personstanding above WHERE above.person_id = f.manager_id) f WHERE {0}
    ))
"""
_TOPS = f"""
    (WITH top AS MATERIALIZED (
         SELECT f.person_id FROM dashboard_personstanding f
         WHERE f.account_id = %(account)s AND {{0}} AND {_MANAGES} AND {{top}} LIMIT %(most)s
     )
     SELECT 'below', CASE WHEN person.id IN (SELECT person_id FROM top) THEN 0 ELSE 1 END, person.id, {NAME}
     FROM sync_person person WHERE person.id IN (
         SELECT person_id FROM top
         UNION ALL
         (SELECT f.person_id FROM dashboard_personstanding f
          WHERE (SELECT count(*) FROM top) = 1 AND f.account_id = %(account)s
            AND f.manager_id = (SELECT min(person_id) FROM top) AND {{0}} AND {_MANAGES} LIMIT %(most)s)
     ))
"""
_AROUND = f"""
    (WITH RECURSIVE up (id, place) AS (
         SELECT %(manager)s::bigint, 0
         UNION ALL
         SELECT f.manager_id, place + 1 FROM up JOIN dashboard_personstanding f ON f.person_id = up.id
         WHERE f.account_id = %(account)s AND f.manager_id > 0 AND place < %(highest)s
     )
     SELECT 'above', min(up.place), person.id, {NAME}
     FROM up JOIN sync_person person ON person.id = up.id AND person.account_id = %(account)s
     JOIN dashboard_personstanding f ON f.person_id = up.id AND {{0}} GROUP BY person.id)
    UNION ALL
    (SELECT 'above', 0, f.manager_id, min(btrim(person.manager_name))
     FROM dashboard_personstanding f JOIN sync_person person ON person.id = f.person_id
     WHERE f.account_id = %(account)s AND f.manager_id = %(manager)s AND %(manager)s::bigint < 0 AND {{0}}
     GROUP BY f.manager_id)
    UNION ALL
    (SELECT 'below', 0, person.id, {NAME}
     FROM dashboard_personstanding f JOIN sync_person person ON person.id = f.person_id
     WHERE f.account_id = %(account)s AND f.manager_id = %(manager)s AND %(manager)s::bigint > 0
       AND {{0}} AND {_MANAGES} LIMIT %(most)s)
"""


def choices(scope: Scope, kinds: Collection[str], filters: Filters) -> Choices:
    """Return what can be chosen for each of "department", "campaign", "group" and "manager"; other kinds are skipped.

    Departments are those that somebody active counts in, campaigns the latest first. At most `MOST` of each, and what
    the filters name of what is in scope is always among them. In a name's place may stand nothing.
    """
    parts = [sql for kind, sql in _LISTS.items() if kind in kinds]
    if "manager" in kinds:
        parts.append(_AROUND if filters.manager else _TOPS)
    if scope.account is None or not scope.sees_anyone or not parts:
        return Choices()
    in_scope, of_scope = placed_in_scope(scope)
    top = "f.manager_id <= 0" if scope.sees_everyone else _NOBODY_IN_SIGHT_ABOVE
    values: dict[str, Any] = of_scope | {
        "account": scope.account.pk,
        "departments": list(filters.departments),
        "campaigns": list(filters.campaigns),
        "groups": list(filters.groups),
        "manager": filters.manager,
        "own_departments": _own(scope, scope.departments()) if filters.departments and "department" in kinds else None,
        "own_campaigns": _own(scope, scope.campaigns()) if "campaign" in kinds else None,
        "own_groups": _own(scope, scope.groups()) if "group" in kinds else None,
        "most": MOST,
        "highest": HIGHEST,
    }
    found: dict[str, list[tuple[int, int, str]]] = {
        kind: [] for kind in ("department", "campaign", "group", "above", "below")
    }
    sql = " UNION ALL ".join(parts).replace("{top}", top).replace("{0}", in_scope)
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        for kind, place, key, name in cursor.fetchall():
            found[kind].append((place, key, name))
    line = sorted(found["above"], reverse=True)
    return Choices(
        departments=_by_name(found["department"]),
        campaigns=tuple((key, name) for _place, key, name in found["campaign"]),
        groups=_by_name(found["group"]),
        above=tuple((key, name) for place, key, name in line if place),
        chosen=next(((key, name) for place, key, name in line if not place), None),
        below=_by_name(found["below"]),
    )


def _own(scope: Scope, rows: QuerySet[Any]) -> list[int] | None:
    """Return the keys of what the reader may choose among; None for anything of the account."""
    return None if scope.sees_everyone else list(rows.values_list("pk", flat=True))


def _by_name(rows: list[tuple[int, int, str]]) -> tuple[Named, ...]:
    ordered = sorted(rows, key=lambda row: (row[0], row[2].casefold(), row[1]))
    return tuple((key, name) for _place, key, name in ordered)
