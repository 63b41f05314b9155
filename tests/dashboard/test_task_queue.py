"""Tasks survive a queue that is away, full, read-only or silent, and happen once."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from importlib import import_module
from itertools import pairwise
from typing import Any

import pytest
from celery.signals import worker_ready
from django.apps import apps
from django.core.cache import caches
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import InternalError, OperationalError
from django.test import Client
from django.urls import reverse
from psycopg.errors import ReadOnlySqlTransaction

from config.celery import app
from dashboard import receivers, task_queue, tasks
from dashboard.exports import streaming
from dashboard.models import AskedTask, AuditEvent, Export, User
from sync.models import Account, ConsoleImport, SyncRun
from sync.tasks import accept_console_import
from sync.tasks import test_connection as connection_task
from tests import factories
from tests.dashboard.conftest import Queue
from tests.dashboard.mail.conftest import make_schedule
from tests.dashboard.signing_in import sign_in_lately
from tests.redis_server import TROUBLES, RedisServer, queue_in, redis_server

Commit = Callable[..., Any]


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with redis_server() as running:
        yield running


@pytest.fixture
def other_redis(server: RedisServer, settings: Any) -> Iterator[RedisServer]:
    """Return a Redis, the queue and the cache of the test, that can be lost."""
    default = settings.CACHES["default"] | {"LOCATION": server.url}
    settings.CACHES = {"default": default | {"OPTIONS": {"socket_connect_timeout": 0.2, "socket_timeout": 0.2}}}
    with queue_in(server):
        yield server
        server.mend()


def _import(account: Account, now: datetime, state: str) -> ConsoleImport:
    return ConsoleImport.objects.create(
        account=account, uploaded_at=now, name="results.csv", state=state, report={"previewed_at": "then"},
        **ConsoleImport.stored(b"Campaign,Content,Email\r\n"),
    )  # fmt: skip


def _decide(account: Account, now: datetime, state: str, decision: str) -> tuple[str, dict[str, object]]:
    found = _import(account, now, state)
    return reverse("console_import_decide", args=[found.pk]), {"decision": decision, "preview": "then"}


def _held(account: Account, now: datetime) -> tuple[str, dict[str, object]]:
    done = {"person": {"title": "People", "state": "done"}}
    run = factories.SyncRunFactory(account=account, state="held", phase="check", resources=done, started_at=now)
    return reverse("resolve_run", args=[run.pk]), {"decision": "publish", "reason": "They left."}


def _schedule(account: Account, ines: User) -> tuple[str, dict[str, object]]:
    return reverse("act_on_schedule", args=[make_schedule(account, ines, ines).pk]), {"act": "send"}


_PACK = {"first_day": "2026-07-01", "last_day": "2026-09-30", "sample_size": 10, "sample_seed": "7"}
# By task: what a reader sends to have it done.
CALLERS: dict[str, Callable[[Account, User, datetime], tuple[str, dict[str, object]]]] = {
    "sync.tasks.sync_account": lambda account, ines, now: (reverse("sync_start"), {}),
    "sync.tasks.sync_account again": lambda account, ines, now: (reverse("sync_account", args=[account.pk]), {}),
    "sync.tasks.test_connection": lambda account, ines, now: (reverse("test_account", args=[account.pk]), {}),
    "sync.tasks.check_api": lambda account, ines, now: (reverse("check_api", args=[account.pk]), {}),
    "sync.tasks.resolve_run": lambda account, ines, now: _held(account, now),
    "sync.tasks.preview_console_import": lambda account, ines, now: (
        reverse("console_imports"),
        {"file": SimpleUploadedFile("results.csv", b"Campaign,Content,Email\r\n", "text/csv")},
    ),
    "sync.tasks.accept_console_import": lambda account, ines, now: _decide(account, now, "preview", "accept"),
    "sync.tasks.withdraw_console_import": lambda account, ines, now: _decide(account, now, "accepted", "withdraw"),
    "dashboard.tasks.make_export": lambda account, ines, now: (reverse("export", args=["people"]), {"format": "csv"}),
    "dashboard.tasks.make_evidence_pack": lambda account, ines, now: (reverse("evidence"), dict(_PACK)),
    "dashboard.tasks.send_due_mail": lambda account, ines, now: _schedule(account, ines),
}


@pytest.mark.parametrize("caller", CALLERS)
def test_what_the_queue_refuses_is_done_later(
    caller: str, client: Client, account: Account, published: SyncRun, ines: User, now: datetime, queue: Queue,
    other_redis: RedisServer, settings: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
    django_capture_on_commit_callbacks: Commit,
) -> None:  # fmt: skip
    settings.HAS_MAIL_SERVER = True
    monkeypatch.setattr(streaming, "MOST_ROWS", dict.fromkeys(Export.Format, -1))
    address, form = CALLERS[caller](account, ines, now)
    sign_in_lately(client, ines)
    other_redis.trouble("away")
    with django_capture_on_commit_callbacks(execute=True) as committed:
        response = client.post(address, form)
    assert response.status_code == 302, response.content.decode()
    assert committed
    [asked] = AskedTask.objects.all()
    assert asked.task == caller.split(maxsplit=1)[0]
    assert f"The queue did not take Asked task {asked.pk}" in caplog.text
    assert task_queue.queue_again(now + timedelta(minutes=1)) == 0
    other_redis.mend()
    assert task_queue.queue_again(now + timedelta(minutes=1)) == 1
    waiting = Queue(other_redis.url)
    assert waiting.tasks() == [(asked.task, asked.arguments)]
    waiting.client.close()


def test_a_published_run_survives_a_queue_that_is_away(
    account: Account, published: SyncRun, other_redis: RedisServer, monkeypatch: pytest.MonkeyPatch, now: datetime,
    django_capture_on_commit_callbacks: Commit,
) -> None:  # fmt: skip
    monkeypatch.setattr("dashboard.rollups.after_publish", lambda *_args, **_named: False)
    other_redis.trouble("away")
    with django_capture_on_commit_callbacks(execute=True):
        receivers.keep_rollups(account=account, run=published, published_at=now)
    assert AskedTask.objects.get().task == "dashboard.tasks.build_tallies"


@pytest.mark.slow
@pytest.mark.parametrize("trouble", TROUBLES)
def test_whatever_is_the_matter_with_redis_people_sign_in_and_work(
    trouble: str, account: Account, published: SyncRun, ines: User, other_redis: RedisServer,
    caplog: pytest.LogCaptureFixture, django_capture_on_commit_callbacks: Commit,
) -> None:  # fmt: skip
    other_redis.trouble(trouble)
    client = Client()
    assert client.post("/sign-in/", {"login": ines.email, "password": "wrong"}).status_code == 200
    response = client.post("/sign-in/", {"login": ines.email, "password": factories.PASSWORD})
    assert (response.status_code, response["Location"]) == (302, "/")
    for name in ("overview", "people", "sync", "exports", "evidence", "accounts"):
        assert client.get(reverse(name)).status_code == 200, name
    searched = client.post(reverse("keep_search", args=["people"]), {"q": "Ada"})
    assert client.get(searched["Location"]).status_code == 200
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(reverse("sync_start")).status_code == 302
    assert AskedTask.objects.filter(task="sync.tasks.sync_account").exists()
    assert AuditEvent.objects.filter(action="started_sync").exists()
    assert "limits on requests and sign-ins are not counted" in caplog.text
    assert caplog.text.count("limits on requests") == 1


def test_limits_count_again_once_redis_does(other_redis: RedisServer, settings: Any) -> None:
    from dashboard.rate_limits import seconds_to_wait  # noqa: PLC0415

    settings.RATE_LIMITS = settings.RATE_LIMITS | {"search": (1, 60)}
    other_redis.trouble("full")
    assert [seconds_to_wait("search", 1, at=60.0) for _ in range(3)] == [0, 0, 0]
    other_redis.mend()
    assert [seconds_to_wait("search", 1, at=60.0) for _ in range(2)] == [0, 60]
    other_redis.trouble("away")
    assert seconds_to_wait("search", 1, at=60.0) == 0
    other_redis.mend()
    caches["default"].asked_again_at = 0.0
    assert [seconds_to_wait("search", 1, at=60.0) for _ in range(2)] == [0, 60]


def _asked(task: str, now: datetime, **arguments: object) -> AskedTask:
    return AskedTask.objects.create(task=task, arguments=arguments, asked_at=now, queue_again_at=now)


def test_a_task_is_forgotten_when_it_has_ended(account: Account, now: datetime) -> None:
    asked = _asked("sync.tasks.accept_console_import", now, import_id=_import(account, now, "discarded").pk)
    assert accept_console_import.apply(kwargs=asked.arguments, task_id=f"asked-{asked.pk}").successful()
    assert not AskedTask.objects.exists()


def test_a_task_that_came_twice_is_done_once(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.tasks.check_connection", lambda _account: pytest.fail("it was asked a second time"))
    done = connection_task.apply(kwargs={"account_id": account.pk}, task_id="asked-12345")
    assert done.state == "IGNORED"


@pytest.mark.parametrize("is_read_only", [False, True])
def test_a_task_whose_database_went_away_comes_again(
    account: Account, now: datetime, monkeypatch: pytest.MonkeyPatch, queue: Queue, is_read_only: bool
) -> None:
    def lost(_account: Account) -> None:
        if is_read_only:
            raise InternalError("it takes nothing") from ReadOnlySqlTransaction()
        raise OperationalError("the connection is lost")

    monkeypatch.setattr("sync.tasks.check_connection", lost)
    asked = _asked("sync.tasks.test_connection", now, account_id=account.pk)
    assert connection_task.apply(kwargs=asked.arguments, task_id=f"asked-{asked.pk}").failed()
    assert task_queue.queue_again(now + timedelta(minutes=9)) == 0
    assert task_queue.queue_again(now + timedelta(minutes=11)) == 1
    assert queue.tasks() == [("sync.tasks.test_connection", {"account_id": account.pk})]


def test_what_nobody_takes_is_queued_ever_less_often(db: None, now: datetime, queue: Queue) -> None:
    _asked("sync.tasks.check_api", now, account_id=1)
    queued = [minute for minute in range(240) if task_queue.queue_again(now + timedelta(minutes=minute))]
    assert queued[:8] == [0, 1, 2, 4, 8, 16, 32, 64]
    assert max(later - sooner for sooner, later in pairwise(queued)) == 60
    # As a clock that was a day ahead leaves it.
    AskedTask.objects.update(queue_again_at=now + timedelta(days=1), asked_at=now + timedelta(days=1))
    assert task_queue.queue_again(now) == 1


def test_beat_and_a_worker_do_what_was_left(account: Account, now: datetime, queue: Queue) -> None:
    _asked("sync.tasks.check_api", now, account_id=account.pk)
    assert app.conf.beat_schedule["queue-again"]["task"] == tasks.queue_again.name
    tasks.queue_again()
    assert queue.tasks() == [("sync.tasks.check_api", {"account_id": account.pk})]


def test_an_import_of_before_goes_on(account: Account, now: datetime) -> None:
    found = _import(account, now, "importing")
    _import(account, now, "discarded")
    import_module("dashboard.migrations.0025_background").ask_again(apps, None)
    [asked] = AskedTask.objects.all()
    assert (asked.task, asked.arguments) == ("sync.tasks.accept_console_import", {"import_id": found.pk})


def test_a_worker_that_starts_takes_up_what_a_killed_one_left(queue: Queue) -> None:
    worker_ready.send(sender=None)
    assert [task for task, _arguments in queue.tasks()] == [
        "sync.tasks.start_due_syncs",
        "dashboard.tasks.keep_exports",
        "dashboard.tasks.keep_evidence",
    ]
