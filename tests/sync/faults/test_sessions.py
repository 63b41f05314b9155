"""An administrator ends the database session of a sync: the run is paused and goes on, wherever it was."""

import threading

import psycopg
import pytest
from django.db import connection

from sync.models import SyncRun
from sync.pipeline.schedule import accounts_due
from tests.sync.faults.mirror import assert_truth, is_empty
from tests.sync.faults.processes import database_url, table_lock, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def end_session(pid):
    with psycopg.connect(database_url(), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


def ends_when(is_so):
    """Return a listener that ends the sync's own session once, as soon as the run is there."""
    ended = []

    def listener(run):
        if not ended and is_so(run):
            ended.append(run.pk)
            end_session(connection.connection.info.backend_pid)

    return listener


@pytest.mark.parametrize(
    "is_so",
    [
        lambda run: run.resources.get("enrollment", {}).get("state") == "reading",
        lambda run: run.resources.get("enrollment", {}).get("rows", 0) > 0,
        lambda run: run.phase == "check",
        lambda run: run.phase == "publish",
    ],
    ids=["reading", "page", "check", "publish"],
)
def test_a_run_whose_session_is_ended_is_paused_and_goes_on(run, connected, company, now, simulator, is_so):
    paused = run(listener=ends_when(is_so))
    assert (paused.state, paused.message) == (
        "paused",
        "The database went away; the next sync goes on where this one stopped.",
    )
    assert is_empty(connected)
    asked = len(simulator.requests)
    done = run()
    assert (done.pk, done.state) == (paused.pk, "published")
    assert "/v1/users" not in [request.path for request in list(simulator.requests)[asked:]]
    assert_truth(connected, company, now, first=True)


def test_a_run_whose_database_takes_nothing_is_paused_and_goes_on(run, connected, company, now):
    """As at a fail-over: the server that was written to is a standby now, and another one is reached next."""
    told = []

    def listener(current):
        if not told and current.resources.get("enrollment", {}).get("rows", 0) > 0:
            told.append(current.pk)
            with connection.cursor() as cursor:
                cursor.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")

    paused = run(listener=listener)
    assert (paused.pk, paused.state, SyncRun.objects.count()) == (*told, "paused", 1)
    done = run()
    assert (done.pk, done.state) == (paused.pk, "published")
    assert_truth(connected, company, now, first=True)


def test_a_session_ended_in_the_middle_of_publish(run, connected, company, now):
    with table_lock("LOCK TABLE sync_phishingresult IN SHARE MODE") as is_awaited:
        connection.ensure_connection()
        pid = connection.connection.info.backend_pid
        ending = threading.Thread(target=lambda: (wait_until(is_awaited), end_session(pid)))
        ending.start()
        paused = run()
        ending.join()
    assert (paused.state, SyncRun.objects.count()) == ("paused", 1)
    assert is_empty(connected)
    done = run()
    assert (done.pk, done.state) == (paused.pk, "published")
    assert_truth(connected, company, now, first=True)


def test_a_killed_run_is_due_at_once_and_one_at_work_is_not(connected, now):
    SyncRun.objects.create(
        account=connected, kind="full", trigger="schedule", state="running", phase="fetch",
        started_at=now, heartbeat_at=now,
    )  # fmt: skip
    with psycopg.connect(database_url(), autocommit=True) as worker:
        worker.execute("SELECT pg_advisory_lock(20611, %s)", [connected.pk])
        assert accounts_due(now=now) == []
    wait_until(lambda: accounts_due(now=now) == [connected], patience=5)
