"""Match each row to its enrollment, and read what the file says of its due date.

By KnowBe4's enrollment id where the file has one; else by the person (email without case, or employee number), the
campaign's name and the content's name, and by the enrollment date where several fit. A row that fits several
enrollments, or none, changes nothing.
"""

from typing import Any

from django.db import connection

from sync.console.columns import Field
from sync.models import Account, Change, SyncRun
from sync.models.training import STANDINGS
from sync.pipeline import due_dates
from sync.pipeline.console.reading import Reading
from sync.pipeline.merge import Column, Merge, Publication, merge

_NAME = r"lower(btrim(regexp_replace({}, '\s+', ' ', 'g')))"

REASONS = {
    "id": "KnowBe4 reports no enrollment with this ID",
    "several": "Several enrollments fit, and the enrollment date does not tell them apart",
    "person": "Nobody here has this email or employee number",
    "campaign": "No campaign has this name",
    "content": "No content has this name",
    "enrollment": "This person has no such enrollment",
}

# At the exactness of the file: a console that leaves out the seconds says nothing about them. A date alone means the
# last second of its day, and is the derived date if that lies on the day or at the midnight that ends it.
_SAME_DATE = """
    (r.due_at = derived.due_at
     OR r.due_precision = 'day' AND (derived.due_at = r.due_at + interval '1 second'
            OR (derived.due_at AT TIME ZONE %(zone)s)::date = (r.due_at AT TIME ZONE %(zone)s)::date)
     OR r.due_precision IN ('minute', 'second') AND date_trunc(r.due_precision, derived.due_at) = r.due_at) IS TRUE
"""

_LADDER_COLUMNS = (
    Column("due_at", due_dates.DUE_AT),
    Column("due_source", due_dates.DUE_SOURCE),
    Column("due_after", due_dates.DUE_AFTER),
    Column("original_due_at", due_dates.ORIGINAL_DUE_AT, tracked=False),
)
CAMPAIGN_JOIN = f"LEFT JOIN {due_dates.CAMPAIGNS} c ON c.id = s.campaign_id"


def standing_of(status: str) -> str:
    """Return the SQL of a status word's standing, as staging tells it."""
    cases = " ".join(f"WHEN '{word}' THEN '{standing}'" for word, standing in STANDINGS.items())
    return f"CASE lower(btrim({status})) {cases} ELSE 'other' END"


# The ladder reads staged rows; here the mirror's own stand in for them.
MIRRORED = f"(SELECT e.*, {standing_of('e.reported_status')} AS standing FROM sync_enrollment e)"


def match_rows(account: Account) -> None:
    """Make `console_match`: each row's enrollment (our id; null when unknown) and how many fit."""
    values: dict[str, Any] = {"account": account.pk, "zone": account.time_zone}
    statements = [
        """
        CREATE TEMPORARY TABLE console_person AS
        SELECT r.line, p.id AS person_id FROM pg_temp.console_row r
        JOIN sync_person p ON p.account_id = %(account)s AND upper(p.email) = upper(r.email)
        WHERE r.email <> ''
        """,
        """
        INSERT INTO pg_temp.console_person
        SELECT r.line, p.id FROM pg_temp.console_row r
        JOIN sync_person p ON p.account_id = %(account)s AND p.employee_number = r.employee_number
        WHERE r.employee_number <> '' AND NOT EXISTS (SELECT FROM pg_temp.console_person n WHERE n.line = r.line)
        """,
        "ANALYZE pg_temp.console_person",
        f"""
        CREATE TEMPORARY TABLE console_candidate AS
        SELECT r.line, e.id, true AS is_same_date FROM pg_temp.console_row r
        JOIN sync_enrollment e ON e.account_id = %(account)s AND e.knowbe4_id = r.enrollment_id
         AND e.removed_at IS NULL
        UNION ALL
        SELECT r.line, e.id, CASE WHEN r.enrolled_at IS NOT NULL
                                  THEN date_trunc(r.enrolled_precision, e.enrolled_at, %(zone)s) = r.enrolled_at
                                  ELSE false END
        FROM pg_temp.console_row r
        JOIN pg_temp.console_person p ON p.line = r.line
        JOIN sync_enrollment e ON e.person_id = p.person_id AND e.account_id = %(account)s AND e.removed_at IS NULL
        LEFT JOIN (SELECT id, {_NAME.format("name")} AS key FROM sync_campaign WHERE account_id = %(account)s) campaign
               ON campaign.id = e.campaign_id
        LEFT JOIN (SELECT id, {_NAME.format("name")} AS key FROM sync_contentitem WHERE account_id = %(account)s)
               content ON content.id = e.content_id
        WHERE r.enrollment_id IS NULL AND (r.campaign = '' OR lower(r.campaign) = campaign.key)
          AND (r.content = '' OR lower(r.content) = content.key)
        """,
        """
        CREATE TEMPORARY TABLE console_match AS
        SELECT r.line, count(c.id) AS fits,
               CASE WHEN count(c.id) = 1 THEN min(c.id)
                    WHEN count(c.id) FILTER (WHERE c.is_same_date) = 1 THEN min(c.id) FILTER (WHERE c.is_same_date)
               END AS enrollment_id
        FROM pg_temp.console_row r LEFT JOIN pg_temp.console_candidate c ON c.line = r.line
        GROUP BY r.line
        """,
        "ANALYZE pg_temp.console_match",
    ]
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement, values)


