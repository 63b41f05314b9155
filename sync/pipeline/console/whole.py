"""A file that is all an account has: staged as people, campaigns, content and enrollments, like a sync.

KnowBe4's ids are not in the file, so rows get ids of their own: negative, and derived from what names them, so that
the next file finds them again. Whoever changes their email becomes another person.
"""

from dataclasses import dataclass

from django.db import connection

from sync.models import Account, SyncRun
from sync.pipeline import tables
from sync.pipeline.console.matching import standing_of
from sync.pipeline.lists import ACCOUNT, ALWAYS, CAMPAIGNS, ENROLLMENTS, ReadList
from sync.pipeline.staging import Staging
from sync.pipeline.tables import StageTable

_LISTS = {wanted.key: wanted for wanted in (*ALWAYS, ENROLLMENTS)}
PEOPLE, CONTENT = _LISTS["users:active"], _LISTS["store_purchases"]
STAGED = (ACCOUNT, PEOPLE, CONTENT, CAMPAIGNS, ENROLLMENTS)

PERSON_KEY = "CASE WHEN r.email <> '' THEN lower(r.email) ELSE '#' || r.employee_number END"
CONTENT_KEY = "CASE WHEN r.is_policy THEN 'policy' ELSE 'store_purchase' END || chr(31) || lower(r.content)"


@dataclass(frozen=True)
class Size:
    """Numbers of rows in a file, or in a mirror."""

    people: int
    campaigns: int
    content: int
    enrollments: int


def _id(kind: str, key: str) -> str:
    """Return the SQL of a stable id below zero for what `key` names in this account."""
    digest = f"sha256(convert_to(concat_ws(chr(31), %(account)s::text, '{kind}', {key}), 'UTF8'))"
    return f"(-(('x' || left(encode({digest}, 'hex'), 16))::bit(64)::bigint & 9223372036854775807) - 1)"


def give_ids(account: Account) -> None:
    """Make `console_fact`, one row per enrollment of the file, and tell `console_row` whose line it is.

    The same person, campaign and content more than once is as many enrollments as there are enrollment dates; a line
    that repeats one of them replaces it.
    """
    values = {"account": account.pk}
    statements = [
        f"""
        CREATE TEMPORARY TABLE console_fact AS
        SELECT named.*, {_id("enrollment", "person_key, campaign_key, content_key, occurrence::text")}
                   AS enrollment_knowbe4_id
        FROM (
            SELECT last.*, row_number() OVER (
                       PARTITION BY person_key, campaign_key, content_key ORDER BY enrolled_at) AS occurrence,
                   {_id("person", "person_key")} AS person_knowbe4_id,
                   {_id("campaign", "campaign_key")} AS campaign_knowbe4_id,
                   {_id("content", "content_key")} AS content_knowbe4_id
            FROM (
                SELECT DISTINCT ON (person_key, campaign_key, content_key, enrolled_at) *
                FROM (SELECT r.*, {PERSON_KEY} AS person_key, lower(r.campaign) AS campaign_key,
                             {CONTENT_KEY} AS content_key
                      FROM pg_temp.console_row r) keyed
                ORDER BY person_key, campaign_key, content_key, enrolled_at, line DESC
            ) last
        ) named
        """,
        "ANALYZE pg_temp.console_fact",
        """
        UPDATE pg_temp.console_row r SET enrollment_id = f.enrollment_knowbe4_id
        FROM pg_temp.console_fact f WHERE f.line = r.line
        """,
    ]
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement, values)


def sizes(account: Account) -> tuple[Size, Size, int]:
    """Return what the file holds, what is published, and how many of the file's enrollments are new."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(DISTINCT person_key), count(DISTINCT campaign_key), count(DISTINCT content_key), count(*),"
            " count(*) FILTER (WHERE NOT EXISTS (SELECT FROM sync_enrollment e WHERE e.account_id = %s"
            " AND e.knowbe4_id = f.enrollment_knowbe4_id AND e.removed_at IS NULL)) FROM pg_temp.console_fact f",
            [account.pk],
        )
        *held, new = cursor.fetchone()
        cursor.execute(
            "SELECT (SELECT count(*) FROM sync_person WHERE account_id = %(account)s AND removed_at IS NULL),"
            " (SELECT count(*) FROM sync_campaign WHERE account_id = %(account)s AND removed_at IS NULL),"
            " (SELECT count(*) FROM sync_contentitem WHERE account_id = %(account)s AND removed_at IS NULL),"
            " (SELECT count(*) FROM sync_enrollment WHERE account_id = %(account)s AND removed_at IS NULL)",
            {"account": account.pk},
        )
        return Size(*held), Size(*cursor.fetchone()), new


def stage(account: Account, run: SyncRun, rejected: list[tuple[str, str]]) -> tuple[Staging, list[ReadList]]:
    """Fill the account's staging area from `console_fact` and return it with its lists, ready to be checked."""
    staging = Staging(account.pk)
    staging.create(run.pk)
    for wanted in STAGED:
        count = _fill(staging, wanted.table, account)
        refused = rejected if wanted is ENROLLMENTS else []
        staging.add_page(
            wanted.key, wanted.table, [], number=1, next_position=None, count=count, rejected=refused, requests=0
        )
    return staging, list(STAGED)


def _fill(staging: Staging, table: StageTable, account: Account) -> int:
    values, source = _SELECTS[table]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {staging.table(table)} ({', '.join(values)}) SELECT {', '.join(values.values())} {source}",
            {"account": account.pk},
        )
        return cursor.rowcount


