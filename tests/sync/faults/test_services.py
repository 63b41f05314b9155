"""Postgres and Redis, lost while a sync runs."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

import psycopg
import pytest

from config.local import embedded
from sync.knowbe4.pacing import Pacer
from sync.models import SyncRun
from sync.pipeline.redis_connection import redis_connection
from sync.simulator.server import serve
from tests.redis_server import redis_server, short_directory
from tests.sync.faults.mirror import PLAIN_FACTS, assert_truth, is_empty
from tests.sync.faults.processes import wait_until
from tests.sync.truth import expected_enrollments

USER = (
    "import sys; from config.local import embedded; "
    "embedded.ensure_running(); print('running', flush=True); sys.stdin.read()"
)

FACTS = """
    SELECT e.knowbe4_id, p.knowbe4_id, c.knowbe4_id, i.name, e.reported_status, e.enrolled_at, e.started_at,
           e.completed_at, e.time_spent, e.policy_acknowledged
    FROM sync_enrollment e JOIN sync_contentitem i ON i.id = e.content_id
    LEFT JOIN sync_person p ON p.id = e.person_id LEFT JOIN sync_campaign c ON c.id = e.campaign_id
    WHERE e.removed_at IS NULL
"""


class Installation:
    """A Postgres and a Redis of its own, with an account that leads to a simulator."""

    def __init__(self, var: Path, simulator_url: str) -> None:
        self.var = var
        kept = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
        self.environment = kept | {
            "ROLLCALL_VAR": str(var),
            "ROLLCALL_EMBEDDED_FAST": "1",
            "KNOWBE4_API_KEY": "simulator-key",
            "KNOWBE4_BASE_URL": simulator_url,
            "KNOWBE4_LIMITS": "no",
        }
        self.user = self.start("-c", USER)
        assert self.user.stdout is not None
        assert self.user.stdout.readline() == "running\n"

    def start(self, *command: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, *command],
            cwd=embedded.BASE_DIR,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def start_manage(self, *command: str) -> subprocess.Popen[str]:
        return self.start("-m", "tests.clock", "manage.py", *command)

    def manage(self, *command: str) -> tuple[int, str]:
        process = self.start_manage(*command)
        said, _ = process.communicate()
        return process.returncode, said

    def connect(self, **options: object) -> psycopg.Connection:
        return psycopg.connect(f"postgresql://rollcall@/rollcall?host={self.var / 'run'}", **options)

    def ask(self, question: str, *values: object) -> list[tuple[object, ...]]:
        with self.connect() as connection:
            return connection.execute(question, values).fetchall()

    def restart_postgres(self, sign: signal.Signals) -> None:
        """End Postgres: SIGINT as an administrator does, SIGQUIT as a crash does; the service manager restarts it."""
        before = self._postmaster()
        os.kill(before, sign)
        wait_until(lambda: self._postmaster() not in {0, before} and self._answers())

    def stop(self) -> None:
        self.user.communicate()
        wait_until(lambda: not (self.var / "embedded.json").exists())

    def _postmaster(self) -> int:
        with suppress(FileNotFoundError, IndexError):
            return int((self.var / "postgres" / "postmaster.pid").read_text().split()[0])
        return 0

    def _answers(self) -> bool:
        with suppress(psycopg.OperationalError):
            self.connect().close()
            return True
        return False


@pytest.mark.soak
def test_postgres_restarted_inside_publish(company, now):
    expected = {key: row[:PLAIN_FACTS] for key, row in expected_enrollments(company, now).items()}
    with short_directory() as var, serve(company, at=now) as simulator:
        installation = Installation(Path(var), simulator.url)
        try:
            assert installation.manage("migrate", "-v", "0")[0] == 0
            assert installation.manage("prepare")[0] == 0
            requests = []
            for sign in (signal.SIGINT, signal.SIGQUIT):
                status, said = _lose_postgres_in_publish(installation, sign)
                requests.append(len(simulator.requests))
                assert (status, "The database went away" in said) == (5, True), said
                assert installation.ask("SELECT count(*) FROM sync_enrollment") == [(0,)]
                assert installation.ask("SELECT published_at FROM sync_account") == [(None,)]
            assert requests[0] == requests[1], "the second attempt asked again for what was staged"
            status, said = installation.manage("sync", "--full")
            assert status == 0, said
            # A crash empties the staging area: this was a run of its own.
            assert len(simulator.requests) > requests[1]
            assert {row[0]: row[1:] for row in installation.ask(FACTS)} == expected
            states = installation.ask("SELECT state FROM sync_syncrun ORDER BY id")
            assert states == [("failed",), ("published",)]
        finally:
            installation.stop()


def _lose_postgres_in_publish(installation: Installation, sign: signal.Signals) -> tuple[int, str]:
    """Restart Postgres while a sync has written nearly everything; return its exit status and what it said."""
    holder = installation.connect()
    holder.execute("LOCK TABLE sync_phishingresult IN SHARE MODE")
    process = installation.start_manage("sync", "--full")
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE %s = ANY(pg_blocking_pids(pid))"
    wait_until(lambda: installation.ask(waiting, holder.info.backend_pid) == [(1,)])
    assert installation.ask("SELECT phase FROM sync_syncrun") == [("publish",)]
    installation.restart_postgres(sign)
    holder.close()
    said, _ = process.communicate()
    return process.returncode, said


@pytest.fixture
def own_redis(connected, settings):
    """Return a running Redis of the test's own, which paces the account's requests."""
    with redis_server() as own:
        settings.REDIS_URL = own.url
        redis_connection.cache_clear()
        connected.requests_per_second = 1_000
        connected.save()
        yield own
        redis_connection().close()
        redis_connection.cache_clear()


@pytest.fixture
def lose_redis(own_redis):
    """Return a listener that stops Redis once, as soon as enrollments are read."""
    lost = []

    def listener(run):
        if not lost and run.resources.get("enrollment", {}).get("state") == "reading":
            lost.append(time.monotonic())
            own_redis.stop()

    return listener


@pytest.mark.slow
def test_redis_away_for_a_moment_is_waited_for(run, own_redis, lose_redis, connected, company, now):
    returning = threading.Thread(
        target=lambda: (wait_until(lambda: not own_redis.process), time.sleep(1), own_redis.start())
    )
    returning.start()
    done = run(listener=lose_redis)
    returning.join()
    assert done.state == "published"
    assert_truth(connected, company, now, first=True)


@pytest.mark.slow
def test_redis_away_for_longer_pauses_the_run(run, own_redis, lose_redis, connected, company, now, monkeypatch):
    monkeypatch.setattr("sync.pipeline.run.Pacer", partial(Pacer, redis_patience=0.3))
    paused = run(listener=lose_redis)
    assert (paused.state, paused.error_kind) == ("paused", "Unreachable")
    assert "Redis" in paused.message
    still = run()
    assert (still.pk, still.state) == (paused.pk, "paused")
    assert is_empty(connected)
    own_redis.start()
    done = run()
    assert (done.pk, done.state) == (paused.pk, "published")
    assert_truth(connected, company, now, first=True)


def test_redis_away_from_the_start_leaves_a_run_all_the_same(run, own_redis, connected, company, now, monkeypatch):
    monkeypatch.setattr("sync.pipeline.run.Pacer", partial(Pacer, redis_patience=0.3))
    own_redis.stop()
    paused = run()
    assert (paused.state, paused.error_kind, paused.requests_made) == ("paused", "Unreachable", 0)
    own_redis.start()
    assert run().state == "published"
    assert SyncRun.objects.count() == 1
    assert_truth(connected, company, now, first=True)
