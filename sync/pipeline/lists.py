"""Lists that a sync reads, in order: each list of KnowBe4's API and the staging table that takes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db import connection

from sync.knowbe4 import resources
from sync.knowbe4.resources import Resource, Value
from sync.models import Account
from sync.pipeline import tables
from sync.pipeline.plan import RECENT_TEST, Plan
from sync.pipeline.staging import Staging
from sync.pipeline.tables import StageTable


@dataclass(frozen=True)
class ReadList:
    """One list to read. `key` names it in the staging area and stays the same over runs."""

    key: str
    title: str
    resource: Resource[Any]
    table: StageTable
    params: Mapping[str, Value] = field(default_factory=dict)
    path_args: Mapping[str, int] = field(default_factory=dict)

    @property
    def step(self) -> str:
        """The step of the run that this list belongs to: lists of one table are shown together."""
        return self.table.name

    @property
    def is_of_one(self) -> bool:
        """Whether the list belongs to one campaign or test, which may be deleted after it was listed."""
        return bool(self.path_args) or "campaign_id" in self.params


ACCOUNT = ReadList("account", "Account", resources.ACCOUNT, tables.ACCOUNT)

CAMPAIGNS = ReadList("campaigns", "Campaigns", resources.CAMPAIGNS, tables.CAMPAIGN)
PERCENTAGES = ReadList(
    "campaign_percentages", "KnowBe4's own rates", resources.CAMPAIGN_PERCENTAGES, tables.CAMPAIGN_PERCENTAGE
)
ENROLLMENTS = ReadList("enrollments", "Enrollments", resources.ENROLLMENTS, tables.ENROLLMENT)

# KnowBe4 does not say whether /users without a status returns archived people, so each is asked for.
ALWAYS = (
    ACCOUNT,
    ReadList("users:active", "People", resources.USERS, tables.PERSON, {"status": "active"}),
    ReadList("users:archived", "People", resources.USERS, tables.PERSON, {"status": "archived"}),
    ReadList("groups:active", "Groups", resources.GROUPS, tables.GROUP, {"status": "active"}),
    ReadList("groups:archived", "Groups", resources.GROUPS, tables.GROUP, {"status": "archived"}),
    ReadList("store_purchases", "Content", resources.STORE_PURCHASES, tables.CONTENT),
    ReadList("policies", "Content", resources.POLICIES, tables.CONTENT),
    CAMPAIGNS,
)
PHISHING = (
    ReadList("phishing_campaigns", "Phishing campaigns", resources.PHISHING_CAMPAIGNS, tables.PHISHING_CAMPAIGN),
    ReadList("phishing_tests", "Phishing tests", resources.SECURITY_TESTS, tables.PHISHING_TEST),
    # Listed apart by KnowBe4, and only if asked for.
    ReadList(
        f"phishing_tests{tables.CALLBACK}",
        "Phishing tests",
        resources.SECURITY_TESTS,
        tables.PHISHING_TEST,
        {"campaign_type": "callback"},
    ),
)


def first_lists(plan: Plan) -> list[ReadList]:
    """Return the lists that are read first, and that decide what else there is to read."""
    return [*ALWAYS, *([PERCENTAGES] if plan.with_percentages else []), *PHISHING]


def campaigns_read(lists: list[ReadList]) -> list[int] | None:
    """Return KnowBe4's ids of the campaigns whose enrollments these lists hold; None when it is all of them."""
    if ENROLLMENTS in lists:
        return None
    return [int(key.partition(":")[2]) for key in (wanted.key for wanted in lists) if key.startswith("enrollments:")]


def later_lists(plan: Plan, account: Account, staging: Staging, *, now: datetime) -> list[ReadList]:
    """Return the lists that follow from the first ones: enrollments, whole or by campaign, and phishing results."""
    enrollments = [ENROLLMENTS]
    if plan.campaign_ids is not None:
        enrollments = [
            replace(ENROLLMENTS, key=f"enrollments:{campaign}", params={"campaign_id": campaign})
            for campaign in _campaigns_to_read(plan.campaign_ids, account, staging)
        ]
    return [*enrollments, *_result_lists(plan, account, staging, now=now)]


def _campaigns_to_read(planned: list[int], account: Account, staging: Staging) -> list[int]:
    """Return the planned campaigns that KnowBe4 still lists, and those it lists newly or in another state."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT DISTINCT s.knowbe4_id FROM {staging.table(tables.CAMPAIGN)} s
            LEFT JOIN sync_campaign c ON c.account_id = %(account)s AND c.knowbe4_id = s.knowbe4_id
            WHERE s.knowbe4_id = ANY(%(planned)s) OR c.id IS NULL OR c.reported_status <> s.reported_status
               OR c.end_at IS DISTINCT FROM s.end_at
            ORDER BY 1
            """,
            {"account": account.pk, "planned": planned},
        )
        return [row[0] for row in cursor.fetchall()]


def _result_lists(plan: Plan, account: Account, staging: Staging, *, now: datetime) -> list[ReadList]:
    """Return the lists of phishing results to read: of recent and open tests, and of old ones never read if planned.

    A closed test of months ago does not change any more; reading all of them each time would eat the day's requests.
    """
    if not plan.with_results:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT s.knowbe4_id, bool_or(s.is_callback) FROM {staging.table(tables.PHISHING_TEST)} s
            WHERE s.started_at IS NOT NULL
              AND (s.started_at > %(recent)s OR lower(s.reported_status) <> 'closed' OR %(older)s AND NOT EXISTS (
                  SELECT FROM sync_phishingtest t JOIN sync_phishingresult r ON r.test_id = t.id
                  WHERE t.account_id = %(account)s AND t.knowbe4_id = s.knowbe4_id))
            GROUP BY s.knowbe4_id ORDER BY max(s.started_at) DESC, s.knowbe4_id
            """,
            {"account": account.pk, "recent": now - RECENT_TEST, "older": plan.with_older_results},
        )
        tests = cursor.fetchall()
    return [
        ReadList(
            f"recipients:{test}",
            "Phishing results",
            resources.RECIPIENTS,
            tables.RECIPIENT,
            {"campaign_type": "callback"} if is_callback else {},
            {"pst_id": test},
        )
        for test, is_callback in tests
    ]
