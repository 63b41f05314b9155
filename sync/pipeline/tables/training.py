"""Content, campaigns and enrollments, staged."""

from typing import Any

from sync.knowbe4 import payloads
from sync.knowbe4.durations import parse_duration
from sync.pipeline.due_dates import standing
from sync.pipeline.tables.table import Column, Row, StageTable, column, indexed, indexed_text, text


def _is_policy(item: payloads.StorePurchase | payloads.Policy) -> bool:
    return isinstance(item, payloads.Policy)


def _purchased(name: str, type: str, attribute: str) -> Column:  # noqa: A002 - Postgres' own word
    """Return a column of what KnowBe4 tells of store purchases alone; policies have none."""
    return Column(name, type, lambda item: getattr(item, attribute, None))


# Of `payloads.StorePurchase` and `payloads.Policy`.
CONTENT = StageTable(
    "content",
    (
        Column("source", "text", lambda item: "policy" if _is_policy(item) else "store_purchase"),
        Column("knowbe4_id", "bigint", lambda item: item.policy_id if _is_policy(item) else item.store_purchase_id),
        indexed_text("name"),
        Column("reported_type", "text", lambda item: item.content_type if _is_policy(item) else item.type or ""),
        Column("description", "text", lambda item: getattr(item, "description", None) or ""),
        Column("publisher", "text", lambda item: getattr(item, "publisher", None) or ""),
        Column("duration", "bigint", lambda item: item.minimum_time if _is_policy(item) else item.duration),
        _purchased("is_retired", "boolean", "retired"),
        _purchased("retirement_at", "timestamptz", "retirement_date"),
        _purchased("published_at", "timestamptz", "publish_date"),
        _purchased("purchased_at", "timestamptz", "purchase_date"),
    ),
)


def _campaign_content(item: payloads.Content) -> Row:
    """Return source, id, name and KnowBe4's type of a campaign's content item."""
    if item.store_purchase_id is None:
        return ("policy", item.policy_id, indexed(item.name), item.content_type)
    return ("store_purchase", item.store_purchase_id, indexed(item.name), item.type or "")


def _groups(item: payloads.Campaign) -> list[Row]:
    return [(group.group_id, group.name or "") for group in item.groups if group.group_id is not None]


# Of `payloads.Campaign`.
CAMPAIGN = StageTable(
    "campaign",
    (
        column("knowbe4_id", "bigint", "campaign_id"),
        text("name"),
        text("reported_status", "status"),
        text("duration_type"),
        column("start_at", "timestamptz", "start_date"),
        column("end_at", "timestamptz", "end_date"),
        text("relative_duration"),
        Column("relative_months", "bigint", lambda item: parse_duration(item.relative_duration)[0]),
        Column("relative_days", "bigint", lambda item: parse_duration(item.relative_duration)[1]),
        column("auto_enroll", "boolean"),
        column("allow_multiple_enrollments", "boolean"),
        Column("content", "jsonb", lambda item: [_campaign_content(content) for content in item.content]),
        Column("groups", "jsonb", lambda item: _groups(item)),
    ),
)
CAMPAIGN_PERCENTAGE = StageTable(
    "campaign_percentage",
    (column("knowbe4_id", "bigint", "campaign_id"), column("completion_percentage", "bigint")),
)


def _of_user(name: str, read: Any, type: str = "text") -> Column:  # noqa: A002 - Postgres' own word
    """Return a column of an enrollment's user; where KnowBe4 sent none, a text is empty and an id null."""
    without = "" if type == "text" else None
    return Column(name, type, lambda item: read(item.user) if item.user else without)


# Of `payloads.Enrollment`. `sync.filling.enrollments` writes the columns from `reported_status` on itself.
ENROLLMENT = StageTable(
    "enrollment",
    (
        column("knowbe4_id", "bigint", "enrollment_id"),
        column("campaign_knowbe4_id", "bigint", "campaign_id"),
        text("campaign_name"),
        column("store_purchase_id", "bigint"),
        Column("source", "text", lambda item: "policy" if "policy" in item.content_type.lower() else "store_purchase"),
        indexed_text("module_name"),
        _of_user("user_id", lambda user: user.id, "bigint"),
        _of_user("user_email", lambda user: indexed(user.email)),
        _of_user("user_first_name", lambda user: user.first_name or ""),
        _of_user("user_last_name", lambda user: user.last_name or ""),
        column("reported_status", "text", "status"),
        Column("standing", "text", lambda item: standing(item.status)),
        column("enrolled_at", "timestamptz", "enrollment_date"),
        column("started_at", "timestamptz", "start_date"),
        column("completed_at", "timestamptz", "completion_date"),
        Column("time_spent", "bigint", lambda item: item.time_spent or 0),
        Column("policy_acknowledged", "boolean", lambda item: item.policy_acknowledged or False),
        column("score", "float8"),
    ),
)
