"""The account, its people and their groups, staged."""

from sync.knowbe4 import payloads
from sync.pipeline.tables.table import Row, StageTable, indexed


def _account(item: payloads.Account, key: str) -> Row:
    return (
        item.name or "",
        item.subscription_level or "",
        item.subscription_end_date,
        item.number_of_seats,
        item.domains,
        item.current_risk_score,
    )


ACCOUNT = StageTable(
    "account",
    (
        ("knowbe4_name", "text"),
        ("subscription_level", "text"),
        ("subscription_end_at", "timestamptz"),
        ("number_of_seats", "bigint"),
        ("domains", "jsonb"),
        ("current_risk_score", "float8"),
    ),
    _account,
)


def _person(item: payloads.User, key: str) -> Row:
    return (
        item.id,
        indexed(item.email),
        item.first_name or "",
        item.last_name or "",
        item.employee_number or "",
        item.job_title or "",
        item.location or "",
        item.division or "",
        item.organization or "",
        item.language or "",
        item.status,
        item.joined_on,
        item.employee_start_date,
        item.archived_at,
        item.last_sign_in,
        item.current_risk_score,
        item.phish_prone_percentage,
        indexed(item.department),
        item.manager_name or "",
        item.manager_email or "",
        item.groups,
    )


PERSON = StageTable(
    "person",
    (
        ("knowbe4_id", "bigint"),
        ("email", "text"),
        ("first_name", "text"),
        ("last_name", "text"),
        ("employee_number", "text"),
        ("job_title", "text"),
        ("location", "text"),
        ("division", "text"),
        ("organization", "text"),
        ("language", "text"),
        ("status", "text"),
        ("joined_at", "timestamptz"),
        ("employee_start_at", "timestamptz"),
        ("archived_at", "timestamptz"),
        ("last_sign_in_at", "timestamptz"),
        ("current_risk_score", "float8"),
        ("phish_prone_percentage", "float8"),
        ("department_name", "text"),
        ("manager_name", "text"),
        ("manager_email", "text"),
        ("group_ids", "jsonb"),
    ),
    _person,
)


def _group(item: payloads.Group, key: str) -> Row:
    return (item.id, item.name or "", item.group_type or "", item.status or "", item.member_count)


GROUP = StageTable(
    "group",
    (
        ("knowbe4_id", "bigint"),
        ("name", "text"),
        ("group_type", "text"),
        ("status", "text"),
        ("member_count", "bigint"),
    ),
    _group,
)
