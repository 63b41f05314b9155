"""Plan of a run: as much as the day allows, where change is likely, and nothing it may not conclude."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sync.models import Campaign, Change, Enrollment, PhishingTest, SyncRun
from sync.pipeline.plan import Allowance, Plan, is_full_due, likely_to_change, plan
from sync.pipeline.run import allowance
from tests.factories import CampaignFactory, EnrollmentFactory, PersonFactory, SyncRunFactory, publish

UNLIMITED = Allowance(limit=None, used=0, resets_at=None)


def allowing(spendable):
    """Return an allowance of which so many requests may be planned with."""
    return next(
        found
        for limit in range(10_000)
        if (found := Allowance(limit=limit, used=0, resets_at=None)).spendable == spendable
    )


@pytest.fixture
def berlin(db, monkeypatch):
    """Return an account in Berlin, read in full last night, with a running, a lately closed and an old campaign.

    Pages hold two rows, so that few rows make many requests.
    """
    monkeypatch.setattr("sync.pipeline.plan.PAGE", 2)
    run = SyncRunFactory(started_at=datetime(2026, 11, 23, 2, 30, tzinfo=ZoneInfo("Europe/Berlin")))
    publish(run)
    return run.account


@pytest.fixture
def campaigns(berlin, now):
    """Return the three campaigns' ids by name."""
    person = PersonFactory(account=berlin)
    made = {}
    for name, status, days, enrollments in (
        ("running", "In Progress", -30, 3),
        ("lately closed", "Closed", 10, 2),
        ("old", "Completed", 100, 20),
    ):
        campaign = CampaignFactory(account=berlin, reported_status=status, end_at=now - timedelta(days=days))
        EnrollmentFactory.create_batch(enrollments, account=berlin, campaign=campaign, person=person)
        made[name] = campaign.knowbe4_id
    return made


@pytest.fixture
def phishing_tests(berlin, now):
    """Return a test of last week, and one of last year whose results were never read."""
    return [
        PhishingTest.objects.create(
            account=berlin,
            knowbe4_id=days,
            name=f"{days} days ago",
            reported_status="Closed",
            started_at=now - timedelta(days=days),
            delivered_count=delivered,
            categories=[],
            first_seen_at=now,
        )
        for days, delivered in ((7, 10), (365, 40))
    ]


def test_the_reserve_is_a_tenth_of_the_day():
    assert Allowance(limit=2_000, used=0, resets_at=None).spendable == 1_800
    assert Allowance(limit=2_005, used=0, resets_at=None).reserve == 201
    assert Allowance(limit=2_000, used=1_700, resets_at=None).spendable == 100
    assert Allowance(limit=2_000, used=1_900, resets_at=None).spendable == 0
    assert UNLIMITED.spendable is None


def test_the_first_run_reads_everything_but_old_results(berlin, now):
    berlin.published_at = None
    first = plan(berlin, allowance=UNLIMITED, full=False, now=now)
    assert (first.kind, first.campaign_ids, first.with_results) == ("full", None, True)
    assert not first.with_older_results
    assert first.campaign_ids is None


def test_one_full_pass_each_night_and_quick_ones_between(berlin):
    def at(day, hour, minute):
        return datetime(2026, 11, day, hour, minute, tzinfo=ZoneInfo("Europe/Berlin"))

    assert not is_full_due(berlin, now=at(23, 10, 30))
    assert not is_full_due(berlin, now=at(24, 1, 59))
    assert is_full_due(berlin, now=at(24, 2, 0))
    SyncRunFactory(account=berlin, kind="quick", started_at=at(24, 2, 1))
    SyncRunFactory(account=berlin, kind="full", state="held", started_at=at(24, 2, 2))
    assert is_full_due(berlin, now=at(24, 3, 0))
    SyncRunFactory(account=berlin, kind="full", started_at=at(24, 3, 0))
    assert not is_full_due(berlin, now=at(24, 4, 0))


def test_a_quick_pass_reads_running_and_lately_closed_campaigns(berlin, campaigns, now):
    quick = plan(berlin, allowance=UNLIMITED, full=False, now=now)
    assert quick.kind == SyncRun.Kind.QUICK
    assert quick.campaign_ids == sorted([campaigns["running"], campaigns["lately closed"]])
    assert quick.campaign_ids is not None
    # Two pages of three rows, one of two.
    assert quick.requests["enrollments"] == 2 + 1
    assert likely_to_change(berlin, now=now) == {campaigns["running"]: 3, campaigns["lately closed"]: 2}


def test_a_quick_pass_reads_the_whole_list_where_that_is_cheaper(berlin, campaigns, now):
    Campaign.objects.update(reported_status="In Progress")
    quick = plan(berlin, allowance=UNLIMITED, full=False, now=now)
    assert (quick.kind, quick.campaign_ids, quick.requests["enrollments"]) == ("quick", None, 13)
    assert quick.campaign_ids is None


