"""Departments that KnowBe4 seems to have renamed: found in what one sync changed, and listed until decided."""

from datetime import datetime

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from dashboard.access import Scope
from dashboard.models import DepartmentRename
from sync.models import Account, Person
from sync.models.people import DEPARTMENT_KEY

# So many of a department's active people, in percent, move to one new name when it is renamed (definitions).
SHARE = 80

# Raw SQL: a change holds the department's text, and the key of a text is the database's. Active people are those active
# both before and after the sync: who joins or leaves in it tells nothing about a name.
_FOUND = f"""
    WITH came AS MATERIALIZED (
        SELECT subject_id AS id, old FROM sync_change
        WHERE run_id = %(run)s AND account_id = %(account)s AND subject = 1 AND field = 'status'
    ), changed AS MATERIALIZED (
        SELECT p.id, old.id AS old_id, p.department_id AS new_id,
               coalesce(came.old, p.status) = 'active' AS was_active, p.status = 'active' AS is_active
        FROM sync_change c
        JOIN sync_person p ON p.id = c.subject_id AND p.removed_at IS NULL
        JOIN sync_department old ON old.account_id = %(account)s AND old.key = {DEPARTMENT_KEY.format("c.old")}
        LEFT JOIN came ON came.id = p.id
        WHERE c.run_id = %(run)s AND c.account_id = %(account)s AND c.subject = 1 AND c.field = 'department_name'
          AND p.department_id <> old.id
    ), moved AS (
        SELECT changed.* FROM changed JOIN sync_department old ON old.id = old_id AND old.key <> ''
        WHERE was_active AND is_active
    ), stayed AS MATERIALIZED (
        SELECT p.department_id AS id, count(*) FILTER (WHERE p.status = 'active') AS people, count(*) AS had
        FROM sync_person p LEFT JOIN came ON came.id = p.id
        WHERE p.account_id = %(account)s AND p.first_seen_at < %(at)s AND p.removed_at IS NULL
          AND coalesce(came.old, p.status) = 'active'
          AND p.department_id IN (SELECT old_id FROM moved UNION SELECT new_id FROM moved)
          AND NOT EXISTS (SELECT FROM changed WHERE changed.id = p.id)
        GROUP BY p.department_id
    ), pairs AS (
        SELECT old_id, new_id, count(*) AS people, sum(count(*)) OVER (PARTITION BY old_id) AS gone
        FROM moved GROUP BY old_id, new_id
    )
    SELECT old_id, new_id, pairs.people, pairs.gone + coalesce(here.people, 0) AS active
    FROM pairs JOIN sync_department new ON new.id = new_id AND new.key <> ''
    LEFT JOIN stayed here ON here.id = old_id
    LEFT JOIN stayed there ON there.id = new_id
    WHERE coalesce(there.had, 0) = 0
      AND NOT EXISTS (SELECT FROM changed WHERE changed.old_id = pairs.new_id AND was_active)
      AND pairs.people * 100 >= (pairs.gone + coalesce(here.people, 0)) * %(share)s
    ORDER BY old_id, new_id
"""


def renamed_in(account: Account, *, run_id: int, at: datetime) -> list[DepartmentRename]:
    """Return, unsaved, the departments of which most people moved to one name that had nobody, in one publication.

    `at` is when it was published. Blank names are no departments: filling them in renames nothing.
    """
    with connection.cursor() as cursor:
        cursor.execute(_FOUND, {"account": account.pk, "run": run_id, "at": at, "share": SHARE})
        return [
            DepartmentRename(account=account, department_id=old, into_id=new, people=people, active=active, seen_at=at)
            for old, new, people, active in cursor.fetchall()
        ]


def open_renames(account: Account) -> QuerySet[DepartmentRename]:
    """Return what nobody decided yet and still is a question, the latest first.

    None where both names count as one already, unless as a part of the old one: it was renamed back. None once the new
    name has nobody either.
    """
    somebody = Person.objects.filter(department=OuterRef("into"), status="active", removed_at=None)
    apart = ~Q(new_home=F("old_home")) | Q(into__merged_into=F("department"))
    return (
        DepartmentRename.objects.filter(account=account, decided_at=None)
        .annotate(
            old_home=Coalesce("department__merged_into", "department"), new_home=Coalesce("into__merged_into", "into")
        )
        .filter(apart, Exists(somebody))
        .select_related("department", "into", "account")
        .order_by("-seen_at", "-pk")
    )


def renames(scope: Scope) -> list[DepartmentRename]:
    """Return the renames that whoever decides in the account has to decide; none for anybody else."""
    return list(open_renames(scope.account)) if scope.account is not None and scope.may_decide else []
