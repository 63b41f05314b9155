"""Phishing campaigns, tests and results, staged."""

from sync.knowbe4 import payloads
from sync.pipeline.tables.table import Row, StageTable

# The end of the key of lists that hold callback (voice) phishing tests only.
CALLBACK = ":callback"


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
