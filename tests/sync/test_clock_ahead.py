"""A clock that was ahead for a while holds nothing up: no schedule, no order, no latest, no mail, no request."""

import os
from datetime import UTC, datetime, time, timedelta

import pytest
import redis
import time_machine

from config.beat import Scheduler
from config.celery import app
from dashboard import rollups
from dashboard.files import jobs
from dashboard.models import Delivery, Export, Occurrence, PersonStanding, RollupState, Schedule
from dashboard.outbox import occurrences
from sync.knowbe4.pacing import Pacer
from sync.models import SyncRun
from sync.pipeline.schedule import accounts_due
from tests import factories
from tests.sync.truth import expected_enrollments, mirrored_enrollments

AHEAD = timedelta(hours=30)
MOMENTS = ("started_at", "heartbeat_at", "finished_at", "published_at", "resume_at")


def move_ahead(run):
    """Leave the run as a machine would have left it whose clock was ahead."""
    for name in MOMENTS:
        if getattr(run, name):
            setattr(run, name, getattr(run, name) + AHEAD)
    run.save()
    return run


@pytest.fixture
def account(db):
    account = factories.AccountFactory()
    account.api_key = "a-key"
    account.save()
    return account


@pytest.mark.parametrize("state", ["published", "failed", "held", "paused", "running", "discarded"])
def test_a_run_of_the_future_does_not_hold_the_schedule(account, now, state):
    resume_at = now + timedelta(hours=20) if state == "paused" else None
    move_ahead(factories.SyncRunFactory(account=account, state=state, resume_at=resume_at))
    # A paused one is waited for where it is no longer of the future.
    moments = (0, 2, 20, 29) if state == "paused" else (0, 2, 20, 32)
    assert [account in accounts_due(now=now + timedelta(hours=hours)) for hours in moments] == [True] * 4


def test_the_next_run_is_the_latest_and_the_schedule_goes_by_it(account, now):
    move_ahead(factories.SyncRunFactory(account=account))
    factories.SyncRunFactory(account=account, started_at=now)
    assert accounts_due(now=now + timedelta(minutes=5)) == []
    assert accounts_due(now=now + timedelta(minutes=61)) == [account]


def test_what_was_staged_by_a_clock_ahead_is_read_anew_and_the_numbers_are_those_of_now(
    run, connected, simulator, company, now
):
    simulator.clock.set(now + AHEAD)
    ahead = run()
    cut = SyncRun.objects.create(
        account=connected, kind="full", trigger="schedule", state="paused", phase="fetch", plan=ahead.plan,
        started_at=now + AHEAD, heartbeat_at=now + AHEAD,
    )  # fmt: skip
    simulator.clock.set(now)
    done = run(full=False)
    assert (done.number, done.kind, done.state) == (cut.number + 1, "full", "published")
    connected.refresh_from_db()
    assert (connected.published_run_id, connected.data_as_of) == (done.pk, done.started_at)
    mirrored, expected = mirrored_enrollments(connected), expected_enrollments(company, now)
    assert {key: mirrored[key][:5] for key in expected} == {key: row[:5] for key, row in expected.items()}


@pytest.fixture
def beat(tmp_path):
    """Return a way to start beat on one file, and the names of what it sends."""
    sent = []

    class Counting(Scheduler):
        def apply_entry(self, entry, producer=None):
            sent.append(entry.name)

    return lambda: Counting(app, schedule_filename=str(tmp_path / "schedule"), lazy=False), sent


# What has a time of day keeps it.
INTERVALS = {
    name: entry["schedule"] for name, entry in app.conf.beat_schedule.items() if isinstance(entry["schedule"], float)
}


def tick(scheduler, moment):
    """Let beat run at a moment until it has nothing more to send; return how long it would sleep."""
    with time_machine.travel(moment, tick=False):
        return [scheduler.tick() for _ in range(2 * len(app.conf.beat_schedule))][-1]


def test_beat_goes_on_when_the_clock_is_set_back(beat, now):
    start, sent = beat
    with time_machine.travel(now + AHEAD, tick=False):
        scheduler = start()
    tick(scheduler, now + AHEAD + timedelta(hours=1))
    sent.clear()
    assert tick(scheduler, now) <= 60
    assert set(sent) >= INTERVALS.keys()
    sent.clear()
    tick(scheduler, now + timedelta(seconds=61))
    assert set(sent) == {name for name, interval in INTERVALS.items() if interval <= 60}
    scheduler.close()


def test_beat_started_with_a_file_of_the_future_sends_at_once(beat, now):
    start, sent = beat
    for moment in (now + AHEAD, now):
        sent.clear()
        with time_machine.travel(moment, tick=False):
            scheduler = start()
        tick(scheduler, moment + timedelta(minutes=11))
        scheduler.close()
        assert set(sent) >= INTERVALS.keys()


