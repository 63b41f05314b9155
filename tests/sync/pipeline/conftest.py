"""A tiny account whose lists are staged by hand, to see what publish makes of each row."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from sync.models import Account, Enrollment, SyncRun
from sync.pipeline import tables
from sync.pipeline.due_dates import standing
from sync.pipeline.publish import publish
from sync.pipeline.staging import Staging
from sync.pipeline.tables import StageTable

PERSON_ID, CAMPAIGN_ID, PURCHASE_ID, ENROLLMENT_ID = 501, 71, 31, 9_001

DEFAULTS: dict[str, dict[str, Any]] = {
    "account": {"knowbe4_name": "Northwind", "domains": ["northwind.example"]},
    "person": {"knowbe4_id": PERSON_ID, "email": "Ada.Quill@northwind.example", "status": "active", "group_ids": []},
    "group": {},
    "content": {
        "source": "store_purchase",
        "knowbe4_id": PURCHASE_ID,
        "name": "Spotting a phish",
        "reported_type": "Training Module",
    },
    "campaign": {
        "knowbe4_id": CAMPAIGN_ID,
        "name": "Annual training",
        "reported_status": "In Progress",
        "content": [["store_purchase", PURCHASE_ID, "Spotting a phish", "Training Module"]],
        "groups": [[0, "All Users"]],
    },
    "enrollment": {
        "knowbe4_id": ENROLLMENT_ID,
        "campaign_knowbe4_id": CAMPAIGN_ID,
        "store_purchase_id": PURCHASE_ID,
        "source": "store_purchase",
        "module_name": "Spotting a phish",
        "user_id": PERSON_ID,
        "reported_status": "Not Started",
        "time_spent": 0,
        "policy_acknowledged": False,
    },
}


def staged_row(table: StageTable, values: dict[str, Any]) -> tuple[Any, ...]:
    """Return a row of the table: the given values, this module's defaults, and blanks for the rest."""
    blank = {"text": "", "jsonb": []}
    row = {name: blank.get(kind) for name, kind in table.columns} | DEFAULTS.get(table.name, {}) | values
    if "standing" in row:
        row["standing"] = standing(row["reported_status"])
    return tuple(row[name] for name, _ in table.columns)


@pytest.fixture
def account(db: None) -> Account:
    return Account.objects.create(name="Northwind", time_zone="Europe/Berlin")


Sync = Callable[..., SyncRun]


@pytest.fixture
def sync(account: Account) -> Sync:
    """Publish hand-made lists: `sync(at, person=[{...}], enrollment=[{...}])`; lists not given hold one default row."""

    def publish_rows(at: datetime, **rows: list[dict[str, Any]]) -> SyncRun:
        run = SyncRun.objects.create(
            account=account,
            kind="full",
            trigger="command",
            state="running",
            phase="fetch",
            started_at=at,
            heartbeat_at=at,
        )
        staging = Staging(account.pk)
        staging.create(run.pk)
        for table in tables.TABLES:
            given = rows.get(table.name, [{}] if table.name in DEFAULTS and table.name != "group" else [])
            staging.add_page(
                table.name,
                table,
                [staged_row(table, row) for row in given],
                number=1,
                next_position=None,
                count=len(given),
            )
        publish(account, run, staging, now=at)
        return run

    return publish_rows


@pytest.fixture
def enrollment(account: Account) -> Callable[[], Enrollment]:
    """Return the one enrollment as it stands."""
    return lambda: Enrollment.objects.get(account=account, knowbe4_id=ENROLLMENT_ID)
