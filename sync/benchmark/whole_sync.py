"""A whole sync over HTTP: first, unchanged, and with one row in a hundred changed."""

import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import IO, Any

from django.db import connection

from sync.benchmark.figures import Figure
from sync.benchmark.simulated import simulated_account
from sync.models import Account, Change, Enrollment, SyncRun
from sync.pipeline.run import run_sync
from sync.signals import published

MIRROR = (
    "sync_person sync_department sync_group sync_groupmembership sync_contentitem sync_campaign sync_enrollment "
    "sync_phishingcampaign sync_phishingtest sync_phishingresult sync_change"
).split()

MEBIBYTE = 1024 * 1024


class Timed:
    """One run with the moments at which its phases began."""

    def __init__(self, account: Account) -> None:
        self.began: dict[str, float] = {}
        self.listeners = 0.0
        start = time.perf_counter()
        with self._timing_listeners():
            self.run = run_sync(
                Account.objects.get(pk=account.pk), trigger=SyncRun.Trigger.COMMAND, full=True, listener=self
            )
        end = time.perf_counter()
        if self.run.state != SyncRun.State.PUBLISHED:
            raise RuntimeError(f"The run was not published: {self.run.message}")
        self.total = end - start
        self.fetch = self.began[SyncRun.Phase.CHECK] - start
        self.check = self.began[SyncRun.Phase.PUBLISH] - self.began[SyncRun.Phase.CHECK]
        self.publish = end - self.began[SyncRun.Phase.PUBLISH]

    @property
    def merging(self) -> float:
        """Seconds of publish itself, without those who listen to it: the rollups."""
        return self.publish - self.listeners

    @property
    def upkeep(self) -> float:
        """Share that the listeners add to publish: 0.25 is a quarter."""
        return self.listeners / self.merging

    @contextmanager
    def _timing_listeners(self) -> Iterator[None]:
        send = published.send

        def timed(*args: Any, **named: Any) -> Any:
            began = time.perf_counter()
            try:
                return send(*args, **named)
            finally:
                self.listeners += time.perf_counter() - began

        published.send = timed  # type: ignore[method-assign]
        try:
            yield
        finally:
            published.send = send  # type: ignore[method-assign]

    def __call__(self, run: SyncRun) -> None:
        self.began.setdefault(run.phase, time.perf_counter())


def measure_sync(*, people: int, enrollments: int, say: Callable[[str], None]) -> list[Figure]:
    """Return the figures of three full syncs of a company of this size."""
    say(f"Inventing a company of {people:,} people and about {enrollments:,} enrollments ...")
    with simulated_account(people=people, enrollments=enrollments) as account:
        say("First sync ...")
        first = Timed(account)
        count = Enrollment.objects.count()
        copied = _bare_copy()
        # The second full pass fetches old phishing results; the third finds nothing new.
        say("Second sync, which brings old phishing results ...")
        Timed(account)
        say("Unchanged sync ...")
        before = _rows_written()
        unchanged = Timed(account)
        written = _rows_written() - before
        say("Sync with one enrollment in a hundred changed ...")
        _change_one_in_a_hundred()
        changed = Timed(account)
        changes = Change.objects.filter(run=changed.run).count()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MEBIBYTE
    return [
        Figure("enrollments", count),
        Figure("first sync, first request to published", first.total, "s"),
        Figure("first sync", count / first.total, "enrollments/s", at_least=60_000),
        Figure("first sync: fetch", first.fetch, "s"),
        Figure("first sync: check", first.check, "s"),
        Figure("first sync: publish", first.publish, "s"),
        Figure("first sync: rollups added to publish", first.upkeep * 100, "%", at_most=25),
        Figure("bare COPY of the same rows and their indexes", copied, "s"),
        Figure("publish, rollups aside, against bare COPY", copied / first.merging, "x its speed", at_least=0.5),
        Figure("unchanged sync: rows of the mirror written", written, at_most=0),
        Figure("unchanged sync: changes noted", Change.objects.filter(run=unchanged.run).count(), at_most=0),
        Figure("unchanged sync: publish", unchanged.publish, "s"),
        Figure("1 % changed: changes noted", changes),
        Figure("1 % changed: publish", changed.publish, "s"),
        Figure("1 % changed: rollups added to publish", changed.upkeep * 100, "%", at_most=25),
        Figure("1 % changed against unchanged", changed.publish / unchanged.publish, "x", at_most=1.5),
        Figure("memory of the syncing process, most", memory, "MB", at_most=300),
    ]


def _rows_written() -> int:
    """Return how many rows of the mirror Postgres counts as inserted, updated or deleted so far."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables WHERE relname = ANY(%s)", [MIRROR]
        )
        return int(cursor.fetchone()[0])


def _bare_copy() -> float:
    """Return the seconds it takes to COPY all rows just published into bare tables and build the same indexes."""
    return sum(_bare_copy_of(table) for table in MIRROR)


def _bare_copy_of(table: str) -> float:
    with TemporaryFile() as file, connection.cursor() as cursor:
        with cursor.copy(f"COPY {table} TO STDOUT") as copy:
            for block in copy:
                file.write(block)
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE tablename = %s ORDER BY indexname", [table])
        indexes = [row[0] for row in cursor.fetchall()]
        cursor.execute(f"CREATE TABLE bare_copy (LIKE {table} INCLUDING GENERATED)")
        began = time.perf_counter()
        _copy_from(cursor, file)
        for number, definition in enumerate(indexes):
            name = definition.split(" INDEX ")[1].split(" ON ")[0]
            cursor.execute(definition.replace(name, f"bare_{number}", 1).replace(table, "bare_copy", 1))
        took = time.perf_counter() - began
        cursor.execute("DROP TABLE bare_copy")
    return took


def _copy_from(cursor: object, file: IO[bytes]) -> None:
    file.seek(0)
    with cursor.copy("COPY bare_copy FROM STDIN") as copy:  # type: ignore[attr-defined]
        while block := file.read(MEBIBYTE):
            copy.write(block)


def _change_one_in_a_hundred() -> None:
    """Make the mirror differ from KnowBe4 in a hundredth of its enrollments."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE sync_enrollment SET time_spent = time_spent + 1 WHERE id % 100 = 0")
        cursor.execute("VACUUM ANALYZE sync_enrollment")
