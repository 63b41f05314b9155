"""Content, campaigns and enrollments, staged."""

from sync.knowbe4 import payloads
from sync.knowbe4.durations import parse_duration
from sync.pipeline.due_dates import standing
from sync.pipeline.tables.table import Row, StageTable, indexed


def _store_purchase(item: payloads.StorePurchase, key: str) -> Row:
    return (
        "store_purchase",
        item.store_purchase_id,
        indexed(item.name),
        item.type or "",
        item.description or "",
        item.publisher or "",
        item.duration,
        item.retired,
        item.retirement_date,
        item.publish_date,
        item.purchase_date,
    )


def _policy(item: payloads.Policy, key: str) -> Row:
    return ("policy", item.policy_id, indexed(item.name), item.content_type, "", "", item.minimum_time, *([None] * 4))


def _content(item: payloads.StorePurchase | payloads.Policy, key: str) -> Row:
    return _policy(item, key) if isinstance(item, payloads.Policy) else _store_purchase(item, key)


CONTENT = StageTable(
    "content",
    (
        ("source", "text"),
        ("knowbe4_id", "bigint"),
        ("name", "text"),
        ("reported_type", "text"),
        ("description", "text"),
        ("publisher", "text"),
        ("duration", "bigint"),
        ("is_retired", "boolean"),
        ("retirement_at", "timestamptz"),
        ("published_at", "timestamptz"),
        ("purchased_at", "timestamptz"),
    ),
    _content,
)


def _campaign_content(item: payloads.Content) -> Row:
    """Return source, id, name and KnowBe4's type of a campaign's content item."""
    if item.store_purchase_id is None:
        return ("policy", item.policy_id, indexed(item.name), item.content_type)
    return ("store_purchase", item.store_purchase_id, indexed(item.name), item.type or "")


def _campaign(item: payloads.Campaign, key: str) -> Row:
    months, days = parse_duration(item.relative_duration)
    return (
        item.campaign_id,
        item.name or "",
        item.status or "",
        item.duration_type or "",
        item.start_date,
        item.end_date,
        item.relative_duration or "",
        months,
        days,
        item.auto_enroll,
        item.allow_multiple_enrollments,
        [_campaign_content(content) for content in item.content],
        [(group.group_id, group.name or "") for group in item.groups if group.group_id is not None],
    )


CAMPAIGN = StageTable(
    "campaign",
    (
        ("knowbe4_id", "bigint"),
        ("name", "text"),
        ("reported_status", "text"),
        ("duration_type", "text"),
        ("start_at", "timestamptz"),
        ("end_at", "timestamptz"),
        ("relative_duration", "text"),
        ("relative_months", "bigint"),
        ("relative_days", "bigint"),
        ("auto_enroll", "boolean"),
        ("allow_multiple_enrollments", "boolean"),
        ("content", "jsonb"),
        ("groups", "jsonb"),
    ),
    _campaign,
)


def _campaign_percentage(item: payloads.Campaign, key: str) -> Row:
    return (item.campaign_id, item.completion_percentage)


CAMPAIGN_PERCENTAGE = StageTable(
    "campaign_percentage",
    (("knowbe4_id", "bigint"), ("completion_percentage", "bigint")),
    _campaign_percentage,
)


def _enrollment(item: payloads.Enrollment, key: str) -> Row:
    user = item.user
    return (
        item.enrollment_id,
        item.campaign_id,
        item.campaign_name or "",
        item.store_purchase_id,
        "policy" if "policy" in item.content_type.lower() else "store_purchase",
        indexed(item.module_name),
        user.id if user else None,
        indexed(user.email) if user else "",
        (user.first_name or "") if user else "",
        (user.last_name or "") if user else "",
        item.status,
        standing(item.status),
        item.enrollment_date,
        item.start_date,
        item.completion_date,
        item.time_spent or 0,
        item.policy_acknowledged or False,
        item.score,
    )


ENROLLMENT = StageTable(
    "enrollment",
    (
        ("knowbe4_id", "bigint"),
        ("campaign_knowbe4_id", "bigint"),
        ("campaign_name", "text"),
        ("store_purchase_id", "bigint"),
        ("source", "text"),
        ("module_name", "text"),
        ("user_id", "bigint"),
        ("user_email", "text"),
        ("user_first_name", "text"),
        ("user_last_name", "text"),
        ("reported_status", "text"),
        ("standing", "text"),
        ("enrolled_at", "timestamptz"),
        ("started_at", "timestamptz"),
        ("completed_at", "timestamptz"),
        ("time_spent", "bigint"),
        ("policy_acknowledged", "boolean"),
        ("score", "float8"),
    ),
    _enrollment,
)
