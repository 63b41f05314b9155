"""The staging tables: what is kept of each KnowBe4 row between reading it and publishing it.

One schema per account holds them, unlogged: they cost no write-ahead log, and a crash of Postgres empties all of
them together, page positions included, so that a run starts afresh rather than from half a list.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sync.knowbe4 import payloads
from sync.pipeline.due_dates import standing
from sync.pipeline.durations import parse_duration

Row = tuple[Any, ...]

# The end of the key of lists that hold callback (voice) phishing tests only.
CALLBACK = ":callback"


@dataclass(frozen=True)
class StageTable:
    """A staging table: its columns with their types, and how a decoded row fills them."""

    name: str
    columns: tuple[tuple[str, str], ...]
    row: Callable[[Any, str], Row]

    @property
    def column_names(self) -> list[str]:
        """The names in the order `row` fills them."""
        return [name for name, _ in self.columns]

    @property
    def types(self) -> list[str]:
        """The Postgres types, in the same order."""
        return [kind for _, kind in self.columns]


# The longest text that Postgres' indexes take, whatever its characters: emails, departments and titles are in some.
LONGEST_INDEXED = 600


def _indexed(text: str | None) -> str:
    """Return a text that an index can hold; nobody's email or title is longer."""
    return (text or "")[:LONGEST_INDEXED]


def _person(item: payloads.User, key: str) -> Row:
    return (
        item.id,
        _indexed(item.email),
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
        _indexed(item.department),
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


def _store_purchase(item: payloads.StorePurchase, key: str) -> Row:
    return (
        "store_purchase",
        item.store_purchase_id,
        _indexed(item.name),
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
    return ("policy", item.policy_id, _indexed(item.name), item.content_type, "", "", item.minimum_time, *([None] * 4))


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
        return ("policy", item.policy_id, _indexed(item.name), item.content_type)
    return ("store_purchase", item.store_purchase_id, _indexed(item.name), item.type or "")


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
        _indexed(item.module_name),
        user.id if user else None,
        _indexed(user.email) if user else "",
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


def _phishing_campaign(item: payloads.PhishingCampaign, key: str) -> Row:
    return (item.campaign_id, item.name or "", item.status or "", item.frequency or "", item.create_date, item.last_run)


PHISHING_CAMPAIGN = StageTable(
    "phishing_campaign",
    (
        ("knowbe4_id", "bigint"),
        ("name", "text"),
        ("reported_status", "text"),
        ("frequency", "text"),
        ("created_at", "timestamptz"),
        ("last_run_at", "timestamptz"),
    ),
    _phishing_campaign,
)


def _phishing_test(item: payloads.SecurityTest, key: str) -> Row:
    return (
        item.pst_id,
        item.campaign_id,
        key.endswith(CALLBACK),
        item.name or "",
        item.status or "",
        item.started_at,
        item.duration,
        (item.template.name if item.template else None) or "",
        [category.name for category in item.categories],
        item.phish_prone_percentage,
        item.scheduled_count,
        item.delivered_count,
        item.opened_count,
        item.clicked_count,
        item.replied_count,
        item.attachment_open_count,
        item.macro_enabled_count,
        item.data_entered_count,
        item.qr_code_scanned_count,
        item.reported_count,
        item.bounced_count,
    )


PHISHING_TEST = StageTable(
    "phishing_test",
    (
        ("knowbe4_id", "bigint"),
        ("campaign_knowbe4_id", "bigint"),
        ("is_callback", "boolean"),
        ("name", "text"),
        ("reported_status", "text"),
        ("started_at", "timestamptz"),
        ("duration", "bigint"),
        ("template_name", "text"),
        ("categories", "jsonb"),
        ("phish_prone_percentage", "float8"),
        ("scheduled_count", "bigint"),
        ("delivered_count", "bigint"),
        ("opened_count", "bigint"),
        ("clicked_count", "bigint"),
        ("replied_count", "bigint"),
        ("attachment_open_count", "bigint"),
        ("macro_enabled_count", "bigint"),
        ("data_entered_count", "bigint"),
        ("qr_code_scanned_count", "bigint"),
        ("reported_count", "bigint"),
        ("bounced_count", "bigint"),
    ),
    _phishing_test,
)


def _recipient(item: payloads.Recipient, key: str) -> Row:
    return (
        item.pst_id if item.pst_id is not None else int(key.partition(":")[2]),
        item.recipient_id,
        item.user.id if item.user else None,
        item.delivered_at,
        item.opened_at,
        item.clicked_at,
        item.replied_at,
        item.attachment_opened_at,
        item.macro_enabled_at,
        item.data_entered_at,
        item.qr_code_scanned,
        item.reported_at,
        item.bounced_at,
    )


RECIPIENT = StageTable(
    "recipient",
    (
        ("test_knowbe4_id", "bigint"),
        ("knowbe4_id", "bigint"),
        ("user_id", "bigint"),
        ("delivered_at", "timestamptz"),
        ("opened_at", "timestamptz"),
        ("clicked_at", "timestamptz"),
        ("replied_at", "timestamptz"),
        ("attachment_opened_at", "timestamptz"),
        ("macro_enabled_at", "timestamptz"),
        ("data_entered_at", "timestamptz"),
        ("qr_code_scanned_at", "timestamptz"),
        ("reported_at", "timestamptz"),
        ("bounced_at", "timestamptz"),
    ),
    _recipient,
)


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

TABLES = (
    ACCOUNT,
    PERSON,
    GROUP,
    CONTENT,
    CAMPAIGN,
    CAMPAIGN_PERCENTAGE,
    ENROLLMENT,
    PHISHING_CAMPAIGN,
    PHISHING_TEST,
    RECIPIENT,
)
