"""Answers that are none: while they last nothing new is shown, and when they have passed everything is."""

import socket
from contextlib import ExitStack
from datetime import timedelta
from functools import partial

import pytest

from sync.knowbe4.client import Client
from sync.pipeline.schedule import accounts_due
from tests.sync.conftest import IMPATIENT
from tests.sync.faults.conftest import AT_ONCE
from tests.sync.faults.mirror import assert_truth, dump, is_empty

pytestmark = pytest.mark.slow
LASTING = {
    "rate-limited:resource=enrollments,after=1": ("paused", "RateLimited"),
    "rate-limited-retry-after:resource=enrollments,after=1,seconds=1200": ("paused", "RateLimited"),
    "burst-limit:resource=campaigns": ("paused", "RateLimited"),
    "daily-limit:resource=groups": ("paused", "RateLimited"),
    "server-error:resource=enrollments,after=2": ("paused", "ServerFault"),
    "unavailable:resource=users,after=1": ("paused", "ServerFault"),
    "unauthorized-midway:resource=enrollments": ("failed", "Unauthorized"),
    "forbidden-midway:resource=enrollments": ("failed", "Forbidden"),
    "not-found-midway:resource=enrollments": ("failed", "NotFound"),
    "slow-connect:resource=enrollments,after=1,seconds=0.1": ("paused", "Unreachable"),
    "cut-body:resource=enrollments,after=1": ("paused", "Unreachable"),
    "truncated-json:resource=enrollments,after=1": ("paused", "InvalidReply"),
    "html:resource=recipients,after=1": ("paused", "InvalidReply"),
    "message-200:resource=enrollments,after=1": ("failed", "Unauthorized"),
    "repeated-cursor:resource=enrollments": ("held", "PagingBroken"),
    "page-ignored:resource=enrollments": ("held", "PagingBroken"),
}
PASSING = (
    "rate-limited-retry-after:resource=enrollments,times=1,seconds=1",
    "server-error:resource=enrollments,times=2",
    "unavailable:resource=users,times=1",
    "slow-connect:resource=enrollments,times=1,seconds=0.1",
    "cut-body:resource=enrollments,after=1,times=1",
    "truncated-json:resource=enrollments,after=2,times=1",
    "html:resource=enrollments,times=1",
)


@pytest.mark.parametrize(("text", "outcome"), LASTING.items(), ids=[text.partition(":")[0] for text in LASTING])
def test_nothing_is_shown_while_it_lasts_and_all_of_it_after(run, run_during, connected, company, now, text, outcome):
    stopped = run_during(text)
    assert (stopped.state, stopped.error_kind) == outcome
    assert stopped.message.endswith((".", ")")), stopped.message
    assert is_empty(connected)
    done = run()
    assert done.state == "published"
    assert (done.pk == stopped.pk) == (stopped.state == "paused")
    assert_truth(connected, company, now, first=True)


# One of each outcome; the others end in the same way, and are tried in the soak lane.
AGAIN = {outcome: text for text, outcome in LASTING.items()}
LATER = [
    pytest.param(text, state, marks=pytest.mark.soak if text not in AGAIN.values() else (), id=text.partition(":")[0])
    for text, (state, _kind) in LASTING.items()
]


@pytest.mark.parametrize(("text", "state"), LATER)
def test_nothing_changes_while_it_lasts(run, run_during, simulator, connected, company, now, text, state):
    run()
    simulator.clock.set(now + timedelta(days=2))
    before = dump(connected)
    assert run_during(text, full=False).state == state
    assert dump(connected) == before
    assert run(full=False).state == "published"
    assert_truth(connected, company, simulator.clock.now())


@pytest.mark.parametrize("text", PASSING, ids=[text.partition(":")[0] for text in PASSING])
def test_what_passes_soon_is_waited_out(run_during, connected, company, now, text):
    assert run_during(text, retry=IMPATIENT).state == "published"
    assert_truth(connected, company, now, first=True)


def test_maintenance_of_ten_minutes_is_outlasted(run, run_during, simulator, connected, company, now):
    fault = "unavailable:resource=enrollments,after=1"
    first = run_during(fault)
    assert (first.state, first.resume_at) == ("paused", None)
    assert accounts_due(now=now + timedelta(minutes=4)) == []
    simulator.clock.set(now + timedelta(minutes=5))
    assert accounts_due(now=simulator.clock.now()) == [connected]
    second = run_during("unavailable:resource=enrollments")
    assert (second.pk, second.state) == (first.pk, "paused")
    simulator.clock.set(now + timedelta(minutes=10))
    assert accounts_due(now=simulator.clock.now()) == [connected]
    asked = len(simulator.requests)
    third = run()
    assert (third.pk, third.state) == (first.pk, "published")
    paths = [request.path for request in list(simulator.requests)[asked:]]
    assert "/v1/users" not in paths
    # The first of three pages was staged before the maintenance.
    assert paths.count("/v1/training/enrollments") == 2
    assert_truth(connected, company, now)


@pytest.fixture
def hurried(monkeypatch):
    """Let the client wait a fraction of a second for a connection and for an answer."""
    monkeypatch.setattr("sync.pipeline.run.Client", partial(Client, timeout=(0.3, 0.3)))


@pytest.mark.usefixtures("hurried")
def test_an_answer_that_never_comes_is_not_waited_for(run, run_during, connected, company, now):
    paused = run_during("slow-connect:resource=enrollments,after=1,seconds=60")
    assert (paused.state, paused.error_kind) == ("paused", "Unreachable")
    assert "no answer in time" in paused.message
    assert is_empty(connected)
    assert run().pk == paused.pk
    assert_truth(connected, company, now, first=True)


@pytest.fixture
def deaf_host():
    """Return the address of a host that completes no connection: nobody takes them, and its queue is full."""
    with ExitStack() as opened:
        host = opened.enter_context(socket.socket())
        host.bind(("127.0.0.1", 0))
        host.listen(0)
        for _ in range(3):
            waiting = opened.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(host.getsockname())
        yield f"http://127.0.0.1:{host.getsockname()[1]}"


@pytest.mark.usefixtures("hurried")
def test_a_connection_that_never_comes_about_is_not_waited_for(run, simulator, connected, company, now, deaf_host):
    connected.base_url = deaf_host
    connected.save()
    first = run(retry=AT_ONCE)
    assert first.state == "paused"
    assert "no connection in time" in first.message
    connected.base_url = simulator.url
    connected.save()
    assert run().state == "published"
    assert_truth(connected, company, now, first=True)
