"""Addresses for probes: they say what is missing, and nothing of anybody."""

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from config import heartbeats
from config.celery import app
from config.version import VERSION
from dashboard.models import AskedTask, Delivery
from sync.models import Account, SyncRun
from tests import factories
from tests.redis_server import RedisServer, queue_in, redis_server

TOKEN = "metrics-token-of-this-test"


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with redis_server() as running:
        yield running


@pytest.fixture
def own_redis(server: RedisServer, settings: Any) -> Iterator[RedisServer]:
    """Return the Redis of the test, in which nobody has signed."""
    settings.REDIS_URL = server.url
    heartbeats._redis.cache_clear()
    heartbeats._redis().flushall()
    yield server
    server.mend()
    heartbeats._redis().close()
    heartbeats._redis.cache_clear()


@pytest.fixture
def well(own_redis: RedisServer, account: Account, published: SyncRun) -> RedisServer:
    """Have everything at work."""
    for name in (heartbeats.WORKER, heartbeats.BEAT):
        heartbeats.sign(name)
    return own_redis


def _ready() -> tuple[int, dict[str, str]]:
    response = Client().get("/health/ready")
    told = response.json()
    assert told["version"] == VERSION
    assert told["status"] == ("ready" if response.status_code == 200 else "not ready")
    return response.status_code, told["missing"]


def test_live_asks_nobody_and_needs_no_name(settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    response = Client().get("/health/live", headers={"Host": "10.0.0.7:8000"})
    assert (response.status_code, response.json()) == (200, {"status": "live", "version": VERSION})
    assert response["Cache-Control"] == "no-store"
    assert Client().head("/health/live").status_code == 200
    refused = Client().post("/health/live")
    assert (refused.status_code, refused["Allow"]) == (405, "GET, HEAD")


def test_ready_when_all_is_well(well: RedisServer) -> None:
    assert _ready() == (200, {})


@pytest.mark.slow
@pytest.mark.parametrize("trouble", ["away", "full", "read-only", "silent"])
def test_redis_is_named(well: RedisServer, trouble: str) -> None:
    well.trouble(trouble)
    status, missing = _ready()
    assert (status, list(missing)) == (503, ["redis"])
    well.mend()
    for name in (heartbeats.WORKER, heartbeats.BEAT):
        heartbeats.sign(name)
    assert _ready() == (200, {})


@pytest.mark.parametrize("name", [heartbeats.WORKER, heartbeats.BEAT])
def test_a_process_that_does_not_sign_is_named(well: RedisServer, name: str) -> None:
    heartbeats._redis().delete(f"alive:{name}")
    status, missing = _ready()
    assert (status, list(missing)) == (503, [name])


def test_a_process_is_gone_when_its_sign_ends(well: RedisServer) -> None:
    assert 50 < heartbeats._redis().ttl("alive:worker") <= 60
    assert 110 < heartbeats._redis().ttl("alive:beat") <= 120


def test_a_worker_signs_again_and_again_and_beat_with_each_task(own_redis: RedisServer) -> None:
    called: list[tuple[Any, ...]] = []
    timer = SimpleNamespace(call_repeatedly=lambda *given: called.append(given))
    heartbeats.Signing(None).start(SimpleNamespace(timer=timer))
    assert heartbeats.silent() == [heartbeats.BEAT]
    assert called == [(heartbeats.EVERY, heartbeats.sign, (heartbeats.WORKER,))]
    assert heartbeats.Signing in app.steps["consumer"]
    heartbeats.sign_as_beat()
    heartbeats._redis().flushall()
    try:
        with queue_in(own_redis):
            app.send_task("dashboard.tasks.send_due_mail")
        assert heartbeats.silent() == [heartbeats.WORKER]
    finally:
        heartbeats.after_task_publish.disconnect(heartbeats._queued)


def test_little_room_is_named(well: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _place: SimpleNamespace(free=200 * 1024**2))
    status, missing = _ready()
    assert (status, missing) == (503, {"room": "200 MB are free where files are made; 256 are needed."})


def test_a_place_that_cannot_be_written_to_is_named(well: RedisServer, settings: Any, tmp_path: Path) -> None:
    # Root may write anywhere, but not below a file.
    (tmp_path / "no-folder").write_text("")
    (tmp_path / "no-folder").chmod(0o444)
    settings.MEDIA_ROOT = tmp_path / "no-folder" / "files"
    assert _ready() == (503, {"room": "Files cannot be written where they are made (MADE_FILES_DIR)."})
    settings.MEDIA_ROOT = tmp_path / "not" / "there" / "yet"
    assert _ready()[0] == 200


@pytest.mark.parametrize(
    ("fields", "is_named"),
    [
        ({"sync_interval": timedelta(minutes=6)}, False),
        ({"sync_interval": timedelta(minutes=5)}, True),
        ({"sync_interval": timedelta(minutes=5), "is_sync_enabled": False}, False),
        ({"sync_interval": timedelta(minutes=5), "encrypted_key": b""}, False),
    ],
)
def test_an_old_sync_is_named(well: RedisServer, account: Account, now: datetime, fields: Any, is_named: bool) -> None:
    Account.objects.update(published_at=now - timedelta(minutes=11), **fields)
    status, missing = _ready()
    assert (status, "sync" in missing) == ((503, True) if is_named else (200, False))
    assert account.name not in str(missing)


def test_a_database_that_refuses_or_is_read_only_is_named(well: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def probe(**options: Any) -> None:
        found = connection.copy()
        found.settings_dict = {**found.settings_dict, **options}
        monkeypatch.setattr("dashboard.web.readiness.connection", SimpleNamespace(copy=lambda: found))

    probe(USER="nobody_at_all")
    status, missing = _ready()
    assert (status, list(missing)) == (503, ["database"])
    probe(OPTIONS={"options": "-c default_transaction_read_only=on"})
    assert _ready() == (503, {"database": "Postgres takes nothing: it is read-only."})


def _figures(settings: Any) -> dict[tuple[str, str], float]:
    settings.METRICS_TOKEN = TOKEN
    response = Client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, sample.labels.get("state", sample.labels.get("name", ""))): sample.value
        for family in text_string_to_metric_families(response.content.decode())
        for sample in family.samples
    }


