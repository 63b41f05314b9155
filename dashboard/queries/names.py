"""What the keys of groups are called."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from django.db import connection

from dashboard.queries.asking import Basis, By
from dashboard.queries.selection import Selection
from dashboard.rollups.facts import NAME_KEY
from sync.models.training import ContentType

# What a person is called.
NAME = "coalesce(nullif(btrim(person.first_name || ' ' || person.last_name), ''), person.email)"

_PLAIN = {
    By.DEPARTMENT: "SELECT id, name FROM sync_department WHERE id = ANY(%(keys)s)",
    By.CAMPAIGN: "SELECT id, name FROM sync_campaign WHERE id = ANY(%(keys)s)",
    By.GROUP: "SELECT id, name FROM sync_group WHERE id = ANY(%(keys)s)",
    By.MANAGER: f"""
        SELECT id, {NAME} FROM sync_person person WHERE id = ANY(%(keys)s)
        UNION ALL
        SELECT key, min(name) FROM (
            SELECT {NAME_KEY.format("manager_name")} AS key, btrim(manager_name) AS name
            FROM sync_person WHERE account_id = %(account)s AND manager_name <> '' AND %(has_bare_names)s
              AND (manager_id IS NULL OR %(has_old_names)s)
            UNION ALL
            SELECT {NAME_KEY.format("old")}, btrim(old) FROM sync_change
            WHERE account_id = %(account)s AND subject = 1 AND field = 'manager_name' AND old <> ''
              AND %(has_old_names)s
        ) named WHERE key = ANY(%(keys)s) GROUP BY key
    """,
}


def names(
    selection: Selection, by: By, keys: Iterable[int | str], *, known: Mapping[Any, str] = MappingProxyType({})
) -> dict[int | str, str]:
    """Return the names of departments, managers, campaigns, groups or content types; unnamed ones are missing.

    `known` names need not be looked up.
    """
    if by == By.CONTENT_TYPE:
        return {kind.value: str(kind.label) for kind in ContentType}
    ids = [key for key in keys if isinstance(key, int) and key and key not in known]
    if not ids:
        return {**known}
    has_bare_names = any(key < 0 for key in ids)
    with connection.cursor() as cursor:
        cursor.execute(
            _PLAIN[by],
            {
                "keys": ids,
                "account": selection.account.pk,
                "has_bare_names": has_bare_names,
                # Names of then that nobody's manager has now.
                "has_old_names": has_bare_names and selection.basis == Basis.THEN,
            },
        )
        return {**known, **dict(cursor.fetchall())}