@pytest.mark.usefixtures("campaigns", "phishing_tests")
def test_what_does_not_fit_is_left_out_in_order(berlin, now):
    def planned(spendable):
        return plan(berlin, allowance=allowing(spendable), full=True, now=now)

    widest = plan(berlin, allowance=UNLIMITED, full=True, now=now)
    assert (widest.kind, widest.with_older_results, widest.skipped) == ("full", True, [])
    assert widest.requests["older phishing results"] == 20
    assert planned(widest.total).requests == widest.requests

    full = planned(widest.total - 1)
    assert (full.kind, full.with_results, full.with_older_results) == ("full", True, False)
    assert full.total == widest.total - 20
    assert full.skipped[0].startswith("older phishing results wait")

    quick = planned(full.total - 1)
    assert (quick.kind, quick.with_results) == ("quick", True)
    assert quick.total < full.total
    assert f"the full pass waits: it needs {full.total} requests" in quick.skipped[1]

    narrow = planned(quick.total - 1)
    assert (narrow.kind, narrow.with_results) == ("quick", False)
    assert narrow.total == quick.total - 5
    assert len(narrow.skipped) == 3

    nothing = planned(0)
    assert nothing.requests == narrow.requests
    for fitting in (full, quick, narrow):
        assert fitting.total <= fitting.limit - fitting.used - fitting.reserve


@pytest.mark.usefixtures("campaigns")
def test_a_plan_is_stored_and_read_again(berlin, now):
    quick = plan(berlin, allowance=allowing(500), full=False, now=now)
    stored = quick.as_json()
    assert stored["total"] == sum(stored["requests"].values())
    assert Plan.from_json(stored) == quick


@pytest.mark.slow
def test_a_run_keeps_its_plan_and_keeps_to_it(run, connected):
    first = run()
    assert Plan.from_json(first.plan).kind == "full"
    second = run()
    assert second.plan["total"] >= second.requests_made > 0.8 * second.plan["total"]
    assert [second.plan["skipped"], second.plan["limit"]] == [[], None]


def test_what_the_schedule_starts_leaves_the_reserve(run, connected, redis_url):
    connected.requests_per_day = 20
    connected.save()
    scheduled = run(trigger=SyncRun.Trigger.SCHEDULE)
    assert (scheduled.state, scheduled.error_kind) == ("paused", "BudgetExhausted")
    assert allowance(connected).used == 18
    by_hand = run(trigger=SyncRun.Trigger.PERSON)
    assert (by_hand.pk, by_hand.state) == (scheduled.pk, "paused")
    assert allowance(connected).used == 20


def _copy(enrollment, knowbe4_id):
    enrollment.pk, enrollment.knowbe4_id = None, knowbe4_id
    enrollment.save(force_insert=True)
    return enrollment.pk


@pytest.mark.slow
def test_enrollments_vanish_only_where_they_were_read(run, simulator, connected, company, now, monkeypatch):
    # Pages so small that campaigns one by one cost less than the whole list.
    monkeypatch.setattr("sync.pipeline.plan.PAGE", 5)
    run()
    likely = likely_to_change(connected, now=now)
    enrollments = Enrollment.objects.order_by("pk")
    unread = _copy(enrollments.exclude(campaign__knowbe4_id__in=likely).first(), 1)
    read = _copy(enrollments.filter(campaign__knowbe4_id__in=likely).first(), 2)

    def vanished():
        return set(Enrollment.objects.exclude(removed_at=None).values_list("pk", flat=True))

    quick = run(full=False)
    assert (quick.state, quick.plan["campaign_ids"]) == ("published", sorted(likely))
    assert vanished() == {read}
    assert Change.objects.get(run=quick, field="removed_at").subject_id == read
    asked = {request.query.get("campaign_id") for request in simulator.requests}
    assert {str(campaign) for campaign in likely} <= asked
    assert run().counts["enrollment"]["vanished"] == 1
    assert vanished() == {read, unread}


@pytest.mark.slow
def test_a_quick_pass_adds_campaigns_that_are_new_or_were_moved(run, simulator, connected, now, monkeypatch):
    monkeypatch.setattr("sync.pipeline.plan.PAGE", 5)
    run()
    likely = likely_to_change(connected, now=now)
    moved = Campaign.objects.exclude(knowbe4_id__in=likely).exclude(end_at=None).order_by("pk").first()
    Campaign.objects.filter(pk=moved.pk).update(end_at=moved.end_at - timedelta(days=1))
    asked = len(simulator.requests)
    quick = run(full=False)
    assert moved.knowbe4_id not in quick.plan["campaign_ids"]
    read = {request.query.get("campaign_id") for request in list(simulator.requests)[asked:]}
    assert str(moved.knowbe4_id) in read
    moved.refresh_from_db()
    assert Change.objects.filter(run=quick, subject_id=moved.pk, field="end_at").exists()
