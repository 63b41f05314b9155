"""Reporting lines: which managers' reports are below whom, at any depth, kept as pairs.

A line is cut where it meets somebody again. So managers in a loop are below each other, and each is a report within
their own line: `is_loop` says so, for whoever counts a line leaves its manager out.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db import connection

from sync.models import Account

# Rows as of `closure`; %(account)s is the account's key.
KEPT = "(SELECT manager_id, below_id, is_loop FROM dashboard_reportingline WHERE account_id = %(account)s)"
STANDINGS = "dashboard_personstanding f"


class Line(NamedTuple):
    """The keys of the managers whose direct reports make up a line, and whether its manager is one of the reports."""

    managers: tuple[int, ...]
    is_loop: bool


def closure(people: str = STANDINGS) -> str:
    """Return the SQL for every manager with each manager in their line, themselves first of all.

    `people` is a source of people f with the manager each reports to. UNION drops who is met again, so a loop ends.
    """
    return f"""
        (WITH RECURSIVE managing AS (
            SELECT DISTINCT f.manager_id FROM {people} WHERE f.account_id = %(account)s AND f.manager_id > 0
        ), link AS (
            SELECT f.person_id, f.manager_id FROM {people}
            JOIN managing ON managing.manager_id = f.person_id WHERE f.account_id = %(account)s
        ), line (manager_id, below_id) AS (
            SELECT manager_id, manager_id FROM managing
            UNION
            SELECT link.manager_id, line.below_id
            FROM line JOIN link ON link.person_id = line.manager_id WHERE link.manager_id > 0
        )
        SELECT line.manager_id, line.below_id, EXISTS (
            SELECT FROM link WHERE link.person_id = line.manager_id AND link.manager_id = line.below_id
        ) AS is_loop FROM line)
    """


def renew(values: Mapping[str, Any]) -> None:
    """Make the account's kept pairs what its people's managers say; only what differs is written."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE line_now ON COMMIT DROP AS SELECT * FROM {closure()} line", values)
        cursor.execute("ANALYZE line_now")
        cursor.execute(
            """
            DELETE FROM dashboard_reportingline kept WHERE account_id = %(account)s AND NOT EXISTS (
                SELECT FROM line_now WHERE (manager_id, below_id) = (kept.manager_id, kept.below_id)
            )
            """,
            values,
        )
        cursor.execute(
            """
            INSERT INTO dashboard_reportingline AS kept (account_id, manager_id, below_id, is_loop)
            SELECT %(account)s, manager_id, below_id, is_loop FROM line_now ORDER BY manager_id, below_id
            ON CONFLICT (account_id, manager_id, below_id) DO UPDATE SET is_loop = excluded.is_loop
            WHERE kept.is_loop <> excluded.is_loop
            """,
            values,
        )
        cursor.execute("DROP TABLE line_now")


def below(account: Account, person: int) -> Line:
    """Return whose direct reports are below a person, at any depth, their own first of all; ids are ours.

    Somebody who manages nobody has a line of their own key alone, and nobody in it. It reads what is kept, so call it
    where the account's tallies stand.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT below_id, is_loop FROM {KEPT} line WHERE manager_id = %(person)s ORDER BY below_id",
            {"account": account.pk, "person": person},
        )
        rows = cursor.fetchall()
    return Line(tuple(key for key, _ in rows) or (person,), any(is_loop for _, is_loop in rows))
