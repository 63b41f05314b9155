"""Phishing campaigns, tests and results, staged."""

from sync.pipeline.tables.table import Column, StageTable, column, text

# The end of the key of lists that hold callback (voice) phishing tests only.
CALLBACK = ":callback"

# Of `payloads.PhishingCampaign`.
PHISHING_CAMPAIGN = StageTable(
    "phishing_campaign",
    (
        column("knowbe4_id", "bigint", "campaign_id"),
        text("name"),
        text("reported_status", "status"),
        text("frequency"),
        column("created_at", "timestamptz", "create_date"),
        column("last_run_at", "timestamptz", "last_run"),
    ),
)
# Of `payloads.SecurityTest`.
PHISHING_TEST = StageTable(
    "phishing_test",
    (
        column("knowbe4_id", "bigint", "pst_id"),
        column("campaign_knowbe4_id", "bigint", "campaign_id"),
        Column("is_callback", "boolean", with_key=lambda item, key: key.endswith(CALLBACK)),
        text("name"),
        text("reported_status", "status"),
        column("started_at", "timestamptz"),
        column("duration", "bigint"),
        Column("template_name", "text", lambda item: (item.template.name if item.template else None) or ""),
        Column("categories", "jsonb", lambda item: [category.name for category in item.categories]),
        column("phish_prone_percentage", "float8"),
        column("scheduled_count", "bigint"),
        column("delivered_count", "bigint"),
        column("opened_count", "bigint"),
        column("clicked_count", "bigint"),
        column("replied_count", "bigint"),
        column("attachment_open_count", "bigint"),
        column("macro_enabled_count", "bigint"),
        column("data_entered_count", "bigint"),
        column("qr_code_scanned_count", "bigint"),
        column("reported_count", "bigint"),
        column("bounced_count", "bigint"),
    ),
)
# Of `payloads.Recipient`. The key of their list ends with their test's id.
RECIPIENT = StageTable(
    "recipient",
    (
        Column(
            "test_knowbe4_id",
            "bigint",
            with_key=lambda item, key: item.pst_id if item.pst_id is not None else int(key.partition(":")[2]),
        ),
        column("knowbe4_id", "bigint", "recipient_id"),
        Column("user_id", "bigint", lambda item: item.user.id if item.user else None),
        column("delivered_at", "timestamptz"),
        column("opened_at", "timestamptz"),
        column("clicked_at", "timestamptz"),
        column("replied_at", "timestamptz"),
        column("attachment_opened_at", "timestamptz"),
        column("macro_enabled_at", "timestamptz"),
        column("data_entered_at", "timestamptz"),
        column("qr_code_scanned_at", "timestamptz", "qr_code_scanned"),
        column("reported_at", "timestamptz"),
        column("bounced_at", "timestamptz"),
    ),
)
