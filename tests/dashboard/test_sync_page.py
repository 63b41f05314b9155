"""The Sync page, the strip that follows a sync, and the button that starts one."""

from datetime import datetime, timedelta

import pytest
import redis
from django.test import Client
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks

from dashboard.models import User
from sync.models import Account, SyncRun
from tests import factories
from tests.clock import MOMENT

STRIP = {"HX-Request": "true", "HX-Target": "sync-status"}
PANEL = {"HX-Request": "true", "HX-Target": "sync-progress"}


def running(account: Account, **fields: object) -> SyncRun:
    """Make a run that is reading enrollments."""
    now = MOMENT
    resources = {
        "person": {"title": "People", "rows": 1842, "rejected": 0, "requests": 4, "expected": 1840, "state": "done"},
        "enrollment": {
            "title": "Enrollments",
            "rows": 9500,
            "rejected": 3,
            "requests": 31,
            "expected": 20892,
            "state": "reading",
        },
    }
    for position, entry in enumerate(resources.values()):
        entry["position"] = position
    return factories.SyncRunFactory(
        **{
            "account": account,
            "state": SyncRun.State.RUNNING,
            "phase": SyncRun.Phase.FETCH,
            "started_at": now - timedelta(seconds=72),
            "heartbeat_at": now,
            "resources": resources,
            **fields,
        }
    )


def test_sync_page_lists_the_runs(
    as_alice: Client,
    account: Account,
    published: SyncRun,
    django_assert_max_num_queries: DjangoAssertNumQueries,
    now: datetime,
) -> None:
    factories.SyncRunFactory(
        account=account,
        state="failed",
        message="KnowBe4 did not answer.",
        started_at=now - timedelta(days=1),
    )
    with django_assert_max_num_queries(12):
        text = as_alice.get("/sync/").content.decode()
    assert "KnowBe4 did not answer." in text
    assert "1 of the last 2 runs published nothing" in text
    assert f"Run {published.number}" in text


def test_a_running_sync_shows_its_steps(as_alice: Client, account: Account, published: SyncRun) -> None:
    running(account)
    text = as_alice.get("/sync/").content.decode()
    assert "Reading enrollments" in text
    assert "1,842 read" in text
    assert "9,500 read, 20,892 last time, 3 rejected" in text
    assert text.index("People") < text.index("Enrollments")
    assert 'hx-trigger="every 1s"' in text


def test_fragments_hold_only_what_follows_the_sync(as_alice: Client, account: Account, published: SyncRun) -> None:
    running(account)
    strip = as_alice.get("/sync/status/", headers=STRIP).content.decode()
    panel = as_alice.get("/sync/", headers=PANEL).content.decode()
    assert 'id="sync-status"' in strip
    assert 'id="sync-progress"' in panel
    for text in (strip, panel):
        assert "<html" not in text
        assert 'id="sync-button"' in text
        assert 'hx-swap-oob="true"' in text
        assert 'hx-trigger="every 1s"' in text


def test_without_a_run_the_strip_asks_once_a_minute(as_alice: Client, published: SyncRun) -> None:
    strip = as_alice.get("/sync/status/", headers=STRIP).content.decode()
    assert 'hx-trigger="every 60s"' in strip
    assert "New data" not in strip


def test_the_strip_alone_leads_to_the_sync_page(as_alice: Client, account: Account) -> None:
    assert as_alice.get("/sync/status/")["Location"] == "/sync/"


@pytest.mark.parametrize("shown", ["none", "1", "999999999999999999", "x", "-1", "1" * 40, "٣"])
def test_new_data_is_offered_not_forced(as_alice: Client, account: Account, published: SyncRun, shown: str) -> None:
    strip = as_alice.get("/sync/status/", {"shown": shown}, headers=STRIP).content.decode()
    is_older = shown in {"none", "1", "999999999999999999"} and shown != str(published.pk)
    assert ("New data of" in strip) is is_older


@pytest.mark.parametrize(("state", "word"), [("held", "was held"), ("failed", "failed"), ("paused", "is paused")])
def test_a_sync_that_came_to_nothing_says_why_and_what_is_shown(
    as_alice: Client, account: Account, published: SyncRun, state: str, word: str, now: datetime
) -> None:
    factories.SyncRunFactory(account=account, state=state, message="Enrollments fell from 61,204 to 3.", started_at=now)
    text = as_alice.get("/").content.decode()
    assert "Showing data of" in text
    assert word in text
    assert "nrollments fell from 61,204 to 3." in text
    assert ", latest sync not published" in text