def names_of(table: str, account: Account) -> list[str]:
    """Return the names that a table of the account holds, as rows are compared with them."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT DISTINCT {_NAME.format('name')} FROM {table} WHERE account_id = %s", [account.pk])
        return [row[0] for row in cursor.fetchall()]


def decide_extensions(account: Account, reading: Reading) -> None:
    """Make `console_decision`: the extension each matched enrollment has by this file; null for none.

    An extended due date is an extension. A plain due date is one where it differs from the date the campaign gives.
    A blank takes an earlier extension back, if the file has the column for it and the work is still open: what the
    console shows of finished work need not be whole. Where the file is all there is, it always does.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            CREATE TEMPORARY TABLE console_decision AS
            SELECT DISTINCT ON (s.id) s.id AS enrollment_id, r.line,
                   CASE WHEN r.extended_at IS NOT NULL THEN r.extended_at
                        WHEN r.due_at IS NOT NULL THEN CASE WHEN NOT {_SAME_DATE} THEN r.due_at END
                        WHEN %(has_extensions)s AND NOT ({due_dates.DONE}) THEN NULL
                        WHEN %(is_whole)s THEN NULL
                        ELSE s.extended_due_at
                   END AS extended_due_at
            FROM pg_temp.console_match x
            JOIN pg_temp.console_row r ON r.line = x.line
            JOIN {MIRRORED} s ON s.id = x.enrollment_id
            {CAMPAIGN_JOIN}
            {due_dates.DERIVED_JOIN}
            ORDER BY s.id, r.line DESC
            """,
            {
                "account": account.pk,
                "zone": account.time_zone,
                "has_extensions": Field.EXTENDED_DUE_AT in reading.columns,
                "is_whole": reading.is_whole,
            },
        )
        cursor.execute("ANALYZE pg_temp.console_decision")


def apply_extensions(publication: Publication, account: Account, run: SyncRun) -> int:
    """Bring the decided enrollments' extensions and due dates to the file's; return how many enrollments changed.

    The due date follows by the same ladder as in a sync. Every change is history. Runs inside a transaction.
    """
    _merge_decision(publication, (Column("extended_due_at", "d.extended_due_at"),))
    return climb(publication, account, run)


def restore(publication: Publication, account: Account, run: SyncRun, *, imported_run_id: int) -> int:
    """Undo what an import's run did to extensions, where nothing later changed them; return how many changed.

    Rows are first brought to what they were before, then the ladder tells what holds today.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            CREATE TEMPORARY TABLE console_decision AS
            SELECT e.id AS enrollment_id, extension.old::timestamptz AS extended_due_at,
                   CASE WHEN due.id IS NULL THEN e.due_at ELSE due.old::timestamptz END AS due_at,
                   CASE WHEN source.id IS NULL THEN e.due_source ELSE source.old END AS due_source,
                   CASE WHEN after.id IS NULL THEN e.due_after ELSE after.old::timestamptz END AS due_after
            FROM sync_change extension
            JOIN sync_enrollment e ON e.id = extension.subject_id
            LEFT JOIN sync_change due ON due.run_id = extension.run_id AND due.subject = extension.subject
                  AND due.subject_id = extension.subject_id AND due.field = 'due_at'
            LEFT JOIN sync_change source ON source.run_id = extension.run_id AND source.subject = extension.subject
                  AND source.subject_id = extension.subject_id AND source.field = 'due_source'
            LEFT JOIN sync_change after ON after.run_id = extension.run_id AND after.subject = extension.subject
                  AND after.subject_id = extension.subject_id AND after.field = 'due_after'
            WHERE extension.account_id = %(account)s AND extension.run_id = %(run)s AND extension.subject = %(subject)s
              AND extension.field = 'extended_due_at'
              AND e.extended_due_at IS NOT DISTINCT FROM extension.new::timestamptz
            """,
            {"account": account.pk, "run": imported_run_id, "subject": Change.Subject.ENROLLMENT},
        )
    names = ("extended_due_at", "due_at", "due_source", "due_after")
    _merge_decision(publication, tuple(Column(name, f"d.{name}") for name in names))
    return climb(publication, account, run)


def climb(publication: Publication, account: Account, run: SyncRun) -> int:
    """Let the ladder of due dates speak for the decided enrollments; return how many the run changed in all."""
    _merge_decision(
        publication,
        _LADDER_COLUMNS,
        joins=f"{CAMPAIGN_JOIN} {due_dates.JOINS}",
        read_at=account.data_as_of or publication.published_at,
        before=account.published_at,
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(DISTINCT subject_id) FROM sync_change"
            " WHERE run_id = %s AND subject = %s AND field IN ('extended_due_at', 'due_at', 'due_source')",
            [run.pk, Change.Subject.ENROLLMENT],
        )
        return cursor.fetchone()[0]


def _merge_decision(publication: Publication, columns: tuple[Column, ...], joins: str = "", **values: Any) -> None:
    merge(
        Merge(
            model_table="sync_enrollment",
            source=f"pg_temp.console_decision d JOIN {MIRRORED} s ON s.id = d.enrollment_id",
            key=(("knowbe4_id", "s.knowbe4_id"),),
            columns=columns,
            joins=joins,
            subject=Change.Subject.ENROLLMENT,
            has_removed_at=False,
        ),
        publication,
        **values,
    )