def test_metrics_are_read_from_postgres(
    settings: Any, account: Account, published: SyncRun, now: datetime, ines: Any
) -> None:
    from tests.dashboard.mail.conftest import make_schedule  # noqa: PLC0415

    Account.objects.update(published_at=now - timedelta(minutes=10))
    SyncRun.objects.update(requests_made=40)
    factories.SyncRunFactory(account=account, state="running", requests_made=2, started_at=now)
    AskedTask.objects.create(task="x", asked_at=now - timedelta(seconds=90), queue_again_at=now)
    schedule = make_schedule(account, ines, ines)
    occurrence = schedule.occurrences.create(account=account, due_at=now, created_at=now)
    Delivery.objects.create(account=account, occurrence=occurrence, recipient=ines, state="failed", next_try_at=now)
    found, name = _figures(settings), account.name
    assert found["rollcall_sync_age_seconds", name] == pytest.approx(600, abs=5)
    assert found["rollcall_sync_interval_seconds", name] == 3600
    assert found["rollcall_sync_running", name] == 1
    assert found["rollcall_knowbe4_requests_total", name] == 42
    assert found["rollcall_tasks", ""] == 1
    assert found["rollcall_tasks_oldest_seconds", ""] == pytest.approx(90, abs=5)
    assert (found["rollcall_mails", "failed"], found["rollcall_mails", "waiting"]) == (1, 0)


def test_metrics_are_told_to_the_token_alone(settings: Any, db: None) -> None:
    assert Client().get("/metrics").status_code == 404
    settings.METRICS_TOKEN = TOKEN
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}):
        refused = Client().get("/metrics", headers=headers)
        assert (refused.status_code, "Bearer" in refused["WWW-Authenticate"]) == (401, True)