_SOURCE = "CASE WHEN f.is_policy THEN 'policy' ELSE 'store_purchase' END"
_BLANK = "''"
_NO_LIST = "'[]'::jsonb"


def _last(key: str) -> str:
    """Return the source of one fact per key: of several lines the last."""
    return f"FROM (SELECT DISTINCT ON ({key}) * FROM pg_temp.console_fact ORDER BY {key}, line DESC) f"


# The file has a due date per line, not per campaign: the one that most lines share is taken for the campaign's end,
# or for a span from enrollment; every line that differs is a person's extension. A span that ends with a day is counted
# to its midnight.
_SPAN_END = "(f.due_at + CASE WHEN f.due_precision = 'day' THEN interval '1 second' ELSE interval '0' END)"
_CAMPAIGN_SOURCE = f"""
    FROM (
        SELECT f.campaign_knowbe4_id, max(f.campaign) AS name, min(f.enrolled_at) AS start_at, usual.end_at, usual.days,
               bool_or(lower(f.status) NOT IN ('passed', 'completed')) AS has_open,
               count(*) FILTER (WHERE f.due_at = usual.end_at) * 2 > count(f.due_at) AS has_end,
               count(*) FILTER (WHERE {_SPAN_END} = f.enrolled_at + make_interval(days => usual.days)) * 2
                   > count(f.due_at) AS has_span,
               jsonb_agg(DISTINCT jsonb_build_array({_SOURCE}, f.content_knowbe4_id, f.content, f.content_type))
                   AS content
        FROM pg_temp.console_fact f
        JOIN (
            SELECT campaign_knowbe4_id, mode() WITHIN GROUP (ORDER BY due_at) AS end_at,
                   mode() WITHIN GROUP (
                       ORDER BY extract(epoch FROM {_SPAN_END} - enrolled_at)::bigint / 86400)::int AS days
            FROM pg_temp.console_fact f GROUP BY campaign_knowbe4_id
        ) usual ON usual.campaign_knowbe4_id = f.campaign_knowbe4_id
        GROUP BY f.campaign_knowbe4_id, usual.end_at, usual.days
    ) g
"""

# By staging table: what fills which column, and from where. Columns that the file knows nothing of stay null.
_SELECTS: dict[StageTable, tuple[dict[str, str], str]] = {
    tables.ACCOUNT: (
        {
            "knowbe4_name": "knowbe4_name",
            "subscription_level": "subscription_level",
            "subscription_end_at": "subscription_end_date::timestamptz",
            "number_of_seats": "number_of_seats",
            "domains": "domains",
            "current_risk_score": "current_risk_score",
        },
        "FROM sync_account WHERE id = %(account)s",
    ),
    tables.PERSON: (
        {
            "knowbe4_id": "f.person_knowbe4_id",
            **{
                name: f"f.{name}"
                for name in (
                    "email first_name last_name employee_number job_title location division manager_name manager_email"
                ).split()
            },
            "department_name": "f.department",
            "organization": _BLANK,
            "language": _BLANK,
            "status": "CASE WHEN f.is_archived THEN 'archived' ELSE 'active' END",
            "group_ids": _NO_LIST,
        },
        _last("person_knowbe4_id"),
    ),
    tables.CONTENT: (
        {
            "source": _SOURCE,
            "knowbe4_id": "f.content_knowbe4_id",
            "name": "f.content",
            "reported_type": "f.content_type",
            "description": _BLANK,
            "publisher": _BLANK,
        },
        _last("content_knowbe4_id"),
    ),
    tables.CAMPAIGN: (
        {
            "knowbe4_id": "g.campaign_knowbe4_id",
            "name": "g.name",
            # A campaign is over when nothing in it is open.
            "reported_status": "CASE WHEN g.has_open THEN 'In Progress' ELSE 'Completed' END",
            "duration_type": "CASE WHEN g.has_end THEN 'Specific End Date' WHEN g.has_span THEN 'Relative End Date'"
            " ELSE 'No End Date' END",
            "start_at": "g.start_at",
            "end_at": "CASE WHEN g.has_end THEN g.end_at END",
            "relative_duration": "CASE WHEN g.has_span AND NOT g.has_end THEN g.days || ' days' ELSE '' END",
            "relative_months": "CASE WHEN g.has_span AND NOT g.has_end THEN 0 END",
            "relative_days": "CASE WHEN g.has_span AND NOT g.has_end THEN g.days END",
            "content": "g.content",
            "groups": _NO_LIST,
        },
        _CAMPAIGN_SOURCE,
    ),
    tables.ENROLLMENT: (
        {
            "knowbe4_id": "f.enrollment_knowbe4_id",
            "campaign_knowbe4_id": "f.campaign_knowbe4_id",
            "campaign_name": "f.campaign",
            "store_purchase_id": "CASE WHEN f.is_policy THEN NULL ELSE f.content_knowbe4_id END",
            "source": _SOURCE,
            "module_name": "f.content",
            "user_id": "f.person_knowbe4_id",
            "user_email": "f.email",
            "user_first_name": "f.first_name",
            "user_last_name": "f.last_name",
            "reported_status": "f.status",
            "standing": standing_of("f.status"),
            "enrolled_at": "f.enrolled_at",
            "started_at": "f.started_at",
            "completed_at": "f.completed_at",
            "time_spent": "f.time_spent",
            "policy_acknowledged": "f.policy_acknowledged",
            "score": "f.score",
        },
        "FROM pg_temp.console_fact f",
    ),
}
