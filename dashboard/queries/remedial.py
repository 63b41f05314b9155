"""Training after failure: who failed a phishing test, and who was enrolled in remedial training in time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from dashboard.access import Scope
from dashboard.figures.counts import KEYS, Key
from dashboard.figures.names import names
from dashboard.figures.selection import Basis, By, Filters, Selection, select
from dashboard.models import Trigger
from dashboard.rate import Rate
from dashboard.triggers import effective_trigger

# How soon after a failure remedial training begins to count as an answer to it.
GRACE = timedelta(days=14)
GROUPED_BY = (By.DEPARTMENT, By.MANAGER)


@dataclass(frozen=True)
class RemedialRow:
    """One group's people who failed, and those trained after it (key 0 and no name without groups)."""

    key: Key
    name: str
    rate: Rate


def training_after_failure(
    scope: Scope,
    *,
    as_of: datetime,
    filters: Filters = Filters(),  # noqa: B008 - frozen
    basis: Basis = Basis.NOW,
    by: By | None = None,
) -> list[RemedialRow]:
    """Return people with remedial training after each of their failures, out of people who failed 14 days ago or more.

    Remedial is an enrollment that can count, in a campaign whose trigger is a phishing failure, made between the
    failure and 14 days (of 24 hours) after it, and not removed at `as_of`. People are those active at `as_of`; filters
    about campaigns, content and state do not bear. Managers have their direct reports. ValueError for a grouping that
    is none of `GROUPED_BY`. Nobody in scope: no row.
    """
    if by is not None and by not in GROUPED_BY:
        raise ValueError(f"Training after failure is not grouped by {by}.")
    selection = select(scope, as_of=as_of, filters=filters, basis=basis)
    if selection is None:
        return []
    remedial = (
        scope.campaigns().annotate(cause=effective_trigger()).filter(cause=Trigger.PHISHING_FAILURE).order_by("pk")
    )
    found = _read(selection, KEYS[by] if by else "0", list(remedial.values_list("pk", flat=True)))
    if by is None:
        return [RemedialRow(0, "", found.get(0, Rate(0, 0)))]
    called = names(selection, by, found)
    rows = [RemedialRow(key, called.get(key, ""), rate) for key, rate in found.items()]
    return sorted(rows, key=lambda row: (not row.name, row.name.casefold(), str(row.key)))


def _read(selection: Selection, key: str, campaigns: list[int]) -> dict[int, Rate]:
    values: dict[str, Any] = {**selection.values, "remedial": campaigns, "grace": GRACE}
    with connection.cursor() as cursor:
        # Raw SQL: facts and standings are asked as the other figures ask them.
        cursor.execute(
            f"""
            SELECT key, count(*) FILTER (WHERE is_trained)::int, count(*)::int FROM (
                SELECT {key} AS key, f.person_id, bool_and(EXISTS (
                    SELECT FROM dashboard_fact g
                    WHERE g.account_id = %(account)s AND g.person_id = f.person_id
                      AND g.campaign_id = ANY(%(remedial)s) AND g.enrolled_at <= %(now)s
                      AND (g.removed_at IS NULL OR g.removed_at > %(now)s)
                      AND g.enrolled_at BETWEEN failure.failed_at AND failure.failed_at + %(grace)s
                )) AS is_trained
                FROM {selection.standings}
                JOIN sync_phishingresult failure ON failure.person_id = f.person_id
                WHERE {selection.of_people} AND (f.left_at IS NULL OR f.left_at > %(now)s)
                  AND failure.account_id = %(account)s AND failure.failed_at <= %(now)s::timestamptz - %(grace)s
                GROUP BY 1, 2
            ) person GROUP BY key
            """,
            values,
        )
        return {group: Rate(trained, failed) for group, trained, failed in cursor.fetchall()}
