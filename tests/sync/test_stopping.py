"""Stopping a run by hand: it ends at its next page, publishes nothing, and stands in nobody's way."""

from datetime import timedelta

import pytest
from django.db import connection

from dashboard.models import User
from sync import tasks
from sync.models import Enrollment, SyncRun
from sync.pipeline.staging import Staging
from sync.pipeline.stopping import StopAskedError, run_stoppable
from tests import factories
from tests.sync.conftest import IMPATIENT


@pytest.fixture
def ines(db):
    return User.objects.create_user("ines@brackwater.example", "a long enough phrase")


@pytest.fixture
def ask(ines, simulator):
    """Return a listener that asks for a stop once the run reads the list of this title."""

    def asking(title):
        def listener(run):
            reading = [entry["title"] for entry in run.resources.values() if entry["state"] == "reading"]
            if title in reading:
                SyncRun.objects.filter(pk=run.pk).update(resolved_by=ines, resolved_at=simulator.clock.now())

        return listener

    return asking


@pytest.fixture
def sync(connected, simulator):
    """Sync the account as a worker does, until somebody stops it."""

    def sync_now(**options):
        connected.refresh_from_db()
        options = {"trigger": SyncRun.Trigger.PERSON, "retry": IMPATIENT, "now": simulator.clock.now, **options}
        return run_stoppable(connected, **options)

    return sync_now


def test_it_ends_at_the_next_page_and_publishes_nothing(sync, ask, connected, ines, simulator):
    stopped = sync(listener=ask("Enrollments"))
    assert (stopped.state, stopped.error_kind) == ("discarded", StopAskedError.__name__)
    assert stopped.message == "Stopped by hand while reading enrollments; what it had read is dropped."
    assert (stopped.resolved_by, stopped.finished_at) == (ines, simulator.clock.now())
    assert stopped.published_at is None
    assert not Enrollment.objects.exists()
    assert Staging(connected.pk).held_run() is None


@pytest.mark.slow
def test_the_next_sync_is_one_of_its_own(sync, ask, simulator):
    stopped = sync(listener=ask("Enrollments"))
    simulator.clock.set(simulator.clock.now() + timedelta(minutes=1))
    done = sync()
    assert (done.state, done.resolved_at) == ("published", None)
    assert done.pk != stopped.pk
    assert SyncRun.objects.get(pk=stopped.pk).state == "discarded"


@pytest.mark.slow
def test_a_run_whose_worker_died_is_ended_and_not_resumed(sync, connected, ines, simulator):
    def die(run):
        if any(entry["title"] == "Enrollments" and entry["rows"] for entry in run.resources.values()):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sync(listener=die)
    dead = SyncRun.objects.get()
    assert dead.state == "running"
    SyncRun.objects.filter(pk=dead.pk).update(resolved_by=ines, resolved_at=simulator.clock.now())
    assert sync().state == "published"
    dead.refresh_from_db()
    assert (dead.state, dead.resolved_by) == ("discarded", ines)


def test_a_stop_that_comes_too_late_changes_nothing(sync, ines):
    def late(run):
        if run.state == "published":
            SyncRun.objects.filter(pk=run.pk).update(resolved_by=ines)

    done = sync(listener=late)
    assert done.state == "published"
    assert Enrollment.objects.exists()


def test_the_second_of_two_decisions_comes_to_nothing(connected, caplog):
    """Two readers decide about one held run: the first is heard, the other's task ends without a traceback."""
    run = factories.SyncRunFactory(account=connected, state="held", phase="check")
    staging = Staging(connected.pk)
    staging.create(run.pk)
    tasks.resolve_run(run_id=run.pk, publish=False, reason="A fault there.")
    tasks.resolve_run(run_id=run.pk, publish=True, reason="All the same.")
    run.refresh_from_db()
    assert (run.state, run.resolution) == ("discarded", "A fault there.")
    assert f"a decision came to nothing: {run} is not held any more" in caplog.text
    assert connection.is_usable()
