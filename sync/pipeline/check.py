"""Checks before a sync may be published. A run that fails is held: pages keep the data they show."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import connection

from sync.models import Account
from sync.pipeline import tables
from sync.pipeline.lists import ReadList
from sync.pipeline.staging import ListProgress, Staging
from sync.pipeline.tables import StageTable

# A list may lose a tenth of its rows from one sync to the next, or a handful; more looks like a reading fault.
SHRINK_SHARE = 0.10
SHRINK_ROWS = 50
# Rows that did not decode are set aside; above this share the list itself is in doubt.
REJECTED_SHARE = 0.01
# In a short list one odd row is more than that already: it is set aside, and the rest believed.
REJECTED_ROWS = 1

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

# For a list by its key: who else tells of its rows (how many it lacks, of how many), and what that means in words.
WITNESSES = {
    "users:active": (
        """
        SELECT count(*) FILTER (WHERE p.knowbe4_id IS NULL), count(*)
        FROM (SELECT DISTINCT user_id FROM {enrollment} WHERE user_id IS NOT NULL) named
        LEFT JOIN {person} p ON p.knowbe4_id = named.user_id
        """,
        "the list of people lacks {missing:,} of {named:,} who have enrollments",
    ),
    "campaigns": (
        """
        SELECT count(*) FILTER (WHERE c.knowbe4_id IS NULL), count(*)
        FROM (
            SELECT DISTINCT campaign_knowbe4_id AS id FROM {enrollment} WHERE campaign_knowbe4_id IS NOT NULL
        ) named
        LEFT JOIN {campaign} c ON c.knowbe4_id = named.id
        """,
        "the list of campaigns lacks {missing:,} of {named:,} that have enrollments",
    ),
    "enrollments": (
        """
        SELECT count(*) FILTER (WHERE listed.id IS NULL), count(*)
        FROM {campaign_percentage} named
        LEFT JOIN (SELECT DISTINCT campaign_knowbe4_id AS id FROM {enrollment}) listed ON listed.id = named.knowbe4_id
        WHERE named.completion_percentage > 0
        """,
        "the list of enrollments has none of {missing:,} of the {named:,} campaigns that people worked on",
    ),
}


@dataclass(frozen=True)
class Report:
    """Findings of the checks: reasons to hold the run (none: publish), and duplicates merged by table."""

    reasons: list[str]
    duplicates: dict[str, int]


def check(account: Account, staging: Staging, lists: list[ReadList], *, campaigns_read: list[int] | None) -> Report:
    """Merge duplicates and return every reason why this run must not be published.

    `campaigns_read`: KnowBe4's ids of the campaigns whose enrollments were read, None when all were.
    """
    reasons = _another_organization(account, staging)
    progress = staging.progress()
    for wanted in lists:
        read = progress.get(wanted.key)
        if read is None or not read.is_done:
            reasons.append(f"the list of {wanted.title.lower()} ({wanted.key}) did not end properly")
        elif read.rejected > max(REJECTED_ROWS, REJECTED_SHARE * (read.rows + read.rejected)):
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
    return Report(reasons or _contradictions(staging, progress, lists), duplicates)


def _another_organization(account: Account, staging: Staging) -> list[str]:
    """Return, as a reason, that the key opens the account of somebody else than what was published: after a change of
    key or place two organizations would be mixed. An organization is known by its name and by its domains.
    """
    if not account.knowbe4_name:
        return []
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT knowbe4_name, domains FROM {staging.table(tables.ACCOUNT)}")
        found = cursor.fetchone()
    if found is None:
        return []
    name, domains = found[0], json.loads(found[1])
    theirs, ours = ({str(domain).casefold() for domain in some} for some in (domains, account.domains))
    if name.casefold() == account.knowbe4_name.casefold() or theirs & ours:
        return []
    return [
        f"the key opens the KnowBe4 account of {name}, which shares neither name nor domain with "
        f"{account.knowbe4_name}, whose data this is: enter the key of {account.knowbe4_name}, "
        f"or add {name} as another account"
    ]


def _contradictions(staging: Staging, progress: Mapping[str, ListProgress], lists: list[ReadList]) -> list[str]:
    """Return what other lists say against one that is empty or ends with a full page.

    One list in five hundred ends so by chance, and every list that KnowBe4 breaks off. The shrink guard sees that only
    where more was published before.
    """
    reasons = []
    for wanted in lists:
        if wanted.key not in WITNESSES:
            continue
        read = progress[wanted.key]
        if (read.rows + read.rejected) % wanted.resource.per_page:
            continue
        question, sentence = WITNESSES[wanted.key]
        with connection.cursor() as cursor:
            cursor.execute(question.format(**{table.name: staging.table(table) for table in tables.TABLES}))
            missing, named = cursor.fetchone()
        if missing > SHRINK_SHARE * named:
            reasons.append(sentence.format(missing=missing, named=named))
    return reasons


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
