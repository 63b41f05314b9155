"""Signed steps that facts add to the tallies, gathered before they are written."""

from collections.abc import Iterable
from typing import Any

from django.db import connection

from dashboard.metrics import COHORT_INTERVALS, INTERVALS
from dashboard.rollups import intervals, standings
from dashboard.rollups.buckets import END_OF_DAY
from dashboard.rollups.tallies import TALLY_GRAINS, TallyGrain


def gather(values: dict[str, Any], *, sign: int, affected: bool) -> None:
    """Gather what the affected facts and people contribute, times `sign`; or all of them."""
    where = "f.enrollment_id IN (SELECT enrollment_id FROM affected)" if affected else "true"
    people = "f.person_id IN (SELECT person_id FROM affected_person)" if affected else "true"
    keys = "department_id, manager_id, campaign_id, content_type"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            CREATE TEMPORARY TABLE happening ON COMMIT DROP AS
            SELECT is_exempt, {END_OF_DAY} AS at, {keys}, {_times(sign, INTERVALS)}
            FROM ({_events(intervals.current, INTERVALS, keys, where)}) events
            """,
            values,
        )
        # All grains but one are sums of this.
        cursor.execute(
            f"""
            CREATE TEMPORARY TABLE day ON COMMIT DROP AS
            SELECT is_exempt, at, department_id, campaign_id, content_type, {_times(1, INTERVALS, "sum")}
            FROM happening GROUP BY is_exempt, at, department_id, campaign_id, content_type
            """
        )
        for tally_grain in TALLY_GRAINS:
            source = "happening" if "manager_id" in tally_grain.keys else "day"
            cursor.execute(_steps(tally_grain, source, tuple(INTERVALS), tally_grain.keys), values)
        cursor.execute("DROP TABLE happening, day")
        cursor.execute(
            f"""
            INSERT INTO cohort_step (is_exempt, at, department_id, due_month, {", ".join(COHORT_INTERVALS)})
            SELECT is_exempt, {END_OF_DAY} AS kept, department_id, due_month, {_times(sign, COHORT_INTERVALS, "sum")}
            FROM ({_events(intervals.cohorts, COHORT_INTERVALS, "department_id, due_month", where)}) events
            GROUP BY is_exempt, kept, department_id, due_month
            """,
            values,
        )
        cursor.execute(
            f"""
            CREATE TEMPORARY TABLE people_day ON COMMIT DROP AS
            SELECT is_exempt, {END_OF_DAY} AS at, department_id, manager_id, {_times(sign, standings.PEOPLE, "sum")}
            FROM ({standings.events(people)}) events GROUP BY is_exempt, at, department_id, manager_id
            """,
            values,
        )
        cursor.execute(
            f"""
            CREATE TEMPORARY TABLE people_of_campaigns ON COMMIT DROP AS
            SELECT is_exempt, {END_OF_DAY} AS at, department_id, campaign_id, {_times(sign, standings.PEOPLE, "sum")}
            FROM ({standings.campaign_events(people)}) events GROUP BY is_exempt, at, department_id, campaign_id
            """,
            values,
        )
        for tally_grain in TALLY_GRAINS:
            if tally_grain.people:
                source = "people_of_campaigns" if "campaign_id" in tally_grain.people else "people_day"
                cursor.execute(_steps(tally_grain, source, standings.PEOPLE, tally_grain.people), values)
        cursor.execute("DROP TABLE people_day, people_of_campaigns")


def _steps(tally_grain: TallyGrain, source: str, counts: Iterable[str], columns: Iterable[str]) -> str:
    """Return the SQL that gathers one tally_grain's steps from what happened day by day."""
    keys = ", ".join(columns)
    return f"""
        INSERT INTO tally_step (is_exempt, at, grain, {keys}, {", ".join(counts)})
        SELECT is_exempt, {tally_grain.bucket} AS kept, {int(tally_grain.grain)}, {keys}, {_times(1, counts, "sum")}
        FROM {source} GROUP BY is_exempt, kept, {keys}
    """


def _times(sign: int, counts: Iterable[str], aggregate: str = "") -> str:
    return ", ".join(f"({aggregate}({count}) * {sign})::int AS {count}" for count in counts)


def _events(source: Any, spans: Any, keys: str, where: str) -> str:
    """Return the SQL for what happens, and for what exemptions take away: the facts under one, less what is left."""
    counts = ", ".join(spans)
    exempt = "f.enrollment_id IN (SELECT enrollment_id FROM dashboard_exemptspan WHERE account_id = %(account)s)"
    negative = ", ".join(f"-{count}" for count in spans)
    return f"""
        SELECT false AS is_exempt, {keys}, m, {counts}
        FROM ({intervals.events(source(where=where), spans, keys)}) gross
        UNION ALL SELECT true, {keys}, m, {counts}
        FROM ({intervals.events(source(where=f"({where}) AND {exempt}"), spans, keys)}) excused
        UNION ALL SELECT true, {keys}, m, {negative}
        FROM ({intervals.events(source(where=where, net_of_exemptions=True), spans, keys)}) left_over
    """
