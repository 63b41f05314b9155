"""The Overview's numbers against plain Python over the same rows."""

import random
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db.models import QuerySet

from dashboard import metrics, rollups
from dashboard.access import Scope
from dashboard.local_days import local_midnight
from dashboard.metrics import CampaignState, Counts
from dashboard.models import Exemption, Membership, RollupState, User
from dashboard.queries import overview as queries
from dashboard.rate import Rate
from sync.models import Account, Enrollment
from tests import factories

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def scope(account: Account) -> Scope:
    return Scope(account=account, roles=frozenset({Membership.Role.SECURITY_MANAGER}))


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
    rollups.rebuild(account, at=now)
    return account


@pytest.fixture(params=["tallies", "facts"])
def way(request: pytest.FixtureRequest, mixture: Account) -> str:
    """Let the tallies answer, then, as before a first sync's tallies are worked out, the facts alone."""
    if request.param == "facts":
        RollupState.objects.filter(account=mixture).update(tallies_from=None)
    return str(request.param)


def counted(moment: datetime) -> QuerySet[Enrollment]:
    return Enrollment.objects.filter(metrics.counted(moment))


def people(rows: QuerySet[Enrollment]) -> int:
    return rows.values("person").distinct().count()


def test_headline_is_the_plain_count(mixture: Account, scope: Scope, now: datetime, way: str) -> None:
    found = queries.overview(scope, as_of=now)
    week_ago = local_midnight(found.headline.week_ago_date + timedelta(days=1), BERLIN)
    assert week_ago == now.astimezone(BERLIN).replace(day=17, hour=0, minute=0)
    for moment, counts in ((now, found.headline.now), (week_ago, found.headline.week_ago)):
        rows = counted(moment)
        assert counts.counted == rows.count()
        assert counts.completed == rows.filter(metrics.completed(moment)).count()
        assert counts.past_due == rows.filter(metrics.past_due(moment)).count()
        assert counts.due == rows.filter(due_at__lte=moment).count()
        assert counts.on_time == rows.filter(metrics.on_time(moment)).count()
        assert counts.people_past_due == people(rows.filter(metrics.past_due(moment)))
    assert found.headline.now.people_past_due > 0


def test_departments_add_up_to_the_headline(mixture: Account, scope: Scope, now: datetime, way: str) -> None:
    found = queries.overview(scope, as_of=now)
    assert {row.name for row in found.departments} == {"North", "South", ""}
    assert sum((row.now for row in found.departments), Counts()) == found.headline.now
    past_due = [row.now.people_past_due for row in found.departments]
    assert past_due == sorted(past_due, reverse=True)


def test_past_due_by_day_equals_the_rule_at_each_days_end(
    mixture: Account, scope: Scope, now: datetime, way: str
) -> None:
    days = queries.overview(scope, as_of=now).past_due_by_day
    assert len(days) == 90
    assert days[-1].date == now.astimezone(BERLIN).date()
    for back in (0, 1, 2, 29, 30, 31, 60, 89):
        day = days[-1 - back]
        moment = now if back == 0 else local_midnight(day.date + timedelta(days=1), BERLIN)
        assert day.people == people(counted(moment).filter(metrics.past_due(moment)))
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
    rollups.rebuild(account, at=now)
    counts = [day.people for day in queries.overview(scope, as_of=now).past_due_by_day]
    assert counts[-11:] == [1] * 11
    assert counts[-12] == 0


def test_a_past_day_is_as_it_was(mixture: Account, scope: Scope, now: datetime, way: str) -> None:
    moment = now.astimezone(BERLIN).replace(day=12, hour=0, minute=0)
    found = queries.overview(scope, as_of=moment)
    rows = counted(moment)
    assert [str(day.date) for day in found.past_due_by_day[-2:]] == ["2026-11-10", "2026-11-11"]
    assert str(found.headline.week_ago_date) == "2026-11-04"
    assert found.headline.now.counted == rows.count()
    assert found.headline.now.people_past_due == people(rows.filter(metrics.past_due(moment)))
    assert found.due_soon.people == people(rows.filter(metrics.open_until(moment, moment + metrics.DUE_SOON)))


