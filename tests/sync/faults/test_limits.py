"""KnowBe4's request limits, met by a client that hurries and by one whose day is over."""

import time
from datetime import timedelta
from functools import partial

import pytest

from sync.knowbe4.pacing import Pacer, Windows
from sync.knowbe4.retry import Retry
from sync.models import SyncRun
from sync.pipeline.schedule import accounts_due
from sync.simulator.limits import Limits
from tests.sync.faults.conftest import AT_ONCE
from tests.sync.faults.mirror import assert_truth, is_empty


@pytest.mark.slow
def test_a_burst_lock_out_without_retry_after_is_waited_out(run, simulator, connected, company, now):
    simulator.service.limits = Limits(per_second=1_000, per_minute=12, minute=1.5, lockout=2.0)
    waits = []
    done = run(retry=Retry(lockout=10.0), on_wait=lambda seconds, why: waits.append(why))
    assert done.state == "published"
    assert set(waits) == {"429"}
    assert_truth(connected, company, now, first=True)


@pytest.mark.slow
def test_retry_after_is_obeyed(run_during, connected, company, now):
    waits = []
    done = run_during(
        "rate-limited-retry-after:resource=enrollments,times=2,seconds=1",
        retry=Retry(),
        on_wait=lambda seconds, why: waits.append((seconds, why)),
    )
    assert done.state == "published"
    assert waits == [(1.0, "429")] * 2
    assert_truth(connected, company, now, first=True)


def test_a_paced_account_is_never_refused(run, simulator, connected, company, now, monkeypatch, redis_url):
    monkeypatch.setattr("sync.pipeline.run.Pacer", partial(Pacer, windows=Windows(second=0.11, minute=0.6)))
    connected.requests_per_second, connected.requests_per_minute = 10, 40
    connected.save()
    simulator.service.limits = Limits(per_second=1_000, per_minute=40, minute=0.5, lockout=60.0)
    assert run(retry=AT_ONCE).state == "published"
    assert {request.status for request in simulator.requests} == {200}


@pytest.fixture
def day_of(simulator, connected, monkeypatch, now):
    """Return a function that gives the account a day of so many requests and seconds, at KnowBe4's and at ours."""

    def set_day(requests, seconds, *, ours=True):
        monkeypatch.setattr("sync.pipeline.run.Pacer", partial(Pacer, windows=Windows(day=seconds)))
        simulator.service.limits = Limits(per_second=1_000, per_minute=1_000, per_day=requests, day=seconds)
        # KnowBe4 adds its seats to the day: what the account was told of them counts from the first sync on.
        connected.requests_per_second = connected.requests_per_minute = None
        connected.requests_per_day = requests if ours else None
        connected.save()
        simulator.clock.set(now)

    return set_day


@pytest.mark.slow
@pytest.mark.parametrize("ours", [True, False], ids=["by our count", "by a 429"])
def test_a_day_used_up_pauses_the_run_until_the_window_opens(run, simulator, connected, company, day_of, ours):
    day_of(12, 3.0, ours=ours)
    first = run(retry=AT_ONCE)
    assert (first.state, first.error_kind) == ("paused", "BudgetExhausted" if ours else "RateLimited")
    assert is_empty(connected)
    if not ours:
        # All that a 429 tells is that the day is over; when it began is our guess.
        assert timedelta(hours=23) < first.resume_at - first.started_at <= timedelta(hours=25)
    assert accounts_due(now=first.resume_at - timedelta(seconds=0.5)) == []
    assert accounts_due(now=first.resume_at) == [connected]
    runs = [first]
    while runs[-1].state == "paused" and len(runs) < 10:
        asked = len(simulator.requests)
        _sleep_until_the_window_opens(simulator)
        runs.append(run(retry=AT_ONCE))
        assert "/v1/account" not in {request.path for request in list(simulator.requests)[asked:]}
    assert runs[-1].state == "published"
    assert {run.pk for run in runs} == {first.pk}
    assert_truth(connected, company, simulator.clock.now(), first=True)


def _sleep_until_the_window_opens(simulator):
    limits = simulator.service.limits
    time.sleep(max(0.0, limits._day[0] + limits.day + 0.2 - time.monotonic()))


@pytest.mark.slow
def test_a_run_that_waited_for_the_day_to_end_goes_on_after_more_than_six_hours(
    run, run_during, simulator, connected, company
):
    paused = run_during("daily-limit:resource=enrollments,after=1")
    assert paused.resume_at - paused.started_at > timedelta(hours=20)
    simulator.clock.set(paused.resume_at + timedelta(minutes=1))
    assert accounts_due(now=simulator.clock.now()) == [connected]
    done = run()
    assert (done.pk, done.state) == (paused.pk, "published")
    stale = run_during("daily-limit:resource=enrollments,after=1")
    simulator.clock.set(stale.resume_at + timedelta(hours=7))
    fresh = run()
    assert (fresh.pk == stale.pk, fresh.state) == (False, "published")
    assert SyncRun.objects.get(pk=stale.pk).state == "failed"
    assert_truth(connected, company, simulator.clock.now())


@pytest.mark.slow
def test_a_full_sync_does_not_go_on_with_a_quick_one_that_was_interrupted(run, run_during, simulator, now):
    run()
    simulator.clock.set(now + timedelta(hours=1))
    quick = run_during("html:resource=campaigns", full=False)
    assert (quick.kind, quick.state) == ("quick", "paused")
    again = run_during("html:resource=campaigns")
    assert (again.kind, again.state, again.number) == ("full", "paused", quick.number + 1)
    done = run()
    assert (done.pk, done.kind, done.state) == (again.pk, "full", "published")
    assert SyncRun.objects.get(pk=quick.pk).state == "failed"
