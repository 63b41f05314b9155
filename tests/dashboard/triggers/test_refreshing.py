"""Triggers inferred from the mirror, and kept up to date as syncs are published."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dashboard.models import InferredTrigger, Trigger
from dashboard.triggers import refresh
from sync.models import (
    Account,
    Campaign,
    Enrollment,
    Group,
    Person,
    PhishingCampaign,
    PhishingResult,
    PhishingTest,
    SyncRun,
)
from sync.models.training import DueSource
from sync.signals import published
from tests import factories

ENROLLED_AT = datetime(2026, 9, 14, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)

Found = tuple[str, str, str]


def found(campaign: Campaign) -> Found:
    """Return a campaign's trigger, the rule and what the rule found."""
    row = InferredTrigger.objects.get(campaign=campaign)
    return row.trigger, row.rule, row.evidence


def group(account: Account, name: str, knowbe4_id: int) -> Group:
    """Return a group of this name."""
    return Group.objects.create(account=account, knowbe4_id=knowbe4_id, name=name, first_seen_at=factories.SEEN_AT)


def enroll(campaign: Campaign, count: int, **person: Any) -> list[Person]:
    """Enroll so many new people in the campaign and return them."""
    people = factories.PersonFactory.create_batch(count, account=campaign.account, department=None, **person)
    content = factories.ContentItemFactory(account=campaign.account)
    Enrollment.objects.bulk_create(
        factories.EnrollmentFactory.build(
            account=campaign.account,
            person=member,
            campaign=campaign,
            content=content,
            enrolled_at=ENROLLED_AT,
            due_source=DueSource.NONE,
        )
        for member in people
    )
    return people


@pytest.fixture
def phishing_test(account: Account) -> PhishingTest:
    """Return a phishing test that was sent a week before the enrollments."""
    plan = PhishingCampaign.objects.create(account=account, knowbe4_id=1, first_seen_at=factories.SEEN_AT)
    return PhishingTest.objects.create(
        account=account, knowbe4_id=31, campaign=plan, started_at=ENROLLED_AT - 20 * DAY, first_seen_at=ENROLLED_AT
    )


def fail(test: PhishingTest, people: list[Person], at: datetime) -> None:
    """Let these people fail the test."""
    PhishingResult.objects.bulk_create(
        PhishingResult(
            account=test.account,
            test=test,
            knowbe4_id=person.pk,
            person=person,
            clicked_at=at,
            failed_at=at,
            first_seen_at=at,
        )
        for person in people
    )


@pytest.fixture
def campaign(account: Account) -> Campaign:
    """Return a campaign whose name tells nothing."""
    return factories.CampaignFactory(account=account, name="Safe at work")


def test_name_goes_before_everything(account: Account, campaign: Campaign) -> None:
    Campaign.objects.update(name="Annual awareness 2026")
    enroll(campaign, 5, employee_start_date=ENROLLED_AT.date())
    refresh(account)
    assert found(campaign) == ("scheduled", "name", "annual")


def test_groups_tell_if_all_agree(account: Account, campaign: Campaign) -> None:
    hires, sales = group(account, "New hires (first 90 days)", 11), group(account, "Sales", 12)
    everybody = group(account, "All Users", 0)
    Campaign.objects.update(group_ids=[hires.pk, everybody.pk])
    refresh(account)
    assert found(campaign) == ("new_hire", "group_name", "New hires (first 90 days)")

    Campaign.objects.update(group_ids=[hires.pk, sales.pk])
    refresh(account)
    assert found(campaign) == ("unknown", "none", "")


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (timedelta(0), Trigger.PHISHING_FAILURE),
        (14 * DAY, Trigger.PHISHING_FAILURE),
        (14 * DAY + SECOND, Trigger.UNKNOWN),
        (-SECOND, Trigger.UNKNOWN),
    ],
)
def test_failed_test_within_fourteen_days_before(
    account: Account, campaign: Campaign, phishing_test: PhishingTest, before: timedelta, expected: Trigger
) -> None:
    fail(phishing_test, enroll(campaign, 3), ENROLLED_AT - before)
    refresh(account)
    assert found(campaign)[0] == expected


@pytest.mark.parametrize(("failed", "expected"), [(6, Trigger.PHISHING_FAILURE), (5, Trigger.UNKNOWN)])
def test_failed_test_of_a_clear_majority(
    account: Account, campaign: Campaign, phishing_test: PhishingTest, failed: int, expected: Trigger
) -> None:
    people = enroll(campaign, 10)
    fail(phishing_test, people[:failed], ENROLLED_AT - DAY)
    refresh(account)
    assert found(campaign)[0] == expected


def test_failed_test_counts_once_per_person(account: Account, campaign: Campaign, phishing_test: PhishingTest) -> None:
    people = enroll(campaign, 4)
    fail(phishing_test, people[:3], ENROLLED_AT - DAY)
    later = PhishingTest.objects.create(account=account, knowbe4_id=32, first_seen_at=ENROLLED_AT)
    fail(later, people[:3], ENROLLED_AT - 2 * DAY)
    refresh(account)
    assert found(campaign) == ("phishing_failure", "failed_test", "3 of 4")


def test_two_people_are_too_few(account: Account, campaign: Campaign, phishing_test: PhishingTest) -> None:
    fail(phishing_test, enroll(campaign, 2), ENROLLED_AT - DAY)
    refresh(account)
    assert found(campaign)[0] == Trigger.UNKNOWN


