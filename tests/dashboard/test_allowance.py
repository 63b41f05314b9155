"""The request allowance, read from the runs."""

from datetime import datetime, timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks

from dashboard.access import Scope
from dashboard.formats import every
from dashboard.models import Membership
from dashboard.queries.allowance import Allowance, RunPlan, allowance
from sync.models import Account, SyncRun
from tests import factories
from tests.dashboard.conftest import Queue

PLAN = {
    "kind": "full",
    "total": 100,
    "requests": {"people": 4, "small lists": 9, "older results": 0},
    "skipped": ["older phishing results wait: they would take it to 900 requests, 700 are left today"],
    "limit": 3842,
    "used": 3000,
    "reserve": 385,
    "campaign_ids": None,
}


@pytest.fixture
def scope(account: Account) -> Scope:
    """Return the scope of a security manager."""
    return Scope(account=account, roles=frozenset({Membership.Role.SECURITY_MANAGER}))


def test_used_is_what_runs_of_the_last_day_asked_for(scope: Scope, account: Account, now: datetime) -> None:
    for hours, requests in ((25, 1000), (24, 100), (23, 10), (0, 1)):
        factories.SyncRunFactory(account=account, started_at=now - timedelta(hours=hours), requests_made=requests)
    factories.SyncRunFactory(account=factories.AccountFactory(name="Another"), started_at=now, requests_made=5)
    assert allowance(scope, None, as_of=now).used == 11


def figures(account: Account, now: datetime, **fields: object) -> Allowance:
    plan = RunPlan.of(SyncRun(kind="full", plan=PLAN))
    return Allowance(
        **{"account": account, "limit": 3842, "used": 3000, "plan": plan, "last": None, "as_of": now, **fields}
    )  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("limit", "used", "percent", "left"),
    [(3842, 3000, 78, 4), (3842, 0, 0, 34), (3842, 3842, 100, 0), (3842, 9000, 100, 0), (None, 50, None, None)],
)
def test_what_is_left_keeps_the_reserve(
    account: Account, now: datetime, limit: int | None, used: int, percent: int | None, left: int | None
) -> None:
    found = figures(account, now, limit=limit, used=used)
    assert (found.percent, found.runs_left) == (percent, left)


def test_the_next_run_follows_from_the_last(account: Account, now: datetime) -> None:
    def next_at(**fields: object) -> datetime | None:
        run = factories.SyncRunFactory.build(account=account, started_at=now - timedelta(minutes=10), **fields)
        return figures(account, now, last=run).next_at

    assert next_at() == now + timedelta(minutes=50)
    assert next_at(state="running") is None
    assert next_at(state="paused", resume_at=now + timedelta(hours=3)) == now + timedelta(hours=3)
    assert figures(account, now).is_due
    account.is_sync_enabled = False
    assert next_at() is None


def test_a_run_without_a_plan_has_none() -> None:
    assert RunPlan.of(SyncRun(kind="full")) is None


def test_the_sync_page_shows_the_meter_and_the_plan(
    as_alice: Client, account: Account, published: SyncRun, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    account.number_of_seats = 1842
    account.save()
    SyncRun.objects.filter(pk=published.pk).update(plan=PLAN, requests_made=2292)
    with django_assert_max_num_queries(12):
        text = as_alice.get("/sync/").content.decode()
    assert "59% of the day&#x27;s requests are used" in text
    assert '<meter min="0" max="3842" low="2689" high="3457" optimum="0" value="2292"' in text
    assert "Small lists</dt><dd>9" in text
    assert "Older phishing results wait" in text
    assert "up to 50 a minute" in text
    assert "every hour" in text
    panel = as_alice.get("/sync/", headers={"HX-Request": "true", "HX-Target": "sync-progress"}).content.decode()
    assert "<meter" in panel


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (1, "every 1 minute"),
        (45, "every 45 minutes"),
        (60, "every hour"),
        (90, "every 90 minutes"),
        (360, "every 6 hours"),
    ],
)
def test_an_interval_is_written_exactly(minutes: int, words: str) -> None:
    assert every(timedelta(minutes=minutes)) == words


def test_an_administrator_asks_for_everything(
    as_ines: Client,
    account: Account,
    published: SyncRun,
    queue: Queue,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    assert "Read everything now" in as_ines.get("/sync/").content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        as_ines.post("/sync/start/", {"full": "1"})
    [(task, arguments)] = queue.tasks()
    assert (task, arguments["full"], arguments["account_id"]) == ("sync.tasks.sync_account", True, account.pk)


def test_others_do_not_ask_for_everything(as_alice: Client, published: SyncRun, queue: Queue) -> None:
    assert "Read everything now" not in as_alice.get("/sync/").content.decode()
    assert as_alice.post("/sync/start/", {"full": "1"}).status_code == 403
    assert queue.tasks() == []


def test_a_day_without_runs_has_used_nothing(as_alice: Client, account: Account, now: datetime) -> None:
    factories.publish(factories.SyncRunFactory(account=account, started_at=now - timedelta(days=3)))
    assert "None of the day&#x27;s requests are used" in as_alice.get("/sync/").content.decode()
