"""Whole reporting lines: everyone below a manager, at any depth, from what each one's direct reports add up to."""

from collections.abc import Iterable

from django.db import connection

from dashboard.figures.selection import Basis, Selection
from dashboard.rollups import lines


def pairs(selection: Selection) -> str:
    """Return the SQL for every manager with each whose reports are in their line, as `rollups.lines.closure` does.

    They are kept for people as placed now; where they are not yet, or of then, they are worked out.
    """
    is_kept = selection.state is not None and selection.state.tallies_from is not None
    return lines.KEPT if selection.basis == Basis.NOW and is_kept else lines.closure(selection.standings)


def widened(direct: str, keys: Iterable[str], counts: Iterable[str], line: str) -> str:
    """Return the SQL that adds the counts of everybody's direct reports up over whole lines.

    The first of `keys` is whom they report to, the others stay. A manager known by name only, and "No manager", have
    direct reports alone.
    """
    manager, *others = keys
    return f"""
        SELECT coalesce(line.manager_id, direct.{manager}) AS {manager}, {"".join(f"{key}, " for key in others)}
               {", ".join(f"sum({count})::int AS {count}" for count in counts)}
        FROM ({direct}) direct LEFT JOIN {line} line ON line.below_id = direct.{manager}
        GROUP BY {", ".join(str(place + 1) for place in range(len(others) + 1))}
    """


def in_loops(selection: Selection, line: str) -> list[int]:
    """Return the managers who are a report within their own line, from which they are to be taken out."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT manager_id FROM {line} line WHERE is_loop ORDER BY 1", selection.values)
        return [manager for (manager,) in cursor.fetchall()]