@pytest.mark.parametrize(
    ("days", "expected"),
    [(0, Trigger.NEW_HIRE), (30, Trigger.NEW_HIRE), (31, Trigger.UNKNOWN), (-1, Trigger.UNKNOWN)],
)
def test_start_date_within_thirty_days_before(
    account: Account, campaign: Campaign, days: int, expected: Trigger
) -> None:
    enroll(campaign, 3, employee_start_date=ENROLLED_AT.date() - timedelta(days=days))
    refresh(account)
    assert found(campaign)[0] == expected


def test_start_date_is_compared_with_the_local_day(account: Account, campaign: Campaign) -> None:
    # Half past midnight in Berlin, still the day before in UTC.
    enroll(campaign, 3, employee_start_date=date(2026, 9, 15))
    Enrollment.objects.update(enrolled_at=datetime(2026, 9, 14, 22, 30, tzinfo=UTC))
    refresh(account)
    assert found(campaign)[:2] == ("new_hire", "start_date")


def test_automatic_enrollment_of_a_group(account: Account, campaign: Campaign) -> None:
    sales, everybody = group(account, "Sales", 12), group(account, "All Users", 0)
    Campaign.objects.update(auto_enroll=True, group_ids=[sales.pk])
    refresh(account)
    assert found(campaign) == ("group_membership", "auto_enroll", "Sales")

    Campaign.objects.update(group_ids=[everybody.pk])
    refresh(account)
    assert found(campaign)[0] == Trigger.UNKNOWN


def test_recurring_name(account: Account, campaign: Campaign) -> None:
    later = factories.CampaignFactory(
        account=account, name="Safe at work 2025", start_at=factories.SEEN_AT + timedelta(days=364)
    )
    draft = factories.CampaignFactory(account=account, name="Safe at work 2026", start_at=None)
    refresh(account)
    assert {found(each) for each in (campaign, later, draft)} == {("scheduled", "recurring", "year")}


def test_accounts_stay_apart(account: Account, campaign: Campaign) -> None:
    other = factories.CampaignFactory(name="Annual awareness")
    refresh(account)
    assert list(InferredTrigger.objects.values_list("campaign", flat=True)) == [campaign.pk]
    refresh(other.account)
    assert found(other)[0] == Trigger.SCHEDULED


def run_of(account: Account, *, inserted: int, tests: tuple[int, ...] = ()) -> SyncRun:
    """Return a run that brought so many enrollments and read these phishing tests' results."""
    return factories.SyncRunFactory(
        account=account,
        counts={"enrollment": {"inserted": inserted}},
        resources={f"recipients:{test}": {} for test in tests},
    )


def test_publication_infers(account: Account, campaign: Campaign, now: datetime) -> None:
    enroll(campaign, 3, employee_start_date=ENROLLED_AT.date())
    published.send(sender=SyncRun, account=account, run=run_of(account, inserted=3), published_at=now)
    assert found(campaign) == ("new_hire", "start_date", "3 of 3")


def written(act: Callable[[], Any]) -> int:
    """Return how many statements of `act` wrote triggers."""
    with CaptureQueriesContext(
        connection,
    ) as queries:
        act()
    return sum(query["sql"].startswith('INSERT INTO "dashboard_inferredtrigger"') for query in queries)


def test_nothing_new_writes_nothing_and_looks_at_nobody(account: Account, campaign: Campaign) -> None:
    enroll(campaign, 3, employee_start_date=ENROLLED_AT.date())
    refresh(account, run=run_of(account, inserted=3))
    # Would be seen if anybody looked: what was found before must stand.
    Person.objects.update(employee_start_date=None)

    quiet = run_of(account, inserted=0)
    assert written(lambda: refresh(account, run=quiet)) == 0
    assert found(campaign) == ("new_hire", "start_date", "3 of 3")


def test_new_enrollments_call_for_another_look_at_their_campaign_only(account: Account, campaign: Campaign) -> None:
    other = factories.CampaignFactory(account=account, name="Clean desk")
    for each in (campaign, other):
        enroll(each, 3, employee_start_date=ENROLLED_AT.date())
    refresh(account)
    Person.objects.update(employee_start_date=None)

    enroll(campaign, 1)
    refresh(account, run=run_of(account, inserted=1))

    assert found(campaign)[0] == Trigger.UNKNOWN
    assert found(other)[0] == Trigger.NEW_HIRE


def test_results_of_old_tests_call_for_another_look(
    account: Account, campaign: Campaign, phishing_test: PhishingTest
) -> None:
    over = factories.CampaignFactory(account=account, name="Long ago", end_at=phishing_test.started_at - DAY)
    people = enroll(campaign, 3)
    refresh(account)
    assert found(campaign)[0] == Trigger.UNKNOWN

    fail(phishing_test, people, ENROLLED_AT - DAY)
    fail(phishing_test, enroll(over, 3), ENROLLED_AT - DAY)
    InferredTrigger.objects.update(newest_enrollment_id=Enrollment.objects.latest("pk").pk)
    refresh(account, run=run_of(account, inserted=0, tests=(phishing_test.knowbe4_id,)))

    assert found(campaign) == ("phishing_failure", "failed_test", "3 of 3")
    assert found(over)[0] == Trigger.UNKNOWN


def test_renamed_campaign_is_inferred_anew(account: Account, campaign: Campaign) -> None:
    refresh(account)
    Campaign.objects.update(name="Manager request: safe at work")
    assert refresh(account, run=run_of(account, inserted=0)) == 1
    assert found(campaign) == ("manager_request", "name", "manager request")
