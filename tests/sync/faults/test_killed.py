"""A worker killed at its worst moments, and two that are told to sync the same account."""

import time

import pytest

from sync.models import SyncRun
from sync.pipeline.run import AlreadyRunningError
from sync.pipeline.staging import Staging
from tests.sync.faults.mirror import assert_truth, dump, is_empty
from tests.sync.faults.processes import Worker, table_lock, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def start_worker(connected, simulator, tmp_path):
    """Return a function that starts a worker on the account; those left over are killed."""
    workers = []

    def start():
        workers.append(Worker(connected, simulator.clock.now(), tmp_path / f"worker{len(workers)}.log"))
        return workers[-1]

    yield start
    for worker in workers:
        if worker.process.poll() is None:
            worker.kill()


@pytest.fixture
def run_next(run):
    """Return a function that syncs as soon as Postgres has noticed that the worker is dead."""

    def sync_next():
        deadline = time.monotonic() + 20
        while True:
            try:
                return run()
            except AlreadyRunningError:
                assert time.monotonic() < deadline, "the lock of a dead worker stays"
                time.sleep(0.05)

    return sync_next


def test_killed_in_fetch_the_next_run_goes_on_at_the_page(
    start_worker, run_next, simulator, connected, company, now, fault
):
    with fault("slow-connect:resource=enrollments,after=2,seconds=60"):
        worker = start_worker()
        staging = Staging(connected.pk)

        def has_two_pages():
            read = staging.progress().get("enrollments") if staging.held_run() else None
            return read is not None and read.pages == 2

        wait_until(has_two_pages)
        worker.kill()
    killed = SyncRun.objects.get()
    assert (killed.state, killed.phase) == ("running", "fetch")
    assert is_empty(connected)
    asked = len(simulator.requests)
    done = run_next()
    assert (done.pk, done.state) == (killed.pk, "published")
    paths = [request.path for request in list(simulator.requests)[asked:]]
    assert "/v1/users" not in paths
    assert paths.count("/v1/training/enrollments") == 1
    assert_truth(connected, company, now, first=True)


def test_killed_in_check_the_next_run_checks_again(
    start_worker, run_next, run_during, simulator, connected, company, now
):
    paused = run_during("html:resource=enrollments,after=2")
    schema = Staging(connected.pk).schema
    # The checks make an index on it, which has to wait.
    with table_lock(f'LOCK TABLE "{schema}".enrollment IN ROW EXCLUSIVE MODE') as is_awaited:
        worker = start_worker()
        wait_until(is_awaited)
        assert SyncRun.objects.get().phase == "check"
        worker.kill()
        assert is_empty(connected)
    asked = len(simulator.requests)
    done = run_next()
    assert (done.pk, done.state) == (paused.pk, "published")
    assert len(simulator.requests) == asked
    assert_truth(connected, company, now, first=True)


@pytest.mark.parametrize("first", [True, False], ids=["first", "later"])
def test_killed_inside_publish_nothing_of_it_is_seen(start_worker, run_next, simulator, connected, company, now, first):
    if not first:
        run_next()
        simulator.clock.set(now.replace(month=12))
    before = dump(connected)
    # Results come last: everything else is written by then, and not committed.
    with table_lock("LOCK TABLE sync_phishingresult IN SHARE MODE") as is_awaited:
        worker = start_worker()
        wait_until(is_awaited)
        cut = SyncRun.objects.latest("pk")
        assert (cut.state, cut.phase) == ("running", "publish")
        worker.kill()
        assert dump(connected) == before
        # Postgres notices while it still waits: no transaction without its worker holds up the next run.
        wait_until(lambda: not is_awaited(), patience=10)
    asked = len(simulator.requests)
    done = run_next()
    assert (done.pk, done.state) == (cut.pk, "published")
    assert len(simulator.requests) == asked
    assert_truth(connected, company, simulator.clock.now(), first=first)


def test_of_two_workers_one_syncs(start_worker, connected, company, now):
    with table_lock("LOCK TABLE sync_phishingresult IN SHARE MODE"):
        workers = [start_worker(), start_worker()]
        wait_until(lambda: any(worker.process.poll() is not None for worker in workers))
        loser, winner = sorted(workers, key=lambda worker: worker.process.poll() is None)
        assert loser.said == "A sync of Demo is already running.\n"
    winner.wait()
    assert "published" in winner.said
    assert [run.state for run in SyncRun.objects.all()] == ["published"]
    assert_truth(connected, company, now, first=True)