def test_due_soon_counts_each_person_once(mixture: Account, scope: Scope, now: datetime, way: str) -> None:
    found = queries.overview(scope, as_of=now).due_soon
    work = counted(now).filter(metrics.open_until(now, now + metrics.DUE_SOON))
    assert found.people == people(work) > 5
    on_days = {(row.person_id, row.due_at.astimezone(BERLIN).date()) for row in work if row.due_at}
    assert {day.date: day.people for day in found.days if day.people} == {
        day: sum(1 for _person, other in on_days if other == day) for _person, day in on_days
    }


def test_due_soon_spans_fifteen_days(account: Account, scope: Scope, now: datetime) -> None:
    for days in (0.1, 3, 3, 13.9, 15):
        factories.EnrollmentFactory(account=account, due_at=now + timedelta(days=days))
    rollups.rebuild(account, at=now)
    found = queries.overview(scope, as_of=now).due_soon
    assert [day.people for day in found.days] == [1, 0, 0, 2] + [0] * 10 + [1]
    assert found.people == 4


def test_campaigns_are_counted_and_know_their_next_deadline(
    mixture: Account, scope: Scope, now: datetime, way: str
) -> None:
    found = queries.overview(scope, as_of=now)
    assert any(row.next_due_at for row in found.campaigns)
    for row in found.campaigns:
        rows = counted(now).filter(campaign=row.campaign)
        open_rows = rows.filter(metrics.open_until(now)).order_by("due_at")
        assert row.next_due_at == open_rows.values_list("due_at", flat=True).first()
        assert row.totals.counted == rows.count()
        assert row.totals.people_past_due == people(rows.filter(metrics.past_due(now)))
        assert row.open == rows.filter(metrics.in_progress(now) | metrics.not_started(now)).count()


def test_campaigns_put_active_ones_first_and_leave_cancelled_ones_empty(
    account: Account, scope: Scope, now: datetime
) -> None:
    closed = factories.CampaignFactory(account=account, reported_status="Closed")
    cancelled = factories.CampaignFactory(account=account, reported_status="Cancelled")
    active = factories.CampaignFactory(account=account)
    person = factories.PersonFactory(account=account)
    for campaign in (closed, cancelled, active):
        factories.EnrollmentFactory(account=account, campaign=campaign, person=person, due_at=now + timedelta(days=2))
    rollups.rebuild(account, at=now)
    rows = queries.overview(scope, as_of=now).campaigns
    assert [row.state for row in rows] == [CampaignState.ACTIVE, CampaignState.CLOSED, CampaignState.CANCELLED]
    assert [row.totals.counted for row in rows] == [1, 1, 0]
    assert rows[2].totals.completion_rate == Rate(0, 0)
    assert {row.campaign for row in queries.next_deadlines(rows)} == {closed, active}


def test_what_is_exempt_is_nowhere_but_in_its_own_count(
    account: Account, scope: Scope, now: datetime, alice: User, ines: User
) -> None:
    campaign = factories.CampaignFactory(account=account)
    late, soon = (factories.PersonFactory(account=account) for _ in range(2))
    for person, days in ((late, -3), (soon, 3)):
        factories.EnrollmentFactory(
            account=account, campaign=campaign, person=person, due_at=now + timedelta(days=days)
        )
        Exemption.objects.create(
            account=account,
            person=person,
            reason=Exemption.Reason.LEAVE,
            requested_by=alice,
            requested_at=now - timedelta(days=30),
            approved_by=ines,
            approved_at=now - timedelta(days=30),
            starts_at=now - timedelta(days=30),
        )
    rollups.rebuild(account, at=now)
    found = queries.overview(scope, as_of=now)
    assert found.headline.exempt == 2
    assert found.headline.now.counted == found.headline.now.people_past_due == found.due_soon.people == 0
    assert found.campaigns[0].next_due_at is None


def test_nothing_at_all_is_zero_everywhere(account: Account, scope: Scope, now: datetime) -> None:
    found = queries.overview(scope, as_of=now)
    assert found.departments == found.campaigns == ()
    assert found.headline.now == found.headline.week_ago == Counts()
    assert {day.people for day in (*found.past_due_by_day, *found.due_soon.days)} == {0}


def test_a_scope_without_a_role_finds_nothing(mixture: Account, now: datetime) -> None:
    found = queries.overview(Scope(account=mixture, roles=frozenset()), as_of=now)
    assert found.departments == found.campaigns == ()
    assert found.headline.now == Counts()
    assert {day.people for day in (*found.past_due_by_day, *found.due_soon.days)} == {0}