@pytest.fixture
def counted_ahead(redis_url, now):
    """Return a pacer whose Redis counted, and held, when its clock was ahead; it stops where it would sleep."""

    def sleep(seconds):
        raise TimeoutError(seconds)

    with redis.Redis.from_url(redis_url) as connection:
        pacer = Pacer(
            connection, "ahead", per_second=2, per_minute=5, per_day=9, sleep=sleep,
            now=lambda: datetime.fromtimestamp(connection.time()[0], UTC),
        )  # fmt: skip
        ahead = int((connection.time()[0] + AHEAD.total_seconds()) * 1_000_000)
        connection.lpush(pacer._recent, *[ahead - 5 + place for place in range(5)])
        connection.hset(pacer._day, mapping={"start": ahead, "count": 5})
        connection.set(pacer._hold, f"{ahead + 600_000_000} {ahead}")
        yield pacer, connection


@pytest.mark.parametrize(("is_held", "longest"), [(True, 600), (False, 61)], ids=["hold", "minute"])
def test_requests_counted_in_the_future_hold_nothing_longer_than_their_windows(counted_ahead, is_held, longest):
    pacer, connection = counted_ahead
    if not is_held:
        connection.delete(pacer._hold)
    waits = []
    with pytest.raises(TimeoutError):
        pacer.acquire(lambda seconds, window: waits.append((window, seconds)))
    assert waits == [("hold" if is_held else "minute", pytest.approx(longest, abs=3))]
    usage = pacer.usage()
    assert usage.day == 5
    assert usage.day_resets_at <= pacer._now() + timedelta(days=1, seconds=3)


def test_a_hold_of_the_future_is_replaced_by_one_of_now(counted_ahead):
    pacer, connection = counted_ahead
    pacer.blocked_until(pacer._now() + timedelta(seconds=20))
    ends = int(connection.get(pacer._hold).split()[0]) / 1_000_000
    assert ends - connection.time()[0] == pytest.approx(20, abs=3)


@pytest.fixture
def delivery(account, now):
    """Return a mail that a clock that was ahead has put off and queued."""
    reader = factories.UserFactory()
    schedule = Schedule.objects.create(
        account=account, owner=reader, name="Weekly", content="figures", frequency="weekly", weekday=0,
        at_time=time(9, 0), created_at=now + AHEAD, since=now + AHEAD,
    )  # fmt: skip
    occurrence = Occurrence.objects.create(account=account, schedule=schedule, due_at=now, created_at=now)
    return Delivery.objects.create(
        account=account, occurrence=occurrence, recipient=reader, next_try_at=now + AHEAD, queued_at=now + AHEAD
    )


def test_a_mail_put_off_in_the_future_is_queued_once_each_five_minutes(delivery, now):
    moments = [now + timedelta(minutes=minutes) for minutes in (0, 1, 6)]
    assert [occurrences.to_queue(moment) for moment in moments] == [[delivery.pk], [], [delivery.pk]]


def test_a_schedule_begun_in_the_future_begins_now(delivery, now):
    assert occurrences.note_due(now) == []
    assert [found.schedule_id for found in occurrences.note_due(now + timedelta(days=7))] == [
        delivery.occurrence.schedule_id
    ]


def test_files_of_the_future_are_made_and_forgotten_as_others(account, now, tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path
    values = {"account": account, "user": factories.UserFactory(), "table": "people", "format": "csv", "parameters": {}}
    asked = Export.objects.create(**values, requested_at=now + AHEAD)
    made = Export.objects.create(
        **values, requested_at=now, state="ready", expires_at=now + AHEAD + timedelta(hours=24)
    )
    assert jobs.forgotten(Export, now) == [asked.pk]
    assert [jobs.forget_expired(Export, now + timedelta(hours=hours)) for hours in (0, 23, 24)] == [0, 0, 1]
    made.refresh_from_db()
    assert made.state == "expired"


def test_rollups_of_the_future_are_built_anew(account, now):
    person = factories.PersonFactory(account=account)
    factories.EnrollmentFactory(account=account, person=person, due_at=now + timedelta(hours=3))
    for hours in (30, 5):
        rollups.rebuild(account, at=now + timedelta(hours=hours))
        assert PersonStanding.objects.get(person=person).past_due == 1
        rollups.advance(account, at=now)
        assert PersonStanding.objects.get(person=person).past_due == 0
        assert RollupState.objects.get(account=account).horizon <= now


def test_beat_tells_that_it_lives_where_its_file_is_written_at_the_end(beat, tmp_path, monkeypatch):
    start, _sent = beat
    scheduler = start()
    files = list(tmp_path.iterdir())
    for file in files:
        os.utime(file, (0, 0))
    # As ndbm has it; which library there is depends on how Python was built.
    monkeypatch.setattr(scheduler._store, "sync", lambda: None)
    scheduler.sync()
    assert files
    assert all(file.stat().st_mtime > 0 for file in files)
