"""Contents of the rollups as plain rows: two ways to the same facts must end in the same rows."""

from collections import defaultdict
from datetime import UTC, date, datetime
from typing import Any

from django.db import connection

from dashboard.models import RollupState
from sync.models import Account

# Tables whose numbers add up: a row of nothing but zeros is as good as none.
ADDED_UP = ("dashboard_tally", "dashboard_cohorttally")
OTHERS = (
    "dashboard_fact",
    "dashboard_exemptspan",
    "dashboard_personstanding",
    "dashboard_reportingline",
    "dashboard_rollupstate",
)
# Keys of rows, when something was worked out, and since when the past is kept.
TOLD_APART = {"id", "computed_at", "built_at", "tallies_from"}
# What names a row of numbers.
NAMES = {
    *("account_id", "grain", "is_standing", "is_exempt", "at", "department_id", "manager_id", "campaign_id"),
    *("content_type", "due_month"),
}

Row = dict[str, Any]


def comparable_from(account: Account) -> datetime:
    """Return the first moment from which the tallies' rows follow from the facts alone.

    Two tallies of the same facts may keep their past since different days; where only months are kept, they are the
    same from the next month on.
    """
    state = RollupState.objects.get(account=account)
    first = state.tallies_from
    assert first is not None
    if first >= state.days_from:
        return first
    day = first.astimezone(account.zone)
    if day.day == 1:
        return first
    month = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return datetime(month.year, month.month, month.day, tzinfo=account.zone).astimezone(UTC)


def rows_of(account: Account) -> dict[str, list[Row]]:
    """Return every row of the account's rollups by table."""
    found = {}
    with connection.cursor() as cursor:
        for table in (*ADDED_UP, *OTHERS):
            cursor.execute(f"SELECT * FROM {table} WHERE account_id = %s", [account.pk])  # noqa: S608 - our own names
            names = [column.name for column in cursor.description or []]
            found[table] = [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]
    return found


def comparable(rows: dict[str, list[Row]], since: datetime) -> dict[str, list[str]]:
    """Return the rows as texts in order, without what only tells two computations apart.

    Of the tallies: what stood before `since` is left out, and what happened before it happened then.
    """
    return {
        table: sorted(map(_text, _added_up(table_rows, since) if table in ADDED_UP else table_rows))
        for table, table_rows in rows.items()
    }


def _added_up(rows: list[Row], since: datetime) -> list[Row]:
    sums: dict[tuple[tuple[str, Any], ...], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in rows:
        if row["is_standing"] and row["at"] < since:
            continue
        names = {name: value for name, value in row.items() if name in NAMES} | {"at": max(row["at"], since)}
        for name, value in row.items():
            if name not in NAMES and name != "id":
                sums[tuple(names.items())][name] += value
    return [dict(names) | counts for names, counts in sums.items() if any(counts.values())]


def _text(row: Row) -> str:
    return " ".join(
        f"{name}={value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value}"
        for name, value in sorted(row.items())
        if name not in TOLD_APART and value != 0
    )
