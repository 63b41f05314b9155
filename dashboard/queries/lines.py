"""Whole reporting lines: everyone below a manager, at any depth, from what each one's direct reports add up to."""

from collections.abc import Callable, Iterable

from django.db import connection

from dashboard.metrics import Totals
from dashboard.queries.selection import Selection


def whole(
    selection: Selection, direct: dict[int, Totals], of_people: Callable[[Iterable[int]], dict[int, Totals]]
) -> dict[int, Totals]:
    """Return each manager's whole line, given the totals of everybody's direct reports.

    A manager known by name only, and "No manager", have direct reports alone. Managers in a loop are above each other
    but not above themselves: `of_people` gives their own totals, to be taken out.
    """
    above = _managers_above(selection)
    lines: dict[int, Totals] = {}
    in_loops = set()
    for key, totals in direct.items():
        lines[key] = lines.get(key, Totals()) + totals
        met, manager = {key}, above.get(key, 0)
        while manager > 0 and manager not in met:
            lines[manager] = lines.get(manager, Totals()) + totals
            met.add(manager)
            manager = above.get(manager, 0)
        if manager == key:
            in_loops |= met
    for person, own in of_people(sorted(in_loops)).items():
        lines[person] = lines[person] - own
    return lines


def _managers_above(selection: Selection) -> dict[int, int]:
    """Return, for everyone who manages somebody, the key of their own manager."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT f.person_id, f.manager_id FROM {selection.standings}
            WHERE f.account_id = %(account)s AND f.person_id IN (
                SELECT f.manager_id FROM {selection.standings} WHERE f.account_id = %(account)s
            )
            """,
            selection.values,
        )
        return dict(cursor.fetchall())
