"""Rows that a sync or a setting affected, in temporary tables: `affected` (enrollments) and `affected_person`."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import connection

from dashboard import metrics
from dashboard.rollups import facts
from sync.models import Account, Change, Person

# What a change bears on; the facts that stand are affected, too, for their enrollment may not be eligible any more.
_AFFECTED_PEOPLE = (
    """
    INSERT INTO affected
    SELECT id FROM sync_enrollment WHERE account_id = %(account)s AND person_id = ANY(%(keys)s)
    UNION SELECT enrollment_id FROM dashboard_fact WHERE account_id = %(account)s AND person_id = ANY(%(keys)s)
    ON CONFLICT DO NOTHING
    """,
    "INSERT INTO affected_person SELECT unnest(%(keys)s::bigint[]) ON CONFLICT DO NOTHING",
)
_AFFECTED_CAMPAIGNS = (
    """
    INSERT INTO affected
    SELECT id FROM sync_enrollment WHERE account_id = %(account)s AND campaign_id = ANY(%(keys)s)
    UNION SELECT enrollment_id FROM dashboard_fact WHERE account_id = %(account)s AND campaign_id = ANY(%(keys)s)
    ON CONFLICT DO NOTHING
    """,
)
_AFFECTED_ENROLLMENTS = ("INSERT INTO affected SELECT unnest(%(keys)s::bigint[]) ON CONFLICT DO NOTHING",)


@contextmanager
def gathering_affected() -> Iterator[None]:
    """Provide the temporary tables `affected` (enrollments) and `affected_person`, to be filled with what changed."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE affected (enrollment_id bigint PRIMARY KEY) ON COMMIT DROP")
        cursor.execute("CREATE TEMPORARY TABLE affected_person (person_id bigint PRIMARY KEY) ON COMMIT DROP")
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE affected, affected_person")


def add(account: Account, *, people: Iterable[int], campaigns: Iterable[int], enrollments: Iterable[int]) -> None:
    """Add what a change of these people, campaigns and enrollments bears on. Keys are ours."""
    with connection.cursor() as cursor:
        for statements, keys in (
            (_AFFECTED_PEOPLE, list(people)),
            (_AFFECTED_CAMPAIGNS, list(campaigns)),
            (_AFFECTED_ENROLLMENTS, list(enrollments)),
        ):
            for statement in statements:
                cursor.execute(statement, {"account": account.pk, "keys": keys})


def add_written(account: Account, *, run_id: int, at: datetime) -> None:
    """Add what a run wrote that was published at this moment."""
    values: dict[str, Any] = {"account": account.pk, "run": run_id, "now": at}
    with connection.cursor() as cursor:
        for statement in _WRITTEN_BY_RUN:
            cursor.execute(statement, values)
        _add_moved_people(cursor, account)
        cursor.execute(_OF_AFFECTED_PEOPLE, values)


def is_anything_affected() -> bool:
    """Add the people of affected enrollments, too, and return whether there is anything to correct."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO affected_person
            SELECT person_id FROM sync_enrollment WHERE id IN (SELECT enrollment_id FROM affected)
               AND person_id IS NOT NULL
            UNION SELECT person_id FROM dashboard_fact WHERE enrollment_id IN (SELECT enrollment_id FROM affected)
            ON CONFLICT DO NOTHING
            """
        )
        cursor.execute("SELECT EXISTS (SELECT FROM affected_person), EXISTS (SELECT FROM affected)")
        if not any(cursor.fetchone()):
            return False
        cursor.execute("ANALYZE affected")
        cursor.execute("ANALYZE affected_person")
    return True


_ENROLLMENTS = "INSERT INTO affected SELECT e.id FROM sync_enrollment e"
# A change of these fields moves no number.
_WRITTEN_BY_RUN = (
    f"{_ENROLLMENTS} WHERE account_id = %(account)s AND first_seen_at = %(now)s ON CONFLICT DO NOTHING",
    f"""
    INSERT INTO affected SELECT DISTINCT subject_id FROM sync_change
    WHERE run_id = %(run)s AND account_id = %(account)s AND subject = {Change.Subject.ENROLLMENT}
    ON CONFLICT DO NOTHING
    """,
    # A campaign that was cancelled, or no longer is.
    f"""
    {_ENROLLMENTS} JOIN sync_change c ON c.run_id = %(run)s AND c.subject = {Change.Subject.CAMPAIGN}
     AND c.field = 'reported_status' AND c.subject_id = e.campaign_id
    WHERE e.account_id = %(account)s ON CONFLICT DO NOTHING
    """,
    # Content that turned out to be of another type.
    f"""
    {_ENROLLMENTS} JOIN sync_change c ON c.run_id = %(run)s AND c.subject = {Change.Subject.CONTENT}
     AND c.field = 'content_type' AND c.subject_id = e.content_id
    WHERE e.account_id = %(account)s ON CONFLICT DO NOTHING
    """,
    # Whoever joined or left a group that is exempt.
    """
    INSERT INTO affected_person SELECT DISTINCT person_id FROM sync_groupmembership
    WHERE (first_seen_at = %(now)s OR removed_at = %(now)s)
      AND group_id IN (SELECT group_id FROM dashboard_exemption WHERE account_id = %(account)s)
    ON CONFLICT DO NOTHING
    """,
)
_OF_AFFECTED_PEOPLE = f"""
    {_ENROLLMENTS} WHERE account_id = %(account)s AND person_id IN (SELECT person_id FROM affected_person)
    UNION SELECT enrollment_id FROM dashboard_fact
          WHERE account_id = %(account)s AND person_id IN (SELECT person_id FROM affected_person)
    ON CONFLICT DO NOTHING
"""


def _add_moved_people(cursor: Any, account: Account) -> None:
    """Add everyone whose department, manager or time here is not what their standing says, and whoever is new."""
    sql, params = (
        Person.objects.filter(account=account)
        .order_by()
        .values_list("pk", facts.department_key(), facts.manager_key(), "joined_at", metrics.left_at())
        .query.sql_with_params()
    )
    cursor.execute(
        f"""
        INSERT INTO affected_person
        SELECT now.person_id FROM ({sql}) AS now (person_id, department_id, manager_id, joined_at, left_at)
        LEFT JOIN dashboard_personstanding was USING (person_id)
        WHERE (now.department_id, now.manager_id, now.joined_at, now.left_at)
              IS DISTINCT FROM (was.department_id, was.manager_id, was.joined_at, was.left_at)
        ON CONFLICT DO NOTHING
        """,
        params,
    )
