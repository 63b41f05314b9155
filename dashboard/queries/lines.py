"""Whole reporting lines: everyone below a manager, at any depth, from what each one's direct reports add up to."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db import connection

from dashboard.metrics import Totals
from dashboard.queries.names import NAME
from dashboard.queries.selection import Selection


def whole(
    above: dict[int, int], direct: dict[int, Totals], of_people: Callable[[Iterable[int]], dict[int, Totals]]
) -> dict[int, Totals]:
    """Return each manager's whole line, given their own managers and the totals of everybody's direct reports.

    A manager known by name only, and "No manager", have direct reports alone. Managers in a loop are above each other
    but not above themselves: `of_people` gives their own totals, to be taken out.
    """
    below: dict[int, list[int]] = defaultdict(list)
    for manager, own in above.items():
        below[own].append(manager)
    lines: dict[int, Totals] = {}
    # From the tops down to a list, and back up: each manager's line is their reports' and the lines of those below.
    order = [key for key in direct.keys() | above.keys() | below.keys() if above.get(key, 0) <= 0]
    for key in order:
        order.extend(below.get(key, ()) if key > 0 else ())
    for key in reversed(order):
        parts = [lines[manager] for manager in below.get(key, ()) if key > 0]
        lines[key] = sum(parts, direct.get(key, Totals()))
    in_loops = (direct.keys() | above.keys() | below.keys()) - lines.keys()
    if in_loops:
        lines |= _looped(in_loops, direct, above, of_people)
    return lines


def _looped(
    keys: Iterable[int],
    direct: dict[int, Totals],
    above: dict[int, int],
    of_people: Callable[[Iterable[int]], dict[int, Totals]],
) -> dict[int, Totals]:
    """Return the lines of those who have no top above them: they are in a loop, or below one."""
    found: dict[int, Totals] = {}
    loop = set()
    for key in keys:
        totals = direct.get(key, Totals())
        met, manager = [key], above[key]
        while manager not in met:
            met.append(manager)
            manager = above[manager]
        if manager == key:
            loop.add(key)
        for member in met:
            found[member] = found.get(member, Totals()) + totals
    for person, own in of_people(sorted(loop)).items():
        found[person] = found[person] - own
    return found


@dataclass(frozen=True)
class Managers:
    """Everyone who manages somebody: the key of their own manager, and what they are called."""

    above: dict[int, int]
    names: dict[int, str]


def managers(selection: Selection, direct: Iterable[int] | None = None) -> Managers:
    """Return the managers among `direct`, or all, and everyone above them; none of those known by name only."""
    above: dict[int, int] = {}
    names: dict[int, str] = {}
    wanted = _everybodys(selection) if direct is None else {key for key in direct if key > 0}
    with connection.cursor() as cursor:
        # One level of the company at a time, until it brings nobody new: most managers are there from the start.
        while wanted:
            cursor.execute(
                f"""
                SELECT f.person_id, f.manager_id, {NAME}
                FROM {selection.standings} JOIN sync_person person ON person.id = f.person_id
                WHERE f.account_id = %(account)s AND f.person_id = ANY(%(wanted)s)
                """,
                {**selection.values, "wanted": list(wanted)},
            )
            for person, manager, name in cursor.fetchall():
                above[person], names[person] = manager, name
            wanted = {manager for manager in above.values() if manager > 0 and manager not in above}
    return Managers(above, names)


def _everybodys(selection: Selection) -> set[int]:
    """Return whoever is somebody's manager."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT f.manager_id FROM {selection.standings} "
            "WHERE f.account_id = %(account)s AND f.manager_id > 0",
            selection.values,
        )
        return {manager for (manager,) in cursor.fetchall()}
