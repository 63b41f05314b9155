"""Assistants that call, and what each tool can be asked about a marked company."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from django.core.cache import cache

from sync.models import Account, Campaign, ContentItem, Enrollment, Person
from tests.dashboard.canary import Canary, build


@pytest.fixture(autouse=True)
def _uncounted(redis_url: str) -> None:
    """Forget what was counted of earlier tests' calls."""
    cache.clear()


@pytest.fixture
def canary(db: None, now: datetime) -> Canary:
    """Return the two marked companies."""
    return build(now)


def theirs(account: Account) -> dict[str, int]:
    """Return one of KnowBe4's ids of each kind in an account."""
    return {
        "campaign_id": Campaign.objects.filter(account=account).order_by("pk")[0].knowbe4_id,
        "enrollment_id": Enrollment.objects.filter(account=account).order_by("pk")[0].knowbe4_id,
        "content_id": ContentItem.objects.filter(account=account).order_by("pk")[0].knowbe4_id or 0,
    }


def calls(account: Account) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return a call or more of every tool, about things of an account."""
    ids = theirs(account)
    campaign, content = ids["campaign_id"], ids["content_id"]
    yield "knowbe4_training_list_campaigns", {"status": "active", "page": 1, "per_page": 50}
    yield "knowbe4_training_get_campaign", {"campaign_id": campaign}
    for status in (None, "past_due", "not_started"):
        yield "knowbe4_training_list_enrollments", {"campaign_id": campaign} | ({"status": status} if status else {})
    yield "knowbe4_training_get_enrollment", {"enrollment_id": ids["enrollment_id"]}
    yield "knowbe4_training_list_modules", {"type": "Training Module"}
    yield "knowbe4_training_get_module", {"module_id": content}
    yield "knowbe4_training_list_store_purchases", {}
    yield "knowbe4_training_get_store_purchase", {"store_purchase_id": content}
    for by in (None, "department", "manager", "campaign", "content_type"):
        yield "compliance_summary", {"by": by} if by else {}
    for by in (None, "department", "manager"):
        yield "list_past_due", {"by": by} if by else {}
    yield "quarterly_review", {}
    yield "quarterly_review", {"quarter": "2026-Q4"}
    yield "find_person", {"query": "example"}
    for person in Person.objects.filter(account=account).order_by("pk"):
        yield "find_person", {"query": person.email}
        if person.manager_id:
            yield "list_past_due", {"manager": person.manager_email}
    # One of each person.
    for enrollment in Enrollment.objects.filter(account=account).order_by("person", "pk").distinct("person"):
        yield "knowbe4_training_get_enrollment", {"enrollment_id": enrollment.knowbe4_id}
    for metric in ("completion_rate", "people_past_due", "training_after_failure", "days_to_complete"):
        yield "explain_number", {"metric": metric}
