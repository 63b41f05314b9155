"""The account, its people and their groups, staged."""

from sync.pipeline.tables.table import StageTable, column, indexed_text, text

# Of `payloads.Account`.
ACCOUNT = StageTable(
    "account",
    (
        text("knowbe4_name", "name"),
        text("subscription_level"),
        column("subscription_end_at", "timestamptz", "subscription_end_date"),
        column("number_of_seats", "bigint"),
        column("domains", "jsonb"),
        column("current_risk_score", "float8"),
    ),
)
# Of `payloads.User`.
PERSON = StageTable(
    "person",
    (
        column("knowbe4_id", "bigint", "id"),
        indexed_text("email"),
        text("first_name"),
        text("last_name"),
        text("employee_number"),
        text("job_title"),
        text("location"),
        text("division"),
        text("organization"),
        text("language"),
        column("status", "text"),
        column("joined_at", "timestamptz", "joined_on"),
        column("employee_start_at", "timestamptz", "employee_start_date"),
        column("archived_at", "timestamptz"),
        column("last_sign_in_at", "timestamptz", "last_sign_in"),
        column("current_risk_score", "float8"),
        column("phish_prone_percentage", "float8"),
        indexed_text("department_name", "department"),
        text("manager_name"),
        text("manager_email"),
        column("group_ids", "jsonb", "groups"),
    ),
)
# Of `payloads.Group`.
GROUP = StageTable(
    "group",
    (
        column("knowbe4_id", "bigint", "id"),
        text("name"),
        text("group_type"),
        text("status"),
        column("member_count", "bigint"),
    ),
)
