"""What must hold before a sync may be published. A run that fails is held: pages keep the data they show."""

from dataclasses import dataclass

from django.db import connection

from sync.models import Account
from sync.pipeline import tables
from sync.pipeline.lists import ReadList
from sync.pipeline.staging import Staging
from sync.pipeline.tables import StageTable

# A list may lose a tenth of its rows from one sync to the next, or a handful; more looks like a reading fault.
SHRINK_SHARE = 0.10
SHRINK_ROWS = 50
# Rows that did not decode are set aside; above this share the list itself is in doubt.
REJECTED_SHARE = 0.01

KEYS: dict[StageTable, tuple[str, ...]] = {
    tables.PERSON: ("knowbe4_id",),
    tables.GROUP: ("knowbe4_id",),
    tables.CONTENT: ("source", "knowbe4_id"),
    tables.CAMPAIGN: ("knowbe4_id",),
    tables.CAMPAIGN_PERCENTAGE: ("knowbe4_id",),
    tables.ENROLLMENT: ("knowbe4_id",),
    tables.PHISHING_CAMPAIGN: ("knowbe4_id",),
    tables.PHISHING_TEST: ("knowbe4_id",),
    tables.RECIPIENT: ("test_knowbe4_id", "knowbe4_id"),
}

GUARDED = {
    tables.PERSON: ("people", "sync_person"),
    tables.CAMPAIGN: ("campaigns", "sync_campaign"),
    tables.ENROLLMENT: ("enrollments", "sync_enrollment"),
}


@dataclass(frozen=True)
class Report:
    """What the checks found: reasons to hold the run (none: publish), and duplicates merged by table."""

    reasons: list[str]
    duplicates: dict[str, int]


def check(account: Account, staging: Staging, lists: list[ReadList], *, campaigns_read: list[int] | None) -> Report:
    """Merge duplicates and return every reason why this run must not be published.

    `campaigns_read`: KnowBe4's ids of the campaigns whose enrollments were read, None when all were.
    """
    reasons = []
    progress = staging.progress()
    for wanted in lists:
        read = progress.get(wanted.key)
        if read is None or not read.is_done:
            reasons.append(f"the list of {wanted.title.lower()} ({wanted.key}) did not end properly")
        elif read.rejected > REJECTED_SHARE * (read.rows + read.rejected):
            reasons.append(
                f"{read.rejected:,} of {read.rows + read.rejected:,} rows of {wanted.title.lower()} could not be read"
            )
    duplicates = {
        table.name: dropped for table, key in KEYS.items() if (dropped := staging.merge_duplicates(table, *key))
    }
    for table, (word, mirror) in GUARDED.items():
        campaigns = campaigns_read if table is tables.ENROLLMENT else None
        before, after = _counts(account, staging, table, mirror, campaigns)
        if before - after > SHRINK_ROWS and before - after > SHRINK_SHARE * before:
            reasons.append(f"{word} fell from {before:,} to {after:,}")
    return Report(reasons, duplicates)


def _counts(
    account: Account, staging: Staging, table: StageTable, mirror: str, campaigns: list[int] | None
) -> tuple[int, int]:
    """Return how many rows are published and how many are staged, of the campaigns read where that is not all."""
    covered = ""
    if campaigns is not None:
        covered = (
            " AND campaign_id IN (SELECT id FROM sync_campaign"
            " WHERE account_id = %(account)s AND knowbe4_id = ANY(%(campaigns)s))"
        )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT (SELECT count(*) FROM {mirror} WHERE account_id = %(account)s AND removed_at IS NULL{covered}),"
            f" (SELECT count(*) FROM {staging.table(table)})",
            {"account": account.pk, "campaigns": campaigns},
        )
        return cursor.fetchone()
