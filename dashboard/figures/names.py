"""Names of the keys of groups."""

from collections.abc import Iterable

from django.db import connection

from dashboard.figures.selection import Basis, By, Selection
from dashboard.rollups.facts import NAME_KEY
from sync.models.training import ContentType

# What a person is called; who was erased, and who never had a name or an email, by the number of their row.
NAME = (
    "coalesce(nullif(btrim(person.first_name || ' ' || person.last_name), ''), nullif(person.email, ''),"
    " 'Person ' || person.id)"
)

_PLAIN = {
    By.DEPARTMENT: "SELECT id, name FROM sync_department JOIN unnest(%(keys)s::bigint[]) AS wanted ON id = wanted",
    By.CAMPAIGN: "SELECT id, name FROM sync_campaign JOIN unnest(%(keys)s::bigint[]) AS wanted ON id = wanted",
    By.GROUP: "SELECT id, name FROM sync_group JOIN unnest(%(keys)s::bigint[]) AS wanted ON id = wanted",
    By.MANAGER: f"""
        SELECT id, {NAME} FROM sync_person person JOIN unnest(%(keys)s::bigint[]) AS wanted ON id = wanted
        UNION ALL
        SELECT key, min(name) FROM (
            SELECT {NAME_KEY.format("manager_name")} AS key, btrim(manager_name) AS name
            FROM sync_person WHERE account_id = %(account)s AND manager_name <> '' AND %(has_bare_names)s
              AND (manager_id IS NULL OR %(has_old_names)s)
            UNION ALL
            SELECT {NAME_KEY.format("old")}, btrim(old) FROM sync_change
            WHERE account_id = %(account)s AND subject = 1 AND field = 'manager_name' AND old <> ''
              AND %(has_old_names)s
        ) named WHERE key IN (SELECT unnest(%(bare_keys)s::bigint[])) GROUP BY key
    """,
}


def names(selection: Selection, by: By, keys: Iterable[int | str]) -> dict[int | str, str]:
    """Return the names of departments, managers, campaigns, groups or content types; unnamed ones are missing."""
    if by == By.CONTENT_TYPE:
        return {kind.value: str(kind.label) for kind in ContentType}
    ids = [key for key in keys if isinstance(key, int) and key]
    if not ids:
        return {}
    bare = [key for key in ids if key < 0]
    has_bare_names = bool(bare)
    with connection.cursor() as cursor:
        cursor.execute(
            _PLAIN[by],
            {
                "keys": _array(key for key in ids if key > 0),
                "bare_keys": _array(bare),
                "account": selection.account.pk,
                "has_bare_names": has_bare_names,
                # Names of then that nobody's manager has now.
                "has_old_names": has_bare_names and selection.basis == Basis.THEN,
            },
        )
        found: dict[int | str, str] = dict(cursor.fetchall())
        unseen = [key for key in ids if key > 0 and key not in found] if by == By.MANAGER else []
        if unseen:
            # Managers out of the reader's sight are called what the records of their reports call them.
            cursor.execute(_BY_REPORTS, {"keys": _array(unseen), "account": selection.account.pk})
            found |= dict(cursor.fetchall())
        return found


_BY_REPORTS = """
    SELECT manager_id, min(btrim(manager_name)) FROM sync_person
    WHERE account_id = %(account)s AND manager_id = ANY(%(keys)s::bigint[]) AND manager_name <> '' GROUP BY manager_id
"""


def _array(keys: Iterable[int]) -> str:
    """Return keys as Postgres writes an array: of thousands, the quickest to send."""
    return f"{{{','.join(map(str, keys))}}}"
