"""People, their departments, managers and groups."""

from dataclasses import replace

from django.db import connection

from sync.models import Change, Person
from sync.models.empty_tables import set_aside
from sync.models.people import DEPARTMENT_KEY, DEPARTMENT_SPELLING
from sync.pipeline import tables
from sync.pipeline.merge import Column, Counts, Merge, Publication, is_filled, mark_vanished, merge
from sync.pipeline.staging import Staging

STAGED_DEPARTMENT = DEPARTMENT_KEY.format("s.department_name")
MANAGED_BY = "b.email = upper(btrim(s.manager_email))"


def publish(staging: Staging, publication: Publication, *, unread: set[str]) -> dict[str, Counts]:
    """Merge departments, people, groups and memberships; return what was written, by table.

    `unread` names the lists of which some rows did not decode: nothing vanishes on their word.
    """
    counts = {}
    staged_people = staging.table(tables.PERSON)
    _add_departments(staged_people, publication)
    people = _person_merge(staged_people)
    is_known = is_filled(people.model_table, publication)
    written = merge(people if is_known else _linked_person_merge(staged_people), publication)
    all_read = not any(key.startswith("users:") for key in unread)
    vanished = mark_vanished(people, publication) if all_read else 0
    counts["person"] = Counts(written.inserted, written.changed, vanished, written.restored)
    _name_departments(publication)
    if is_known:
        _link_managers(publication)

    groups = _group_merge(staging.table(tables.GROUP))
    written = merge(groups, publication)
    vanished = 0 if any(key.startswith("groups:") for key in unread) else mark_vanished(groups, publication)
    counts["group"] = Counts(written.inserted, written.changed, vanished, written.restored)
    counts["membership"] = _merge_memberships(staged_people, publication, all_read=all_read)
    _note_vacancies(publication)
    return counts


def _person_merge(staged: str) -> Merge:
    plain = (
        "email first_name last_name employee_number job_title location division organization language status "
        "joined_at archived_at department_name manager_name manager_email phish_prone_percentage"
    ).split()
    return Merge(
        model_table="sync_person",
        source=f"{staged} s",
        key=(("knowbe4_id", "s.knowbe4_id"),),
        joins=f"LEFT JOIN sync_department d ON d.account_id = %(account)s AND d.key = {STAGED_DEPARTMENT}",
        columns=(
            *(Column(name, _unless_erased(name) if name in Person.PERSONAL else f"s.{name}") for name in plain),
            Column("employee_start_date", "s.employee_start_at::date"),
            # These move every day for nearly everybody and tell nothing about training.
            Column("last_sign_in_at", "s.last_sign_in_at", tracked=False),
            Column("current_risk_score", "s.current_risk_score", tracked=False),
            # Follows the name, whose change is noted.
            Column("department_id", _unless_erased("department_id", "d.id"), tracked=False),
        ),
        subject=Change.Subject.PERSON,
        # People whom only an enrollment names were never in the list.
        covers="m.status <> 'unlisted'",
    )


def _unless_erased(name: str, value: str = "") -> str:
    """Return the SQL of a column that keeps what it has where the person was erased."""
    return f"CASE WHEN m.erased_at IS NULL THEN {value or f's.{name}'} ELSE m.{name} END"


def _linked_person_merge(staged: str) -> Merge:
    """Return the merge for an account without people: each is written once, with the link to a manager whose number
    is drawn in the same statement.
    """
    merge_of_people = _person_merge("numbered")
    return replace(
        merge_of_people,
        queries=(
            "numbered AS MATERIALIZED (SELECT nextval(pg_get_serial_sequence('sync_person', 'id')) AS new_id, staged.*"
            f" FROM {staged} staged)",
            f"by_email AS ({_by_email('numbered', 'new_id')})",
        ),
        joins=f"{merge_of_people.joins} LEFT JOIN by_email b ON {MANAGED_BY} AND b.id <> s.new_id",
        columns=(*merge_of_people.columns, Column("id", "s.new_id"), Column("manager_id", "b.id")),
    )


def _group_merge(staged: str) -> Merge:
    return Merge(
        model_table="sync_group",
        source=f"{staged} s",
        key=(("knowbe4_id", "s.knowbe4_id"),),
        columns=(
            *(Column(name, f"s.{name}") for name in ("name", "group_type", "status")),
            Column("member_count", "s.member_count", tracked=False),
        ),
        subject=Change.Subject.GROUP,
        # "All Users" is never listed.
        covers="m.knowbe4_id <> 0",
    )


def _add_departments(staged: str, publication: Publication) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO sync_department (account_id, key, name)
            SELECT DISTINCT %(account)s::bigint, {STAGED_DEPARTMENT}, '' FROM {staged} s
            ON CONFLICT (account_id, key) DO NOTHING
            """,
            publication.parameters,
        )


def _name_departments(publication: Publication) -> None:
    """Show each department in its most frequent spelling among active people, the first by alphabet if even."""
    spelling = DEPARTMENT_SPELLING.format("p.department_name")
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE sync_department d SET name = best.name
            FROM (
                SELECT DISTINCT ON (department_id) department_id, {spelling} AS name
                FROM sync_person p
                WHERE account_id = %(account)s AND department_id IS NOT NULL AND removed_at IS NULL
                GROUP BY department_id, {spelling}
                ORDER BY department_id, count(*) FILTER (WHERE status = 'active') DESC, count(*) DESC, 2
            ) best
            WHERE d.id = best.department_id AND d.name IS DISTINCT FROM best.name
            """,
            publication.parameters,
        )


