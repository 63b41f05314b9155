"""The Overview's numbers against plain Python over the same rows."""

import random
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dashboard import metrics
from dashboard.access import Scope
from dashboard.metrics import Age, CampaignState, Rate, Summary
from dashboard.models import Membership
from dashboard.queries import overview as queries
from sync.models import Account, Enrollment
from tests import factories

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def scope(account: Account) -> Scope:
    return Scope(account, frozenset({Membership.Role.SECURITY_MANAGER}))


@pytest.fixture
def mixture(account: Account, now: datetime) -> Account:
    """Return the account with 400 enrollments of 40 people, every fact at random around now."""
    dice = random.Random(11)
    north = factories.DepartmentFactory(account=account, name="North")
    south = factories.DepartmentFactory(account=account, name="South")
    merged = factories.DepartmentFactory(account=account, name="SOUTH ", key="south 2", merged_into=south)

    def some(chance: float, ahead: int = 0) -> datetime | None:
        days = dice.uniform(-100, ahead)
        return now + timedelta(days=days) if dice.random() < chance else None

    people = [
        factories.PersonFactory(
            account=account,
            department=dice.choice([north, south, merged, None]),
            status=dice.choice(["active", "active", "active", "archived"]),
            archived_at=some(0.5),
        )
        for _ in range(40)
    ]
    campaigns = [factories.CampaignFactory(account=account) for _ in range(3)]
    campaigns.append(factories.CampaignFactory(account=account, reported_status="Cancelled"))
    content = factories.ContentItemFactory(account=account)
    Enrollment.objects.bulk_create(
        factories.EnrollmentFactory.build(
            account=account,
            person=dice.choice(people),
            campaign=dice.choice(campaigns),
            content=content,
            enrolled_at=some(1),
            due_at=some(0.9, 20),
            completed_at=some(0.6),
            removed_at=some(0.1),
            started_at=some(0.5),
            reported_status=dice.choice(["Passed", "Not Started", "Past Due", "Something new"]),
        )
        for _ in range(400)
    )
    return account


def test_headline_adds_departments_up_to_the_plain_count(mixture: Account, scope: Scope, now: datetime) -> None:
    rows = queries.departments(scope, as_of=now)
    headline = queries.headline(rows)
    for moment, totals in ((now, headline.now), (now - queries.WEEK, headline.week_ago)):
        plain = Enrollment.objects.filter(metrics.eligible()).aggregate(**metrics.totals(moment))
        assert totals == Summary.read(plain)
    assert headline.now.people_past_due > 0
    assert {row.name for row in rows} == {"North", "South", ""}
    assert [row.now.people_past_due for row in rows] == sorted((r.now.people_past_due for r in rows), reverse=True)


def test_past_due_by_day_equals_the_rule_at_each_days_end(mixture: Account, scope: Scope, now: datetime) -> None:
    days = queries.past_due_by_day(scope, as_of=now)
    assert len(days) == 90
    assert days[-1].date == now.astimezone(BERLIN).date()
    for back in (0, 1, 2, 29, 30, 31, 60, 89):
        day = days[-1 - back]
        moment = now if back == 0 else metrics.local_midnight(day.date + timedelta(days=1), BERLIN)
        expected = (
            Enrollment.objects.filter(metrics.counted(moment), metrics.past_due(moment))
            .values("person")
            .distinct()
            .count()
        )
        assert day.people == expected
    assert max(day.people for day in days) > 5


def test_past_due_by_day_counts_a_person_with_two_items_once(account: Account, scope: Scope, now: datetime) -> None:
    person = factories.PersonFactory(account=account)
    for days, done in ((10, 4), (6, None)):
        factories.EnrollmentFactory(
            account=account,
            person=person,
            due_at=now - timedelta(days=days),
            completed_at=done and now - timedelta(days=done),
        )
    counts = [day.people for day in queries.past_due_by_day(scope, as_of=now)]
    assert counts[-11:] == [1] * 11
    assert counts[-12] == 0


def test_rates_by_week_equal_the_rates_at_each_moment(mixture: Account, scope: Scope, now: datetime) -> None:
    weeks = queries.rates_by_week(scope, as_of=now)
    assert weeks[-1].at == now
    for week in weeks:
        totals = Summary.read(Enrollment.objects.filter(metrics.eligible()).aggregate(**metrics.totals(week.at)))
        assert week.completion_rate == totals.completion_rate
        assert week.on_time_rate == totals.on_time_rate


def test_ageing_puts_each_person_at_their_oldest(mixture: Account, scope: Scope, now: datetime) -> None:
    oldest: dict[int, datetime] = {}
    for row in Enrollment.objects.filter(metrics.counted(now), metrics.past_due(now)):
        oldest[row.person_id] = min(oldest.get(row.person_id, row.due_at), row.due_at)
    days = [metrics.days_past_due(due_at, now, BERLIN) for due_at in oldest.values()]
    for found in queries.ageing(scope, as_of=now):
        fewest, most = metrics.AGE_LIMITS[found.age]
        assert found.people == sum(1 for count in days if fewest <= count and (most is None or count <= most))
    assert sum(found.people for found in queries.ageing(scope, as_of=now)) == len(oldest)


def test_due_soon_by_day_spans_fifteen_days(account: Account, scope: Scope, now: datetime) -> None:
    for days in (0.1, 3, 3, 13.9, 15):
        factories.EnrollmentFactory(account=account, due_at=now + timedelta(days=days))
    days_ahead = queries.due_soon_by_day(scope, as_of=now)
    assert [day.people for day in days_ahead] == [1, 0, 0, 2] + [0] * 10 + [1]


def test_campaigns_put_active_ones_first_and_leave_cancelled_ones_empty(
    account: Account, scope: Scope, now: datetime
) -> None:
    closed = factories.CampaignFactory(account=account, reported_status="Closed")
    cancelled = factories.CampaignFactory(account=account, reported_status="Cancelled")
    active = factories.CampaignFactory(account=account)
    person = factories.PersonFactory(account=account)
    for campaign in (closed, cancelled, active):
        factories.EnrollmentFactory(account=account, campaign=campaign, person=person, due_at=now + timedelta(days=2))
    rows = queries.campaigns(scope, as_of=now)
    assert [row.state for row in rows] == [CampaignState.ACTIVE, CampaignState.CLOSED, CampaignState.CANCELLED]
    assert [row.totals.counted for row in rows] == [1, 1, 0]
    assert rows[2].totals.completion_rate == Rate(0, 0)
    assert {row.campaign for row in queries.next_deadlines(rows)} == {closed, active}


def test_nothing_at_all_is_zero_everywhere(account: Account, scope: Scope, now: datetime) -> None:
    assert queries.departments(scope, as_of=now) == []
    assert queries.headline([]) == queries.Headline(0, Summary(), Summary())
    assert {row.people for row in queries.ageing(scope, as_of=now)} == {0}
    assert {row.age for row in queries.ageing(scope, as_of=now)} == set(Age)
    assert {day.people for day in queries.past_due_by_day(scope, as_of=now)} == {0}
    assert queries.campaigns(scope, as_of=now) == []


def test_a_scope_without_a_role_finds_nothing(mixture: Account, now: datetime) -> None:
    nothing = Scope(mixture, frozenset())
    assert queries.departments(nothing, as_of=now) == []
    assert {day.people for day in queries.past_due_by_day(nothing, as_of=now)} == {0}
    assert {row.people for row in queries.ageing(nothing, as_of=now)} == {0}
    assert {day.people for day in queries.due_soon_by_day(nothing, as_of=now)} == {0}
    assert queries.campaigns(nothing, as_of=now) == []
