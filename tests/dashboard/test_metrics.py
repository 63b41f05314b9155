"""Each definition at its boundaries: the second a date falls due, the day a person leaves, nothing to count."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db.models import Q

from dashboard import metrics
from dashboard.metrics import Age, CampaignState, Counts
from dashboard.rate import Rate
from sync.models import Campaign, Enrollment
from tests import factories

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
TICK = timedelta(microseconds=1)
BERLIN = ZoneInfo("Europe/Berlin")

pytestmark = pytest.mark.django_db


def matches(enrollment: Enrollment, condition: Q) -> bool:
    return Enrollment.objects.filter(condition, pk=enrollment.pk).exists()


@pytest.mark.parametrize(("due_at", "expected"), [(NOW - TICK, True), (NOW, True), (NOW + TICK, False), (None, False)])
def test_past_due_begins_at_the_very_moment(due_at: datetime | None, expected: bool) -> None:
    assert matches(factories.EnrollmentFactory(due_at=due_at), metrics.past_due(NOW)) is expected


@pytest.mark.parametrize(("completed_at", "expected"), [(NOW - TICK, False), (NOW, False), (NOW + TICK, True)])
def test_past_due_ends_with_the_completion(completed_at: datetime, expected: bool) -> None:
    enrollment = factories.EnrollmentFactory(due_at=NOW - timedelta(days=3), completed_at=completed_at)
    assert matches(enrollment, metrics.past_due(NOW)) is expected
    assert matches(enrollment, metrics.completed(NOW)) is not expected


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ({}, "not_started"),
        ({"started_at": NOW}, "in_progress"),
        ({"started_at": NOW + TICK}, "not_started"),
        ({"started_at": NOW, "due_at": NOW}, "past_due"),
        ({"started_at": NOW, "due_at": NOW, "completed_at": NOW}, "completed"),
        ({"completed_at": NOW - timedelta(days=400)}, "completed"),
    ],
)
def test_an_enrollment_has_exactly_one_state(facts: dict[str, datetime], state: str) -> None:
    enrollment = factories.EnrollmentFactory(**facts)
    states = {
        name: matches(enrollment, getattr(metrics, name)(NOW))
        for name in ("completed", "past_due", "in_progress", "not_started")
    }
    assert states == {name: name == state for name in states}


@pytest.mark.parametrize(
    ("completed_at", "expected"),
    [(NOW - timedelta(days=1), True), (NOW - timedelta(days=1) + TICK, False), (None, False)],
)
def test_on_time_is_no_later_than_the_due_date(completed_at: datetime | None, expected: bool) -> None:
    enrollment = factories.EnrollmentFactory(due_at=NOW - timedelta(days=1), completed_at=completed_at)
    assert matches(enrollment, metrics.on_time(NOW)) is expected


def test_on_time_waits_for_the_due_date() -> None:
    enrollment = factories.EnrollmentFactory(due_at=NOW + TICK, completed_at=NOW - timedelta(days=9))
    assert not matches(enrollment, metrics.on_time(NOW))


@pytest.mark.parametrize(("due_at", "expected"), [(NOW, False), (NOW + TICK, True), (NOW + metrics.DUE_SOON, True)])
def test_open_until_is_half_open(due_at: datetime, expected: bool) -> None:
    enrollment = factories.EnrollmentFactory(due_at=due_at)
    assert matches(enrollment, metrics.open_until(NOW, NOW + metrics.DUE_SOON)) is expected


@pytest.mark.parametrize(
    ("person", "expected"),
    [
        ({"status": "active"}, True),
        ({"status": "archived", "archived_at": None}, False),
        ({"status": "archived", "archived_at": NOW}, False),
        ({"status": "archived", "archived_at": NOW + TICK}, True),
        ({"status": "active", "removed_at": NOW}, False),
        ({"status": "active", "removed_at": NOW + TICK}, True),
        ({"status": "unlisted"}, False),
        ({"status": "unlisted", "archived_at": NOW + TICK}, False),
        ({"status": "active", "archived_at": NOW - timedelta(days=90)}, True),
    ],
)
def test_counted_follows_whether_the_person_is_active(person: dict[str, object], expected: bool) -> None:
    account = factories.AccountFactory()
    enrollment = factories.EnrollmentFactory(account=account, person=factories.PersonFactory(account=account, **person))
    assert matches(enrollment, metrics.counted(NOW)) is expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"enrolled_at": NOW}, True),
        ({"enrolled_at": NOW + TICK}, False),
        ({"removed_at": NOW}, False),
        ({"removed_at": NOW + TICK}, True),
        ({"reported_status": "PASSED"}, True),
        ({"reported_status": "past due"}, True),
        ({"reported_status": "Exempted"}, False),
        ({"reported_status": ""}, False),
        ({"person": None}, False),
        ({"campaign": None}, True),
        ({"campaign__reported_status": "Cancelled"}, False),
        ({"campaign__reported_status": "canceled"}, False),
        ({"campaign__reported_status": "Closed"}, True),
        ({"campaign__removed_at": NOW - timedelta(days=1)}, True),
    ],
)
def test_counted_follows_the_enrollment_and_its_campaign(facts: dict[str, object], expected: bool) -> None:
    assert matches(factories.EnrollmentFactory(**facts), metrics.counted(NOW)) is expected


def test_rates_of_nothing_are_empty() -> None:
    assert Counts().completion_rate.percent is None
    assert Counts().on_time_rate.percent is None
    assert Counts().completion_rate.points_since(Rate(1, 2)) is None


def test_open_without_an_end_is_open_for_good() -> None:
    enrollment = factories.EnrollmentFactory(due_at=NOW + timedelta(days=900))
    assert matches(enrollment, metrics.open_until(NOW))
    assert not matches(factories.EnrollmentFactory(due_at=None), metrics.open_until(NOW))
    done = factories.EnrollmentFactory(due_at=NOW + TICK, completed_at=NOW)
    assert not matches(done, metrics.open_until(NOW))


@pytest.mark.parametrize(
    ("due_at", "days", "age"),
    [
        (NOW, 1, Age.WEEK),
        (datetime(2026, 11, 22, 22, 59, tzinfo=UTC), 1, Age.WEEK),
        (datetime(2026, 11, 15, 23, 0, tzinfo=UTC), 7, Age.WEEK),
        (datetime(2026, 11, 15, 22, 59, tzinfo=UTC), 8, Age.FORTNIGHT),
        (datetime(2026, 11, 8, 23, 0, tzinfo=UTC), 14, Age.FORTNIGHT),
        (datetime(2026, 11, 8, 22, 59, tzinfo=UTC), 15, Age.MONTH),
        (datetime(2026, 10, 24, 12, 0, tzinfo=UTC), 30, Age.MONTH),
        (datetime(2026, 10, 23, 12, 0, tzinfo=UTC), 31, Age.TWO_MONTHS),
        (datetime(2026, 9, 24, 12, 0, tzinfo=UTC), 60, Age.TWO_MONTHS),
        (datetime(2026, 8, 25, 12, 0, tzinfo=UTC), 90, Age.QUARTER),
        (datetime(2026, 8, 24, 12, 0, tzinfo=UTC), 91, Age.OLDER),
    ],
)
def test_days_past_due_and_their_bucket_count_local_days(due_at: datetime, days: int, age: Age) -> None:
    assert metrics.days_past_due(due_at, NOW, BERLIN) == days
    # The midnight that ends the day counts as the day.
    assert metrics.days_past_due(due_at, datetime(2026, 11, 23, 23, 0, tzinfo=UTC), BERLIN) == days
    fewest, most = metrics.AGE_LIMITS[age]
    assert fewest <= days
    assert most is None or days <= most


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ({"reported_status": "Created", "start_at": None}, CampaignState.CREATED),
        ({"reported_status": "Created", "start_at": NOW + TICK}, CampaignState.SCHEDULED),
        ({"reported_status": "Created", "start_at": NOW}, CampaignState.ACTIVE),
        ({"reported_status": "Enrolling"}, CampaignState.ACTIVE),
        ({"reported_status": "in progress"}, CampaignState.ACTIVE),
        ({"reported_status": "Completed"}, CampaignState.CLOSED),
        ({"reported_status": "Closed"}, CampaignState.CLOSED),
        ({"reported_status": "Canceled"}, CampaignState.CANCELLED),
        ({"reported_status": "Cancelled", "removed_at": NOW}, CampaignState.ARCHIVED),
        ({"reported_status": "In Progress", "archived_at": NOW}, CampaignState.ARCHIVED),
        ({"reported_status": "In Progress", "archived_at": NOW + TICK}, CampaignState.ACTIVE),
        ({"reported_status": "Paused by somebody"}, CampaignState.OTHER),
        ({"reported_status": ""}, CampaignState.OTHER),
    ],
)
def test_campaign_state(facts: dict[str, object], state: CampaignState) -> None:
    campaign = factories.CampaignFactory(**facts)
    assert Campaign.objects.annotate(state=metrics.campaign_state(NOW)).get(pk=campaign.pk).state == state
