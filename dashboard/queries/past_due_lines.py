"""Groups of the Past due page by manager: each report's is the line of the manager just below the top."""

from dataclasses import dataclass

from django.db import connection

from dashboard.figures.selection import Selection
from dashboard.queries.past_due import MOVED


@dataclass(frozen=True)
class Line:
    """Group that each manager's reports belong to: the one just below `top` on the way down to them.

    `is_loop`: the top is somewhere below itself. `moved`: as `past_due.MOVED` counts.
    """

    heads: dict[int, int]
    top: int | None = None
    is_loop: bool = False
    moved: int | None = None


def managing(selection: Selection) -> tuple[dict[int, int], int]:
    """Return the manager of everyone who manages somebody, by person, and how many stand otherwise than is kept."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT f.person_id, f.manager_id FROM {selection.standings}
            WHERE f.account_id = %(account)s AND f.person_id IN (
                SELECT DISTINCT f.manager_id FROM {selection.standings}
                WHERE f.account_id = %(account)s AND f.manager_id > 0
            )
            UNION ALL
            SELECT NULL, ({MOVED})
            """,
            selection.values,
        )
        *above, (_nobody, moved) = sorted(cursor.fetchall(), key=lambda row: row[0] is None)
    return dict(above), moved


def line_below(above: dict[int, int], manager: int | None) -> Line:
    """Return the groups just below a manager, or below everybody. Whoever is in a loop without a top stands alone."""
    below: dict[int, list[int]] = {}
    for person, own in above.items():
        below.setdefault(own, []).append(person)
    top, starts = manager, below.get(manager or 0, [])
    if manager is None:
        starts = [person for person, own in above.items() if own <= 0]
        if len(starts) == 1:
            top, starts = starts[0], below.get(starts[0], [])
    heads = {top: top} if top is not None else {}
    is_loop = False
    for start in starts:
        waiting = [start]
        while waiting:
            person = waiting.pop()
            is_loop = is_loop or top in below.get(person, ())
            if person not in heads:
                heads[person] = start
                waiting += below.get(person, ())
    return Line(heads, top, is_loop)
