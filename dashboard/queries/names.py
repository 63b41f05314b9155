"""What the keys of groups are called."""

from collections.abc import Iterable

from django.db import connection

from dashboard.queries.asking import By
from dashboard.queries.selection import Selection
from dashboard.rollups.facts import NAME_KEY
from sync.models.training import ContentType

_PLAIN = {
    By.DEPARTMENT: "SELECT id, name FROM sync_department WHERE id = ANY(%(keys)s)",
    By.CAMPAIGN: "SELECT id, name FROM sync_campaign WHERE id = ANY(%(keys)s)",
    By.GROUP: "SELECT id, name FROM sync_group WHERE id = ANY(%(keys)s)",
    By.MANAGER: f"""
        SELECT id, coalesce(nullif(btrim(first_name || ' ' || last_name), ''), email)
        FROM sync_person WHERE id = ANY(%(keys)s)
        UNION ALL
        SELECT key, min(name) FROM (
            SELECT {NAME_KEY.format("manager_name")} AS key, btrim(manager_name) AS name
            FROM sync_person WHERE account_id = %(account)s AND manager_name <> '' AND %(has_bare_names)s
        ) named WHERE key = ANY(%(keys)s) GROUP BY key
    """,
}


def names(selection: Selection, by: By, keys: Iterable[int | str]) -> dict[int | str, str]:
    """Return the names of departments, managers, campaigns, groups or content types; unnamed ones are missing."""
    if by == By.CONTENT_TYPE:
        return {kind.value: str(kind.label) for kind in ContentType}
    ids = [key for key in keys if isinstance(key, int) and key]
    with connection.cursor() as cursor:
        cursor.execute(
            _PLAIN[by],
            {"keys": ids, "account": selection.account.pk, "has_bare_names": any(key < 0 for key in ids)},
        )
        return dict(cursor.fetchall())