def test_a_silent_run_is_said_to_have_stopped_answering(
    as_alice: Client, account: Account, published: SyncRun, now: datetime
) -> None:
    run = running(account, heartbeat_at=now - timedelta(seconds=121))
    text = as_alice.get("/sync/").content.decode()
    assert "stopped answering" in text
    run.heartbeat_at = now - timedelta(seconds=110)
    run.save()
    assert "stopped answering" not in as_alice.get("/sync/").content.decode()


def test_sync_now_queues_one_sync(
    as_alice: Client,
    alice: User,
    account: Account,
    redis_url: str,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    queue = redis.from_url(redis_url)
    queue.delete("celery")
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        response = as_alice.post("/sync/start/", headers=STRIP)
    assert len(callbacks) == 1
    assert "Waiting for a worker" in response.content.decode()
    [message] = queue.lrange("celery", 0, -1)
    assert b"sync.tasks.sync_account" in message
    with django_capture_on_commit_callbacks() as callbacks:
        as_alice.post("/sync/start/", headers=STRIP)
    assert callbacks == []
    queue.delete("celery")
    queue.close()


def test_sync_now_works_without_javascript(as_alice: Client, account: Account, published: SyncRun) -> None:
    response = as_alice.post("/sync/start/", follow=True)
    assert response.redirect_chain == [("/sync/", 302)]
    assert "A sync is on its way." in response.content.decode()
    running(account)
    assert "A sync is already running." in as_alice.post("/sync/start/", follow=True).content.decode()


def test_sync_start_only_takes_post(as_alice: Client) -> None:
    assert as_alice.get("/sync/start/").status_code == 405


def test_the_request_is_forgotten_once_a_run_started(
    as_alice: Client, account: Account, published: SyncRun, now: datetime
) -> None:
    as_alice.post("/sync/start/")
    assert "about to start" in as_alice.get("/sync/").content.decode()
    factories.publish(factories.SyncRunFactory(account=account, started_at=now + timedelta(minutes=1)))
    text = as_alice.get("/sync/").content.decode()
    assert "about to start" not in text
    assert "Sync now" in text


def test_before_the_first_sync_the_page_shows_the_steps_to_connect(as_alice: Client, account: Account) -> None:
    assert "Start the first sync" in as_alice.get("/").content.decode()
    running(account)
    assert "The first sync is running." in as_alice.get("/").content.decode()
    account.encrypted_key = b""
    account.save()
    SyncRun.objects.all().delete()
    text = as_alice.get("/").content.decode()
    assert "Account Integrations" in text
    assert "KNOWBE4_API_KEY" in text
    assert 'action="/sync/start/"' not in text


def test_late_data_is_said_to_be_late(as_alice: Client, account: Account, now: datetime) -> None:
    factories.publish(factories.SyncRunFactory(account=account, started_at=now - timedelta(hours=5)))
    assert ", no sync since" in as_alice.get("/").content.decode()


def test_a_run_of_the_future_says_that_the_clock_jumped_and_does_not_stay_the_latest(
    as_ines: Client, account: Account, published: SyncRun, now: datetime
) -> None:
    ahead = factories.SyncRunFactory(account=account, started_at=now + timedelta(hours=30))
    said = f"The clock jumped: run {ahead.number} is dated 24 Nov, 16:30, which has not come yet."
    text = as_ines.get("/sync/").content.decode()
    assert said in text
    assert said in as_ines.get("/sync/", headers=PANEL).content.decode()
    assert said in as_ines.get(f"/sync/runs/{ahead.pk}/").content.decode()
    as_ines.post("/sync/start/")
    assert "A sync is about to start." in as_ines.get("/sync/", headers=PANEL).content.decode()
    after = running(account)
    text = as_ines.get("/sync/").content.decode()
    assert f"Run {after.number}, started at" in text
    assert "The clock jumped" not in text


def test_a_run_last_heard_of_in_the_future_has_stopped_answering(
    as_alice: Client, account: Account, now: datetime
) -> None:
    running(account, started_at=now + timedelta(hours=30), heartbeat_at=now + timedelta(hours=30))
    assert "Stopped answering" in as_alice.get("/sync/").content.decode()