def _note_vacancies(publication: Publication) -> None:
    """Note since when departments and groups have nobody active, and forget it where somebody came.

    What was empty before anything was noted (after an upgrade) is so since the last who is known to have left.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE sync_department d SET vacated_at = NULL
            WHERE d.account_id = %(account)s AND d.vacated_at IS NOT NULL AND EXISTS (
                SELECT FROM sync_person p WHERE p.account_id = %(account)s AND p.department_id = d.id AND {ACTIVE})
            """,
            publication.parameters,
        )
        cursor.execute(
            f"""
            SELECT d.id FROM sync_department d WHERE d.account_id = %(account)s AND d.vacated_at IS NULL
            EXCEPT SELECT p.department_id FROM sync_person p WHERE p.account_id = %(account)s AND {ACTIVE}
            """,
            publication.parameters,
        )
        if empty := [row[0] for row in cursor.fetchall()]:
            cursor.execute(_EMPTIED, publication.parameters | {"empty": empty})
        cursor.execute(_GROUPS_EMPTIED, publication.parameters)


ACTIVE = "p.status = 'active' AND p.removed_at IS NULL"
_LEFT_AT = "least(p.removed_at, CASE WHEN p.status <> 'active' THEN p.archived_at END)"
_EMPTIED = f"""
    UPDATE sync_department d
    SET vacated_at = coalesce(greatest(
        (SELECT max({_LEFT_AT}) FROM sync_person p WHERE p.account_id = %(account)s AND p.department_id = d.id),
        (SELECT max(c.observed_at) FROM sync_change c WHERE c.account_id = %(account)s AND c.subject = 1
         AND c.field = 'department_name' AND {DEPARTMENT_KEY.format("c.old")} = d.key)
    ), %(now)s)
    WHERE d.id = ANY(%(empty)s)
"""
_GROUPS_EMPTIED = f"""
    UPDATE sync_group g SET vacated_at = CASE WHEN every.has_members THEN NULL ELSE coalesce(
        (SELECT max(least(m.removed_at, {_LEFT_AT}))
         FROM sync_groupmembership m JOIN sync_person p ON p.id = m.person_id WHERE m.group_id = g.id), %(now)s) END
    FROM (
        SELECT id, EXISTS (
            SELECT FROM sync_groupmembership m JOIN sync_person p ON p.id = m.person_id
            WHERE m.group_id = sync_group.id AND m.removed_at IS NULL AND {ACTIVE}) AS has_members
        FROM sync_group WHERE account_id = %(account)s AND knowbe4_id <> 0
    ) every
    WHERE g.id = every.id AND (g.vacated_at IS NULL) <> every.has_members
"""


def _link_managers(publication: Publication) -> None:
    """Link each person to the one whose email equals their manager's, without case; active people first."""
    listed = "(SELECT * FROM sync_person WHERE account_id = %(account)s AND removed_at IS NULL) listed"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH by_email AS ({_by_email(listed, "id")}), linked AS (
                SELECT s.id, b.id AS manager_id
                FROM sync_person s LEFT JOIN by_email b ON {MANAGED_BY} AND b.id <> s.id
                WHERE s.account_id = %(account)s
            )
            UPDATE sync_person p SET manager_id = linked.manager_id
            FROM linked
            WHERE p.id = linked.id AND p.erased_at IS NULL AND p.manager_id IS DISTINCT FROM linked.manager_id
            """,
            publication.parameters,
        )


def _by_email(people: str, identity: str) -> str:
    """Return the SQL for one person of each email among `people`: who a manager's email means."""
    return f"""
        SELECT DISTINCT ON (upper(email)) upper(email) AS email, {identity} AS id
        FROM {people} WHERE email <> ''
        ORDER BY upper(email), (status = 'active') DESC, {identity}
    """


def _merge_memberships(staged: str, publication: Publication, *, all_read: bool) -> Counts:
    """Bring group memberships to the staged people's; who left a group keeps the row with `removed_at`."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS membership")
        cursor.execute(
            f"""
            CREATE TEMPORARY TABLE membership ON COMMIT DROP AS
            SELECT DISTINCT g.id AS group_id, p.id AS person_id
            FROM {staged} s
            CROSS JOIN LATERAL jsonb_array_elements(s.group_ids) AS member
            JOIN sync_group g ON g.account_id = %(account)s AND g.knowbe4_id = member::bigint
            JOIN sync_person p ON p.account_id = %(account)s AND p.knowbe4_id = s.knowbe4_id
            """,
            publication.parameters,
        )
        table = "sync_groupmembership"
        with set_aside(table, publication.reserved):
            cursor.execute(
                f"""
                INSERT INTO {table} (account_id, group_id, person_id, first_seen_at)
                SELECT %(account)s, n.group_id, n.person_id, %(now)s FROM membership n
                WHERE NOT EXISTS (
                    SELECT FROM {table} m WHERE m.group_id = n.group_id AND m.person_id = n.person_id)
                """,
                publication.parameters,
            )
            inserted = cursor.rowcount
        cursor.execute(
            """
            UPDATE sync_groupmembership m SET removed_at = NULL FROM membership n
            WHERE m.removed_at IS NOT NULL AND m.group_id = n.group_id AND m.person_id = n.person_id
            """
        )
        restored = cursor.rowcount
        if not all_read:
            return Counts(inserted=inserted, restored=restored)
        cursor.execute(
            """
            UPDATE sync_groupmembership m SET removed_at = %(now)s
            WHERE m.account_id = %(account)s AND m.removed_at IS NULL AND NOT EXISTS (
                SELECT FROM membership n WHERE n.group_id = m.group_id AND n.person_id = m.person_id)
            """,
            publication.parameters,
        )
        return Counts(inserted=inserted, restored=restored, vanished=cursor.rowcount)
