"""One sync of one account, from its lock to its stamp; every attempt leaves a `SyncRun`."""

import hashlib
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import Error, connection
from django.utils import timezone

from config.database_errors import is_away, is_read_only
from config.sealing import SecretUnreadableError
from sync.knowbe4 import regions
from sync.knowbe4.client import Client
from sync.knowbe4.errors import KnowBe4Error, PagingBroken, RetriableError
from sync.knowbe4.pacing import Pacer
from sync.knowbe4.retry import Retry
from sync.models import Account, QuarantinedRow, SyncRun
from sync.pipeline.check import check
from sync.pipeline.fetch import fetch
from sync.pipeline.lists import campaigns_read
from sync.pipeline.plan import Allowance, Plan, plan
from sync.pipeline.progress import Progress
from sync.pipeline.publish import publish
from sync.pipeline.redis_connection import redis_connection
from sync.pipeline.staging import Staging

logger = logging.getLogger(__name__)

# Pages staged longer ago than this belong to another moment: mixing them with new ones would show what never was.
# A run that waited for KnowBe4's day to end is measured from then: it could not have gone on before.
STAGED_FOR = timedelta(hours=6)
# Seconds for which a database that went away is waited for, to note that the run is to go on.
DATABASE_PATIENCE = 60.0
# The first number of the advisory lock; the second is the account.
LOCK = 20_611

Listener = Callable[[SyncRun], None]


class AlreadyRunningError(Exception):
    """Another process is syncing this account."""

    def __init__(self, account: Account) -> None:
        super().__init__(f"A sync of {account} is already running.")


class NotConnectedError(Exception):
    """The account has no key to read KnowBe4 with."""

    def __init__(self, account: Account) -> None:
        super().__init__(f"{account} has no KnowBe4 key: set KNOWBE4_API_KEY and KNOWBE4_REGION, then start again.")


def run_sync(
    account: Account,
    *,
    trigger: SyncRun.Trigger,
    full: bool = False,
    requested_by_id: int | None = None,
    listener: Listener | None = None,
    on_wait: Callable[[float, str], None] | None = None,
    retry: Retry | None = None,
    now: Callable[[], datetime] = timezone.now,
) -> SyncRun:
    """Sync one account and return its finished run: published, held, failed or paused.

    `full` reads everything even where a quick pass would do. `retry` bounds the client's patience. What the schedule
    started leaves the day's reserve of requests alone, though the plan may have been too hopeful. A run that was cut
    short less than six hours ago goes on where it stopped; a quick one does not where `full` is asked for.
    AlreadyRunningError when another process syncs the account; an error that is no answer of KnowBe4's is noted in the
    run and raised, unless it is that the database, or this session with it, went away: then the run is paused.
    """
    try:
        if not account.api_key:
            raise NotConnectedError(account)
    except SecretUnreadableError as error:
        _refuse(account, error, trigger, requested_by_id, now=now())
        raise
    run: SyncRun | None = None
    session: object = None
    try:
        with locked(account) as session:
            staging = Staging(account.pk)
            unpaced: RetriableError | None = None
            run = _resume(account, staging, full=full, now=now())
            if run is None:
                try:
                    left = allowance(account, now=now)
                except RetriableError as error:
                    # Every attempt leaves a run: planned without knowing what is left, and stopped before it asks.
                    left, unpaced = Allowance(limit=account.daily_allowance, used=0, resets_at=None), error
                decided = plan(account, allowance=left, full=full, now=now())
                run = _begin(account, staging, decided, trigger, requested_by_id, full=full, now=now())
            progress = Progress(run, expected=_expected(account), listener=listener, now=now)
            if unpaced:
                _stop(run, unpaced, now=now())
            else:
                sparing = trigger == SyncRun.Trigger.SCHEDULE
                _attempt(
                    account, run, staging, progress, session, on_wait=on_wait, retry=retry, sparing=sparing, now=now
                )
    except Error as error:
        if run is None or not is_away(error) or not _is_lost(session, error):
            raise
        run = _reconnect(account, run, error, now=now)
    if listener:
        listener(run)
    return run


def _attempt(
    account: Account,
    run: SyncRun,
    staging: Staging,
    progress: Progress,
    session: object,
    *,
    on_wait: Callable[[float, str], None] | None,
    retry: Retry | None,
    sparing: bool,
    now: Callable[[], datetime],
) -> None:
    """Carry the run out as far as it goes, and note in it why it stopped, if it did."""
    try:
        with client_for(account, on_wait=on_wait, retry=retry, sparing=sparing, now=now) as client:
            _carry_out(account, run, staging, client, progress, now=now)
    except KnowBe4Error as error:
        _stop(run, error, now=now())
    except Exception as error:
        # Without its database there is nowhere to note it.
        if not _is_lost(session, error):
            _finish(
                run,
                SyncRun.State.FAILED,
                f"The sync stopped on an unexpected error ({type(error).__name__}); the log has the details.",
                error,
                now=now(),
            )
        raise


def _reconnect(account: Account, run: SyncRun, error: Exception, *, now: Callable[[], datetime]) -> SyncRun:
    """Wait for a database that went away, and return the run as it is there: paused, unless it was published after all.

    Raises `error` when the database stays away; the next sync finds the run and goes on with it all the same.
    """
    deadline = time.monotonic() + DATABASE_PATIENCE
    while True:
        connection.close()
        try:
            with locked(account):
                run = SyncRun.objects.get(pk=run.pk)
                if run.state == SyncRun.State.RUNNING:
                    message = "The database went away; the next sync goes on where this one stopped."
                    _finish(run, SyncRun.State.PAUSED, message, error, now=now())
                return run
        except AlreadyRunningError:
            # Another worker was faster, and goes on with it.
            return SyncRun.objects.get(pk=run.pk)
        except Error as still:
            if not is_away(still) or time.monotonic() > deadline:
                raise error from None
            time.sleep(0.5)


def _carry_out(
    account: Account,
    run: SyncRun,
    staging: Staging,
    client: Client,
    progress: Progress,
    *,
    now: Callable[[], datetime],
) -> None:
    decided = Plan.from_json(run.plan)
    lists = fetch(account, run, decided, client, staging, progress)
    progress.phase(SyncRun.Phase.CHECK)
    read = campaigns_read(lists)
    report = check(account, staging, lists, campaigns_read=read)
    _keep_quarantined(account, run, staging)
    if report.reasons:
        _finish(run, SyncRun.State.HELD, f"{'; '.join(report.reasons)}.", None, now=now())
        return
    progress.phase(SyncRun.Phase.PUBLISH)
    publish(account, run, staging, campaigns_read=read, now=now())
    # Publishing takes time of its own; its moment is when it began.
    run.finished_at = now()
    run.save(update_fields=["finished_at"])
    written = {table: sum(count.values()) for table, count in run.counts.items()}
    logger.info("run %s of account %s is published; rows written: %s", run.number, account.pk, written)


def _keep_quarantined(account: Account, run: SyncRun, staging: Staging) -> None:
    run.quarantined.all().delete()
    QuarantinedRow.objects.bulk_create(
        QuarantinedRow(account=account, run=run, list_key=row.key, reason=row.reason, raw=row.raw)
        for row in staging.rejected()
    )


@contextmanager
def locked(account: Account) -> Iterator[object]:
    """Hold the account's run lock; the database frees it when this process or its connection dies.

    Gives the session that holds it, for `_is_open`.
    """
    with connection.cursor() as cursor:
        # Of a worker that was killed Postgres learns only when it answers: it shall look while it works, too.
        cursor.execute("SET client_connection_check_interval = '2s'")
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK, account.pk])
        if not cursor.fetchone()[0]:
            raise AlreadyRunningError(account)
    session = connection.connection
    try:
        yield session
    finally:
        if _is_open(session):
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK, account.pk])


def _is_open(session: object) -> bool:
    """Return whether this is the database session in use, and it answers; Django opens another after one that broke."""
    return connection.connection is session and connection.is_usable()


def _is_lost(session: object, error: Exception) -> bool:
    """Return whether nothing can be noted in this database session after an error: it has ended, or takes nothing."""
    return is_read_only(error) or not _is_open(session)


def is_locked(account: Account) -> bool:
    """Return whether a process holds the account's run lock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2"
            " AND classid = %s AND objid = %s"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))",
            [LOCK, account.pk],
        )
        return bool(cursor.fetchone()[0])


def _resume(account: Account, staging: Staging, *, full: bool, now: datetime) -> SyncRun | None:
    """Return the run whose pages are still good, made running again; whoever else seems to run is dead: close it.

    Pages that were read elsewhere, or with another key, may be another organization's; a quick run is none for whoever
    asks for a full one. What was read by a clock that was ahead is of an unknown age.
    """
    waiting = staging.held_run()
    resumable = None
    for run in account.runs.filter(state__in=[SyncRun.State.RUNNING, SyncRun.State.PAUSED]).order_by("pk"):
        readable_at = max(run.started_at, min(run.resume_at or run.started_at, now))
        is_recent = timedelta(0) <= now - readable_at < STAGED_FOR
        is_enough = not full or run.plan.get("full_asked") or run.kind == SyncRun.Kind.FULL
        if run.pk == waiting and is_recent and is_enough and run.plan.get("source") == _source(account):
            resumable = run
        else:
            _finish(run, SyncRun.State.FAILED, "The sync was cut short; the next one started afresh.", None, now=now)
    if resumable:
        resumable.state = SyncRun.State.RUNNING
        resumable.phase = SyncRun.Phase.FETCH
        resumable.finished_at = resumable.resume_at = None
        resumable.message = resumable.error_kind = ""
        resumable.heartbeat_at = now
        resumable.save()
    return resumable


def _begin(
    account: Account,
    staging: Staging,
    decided: Plan,
    trigger: SyncRun.Trigger,
    requested_by_id: int | None,
    *,
    full: bool,
    now: datetime,
) -> SyncRun:
    run = SyncRun.objects.create(
        account=account,
        kind=decided.kind,
        # What was asked for may be more than its plan has requests for.
        plan={**decided.as_json(), "source": _source(account), "full_asked": full},
        trigger=trigger,
        requested_by_id=requested_by_id,
        state=SyncRun.State.RUNNING,
        phase=SyncRun.Phase.FETCH,
        started_at=now,
        heartbeat_at=now,
    )
    # Its pages are about to go: what KnowBe4 says now replaces what it said then.
    superseded = account.runs.filter(state=SyncRun.State.HELD)
    superseded.update(
        state=SyncRun.State.DISCARDED, resolved_at=now, resolution=f"A later sync, run {run.number}, began."
    )
    staging.create(run.pk)
    return run


def _refuse(
    account: Account, error: Exception, trigger: SyncRun.Trigger, requested_by_id: int | None, *, now: datetime
) -> None:
    """Leave a failed run that says why nothing could be asked."""
    SyncRun.objects.create(
        account=account,
        kind=SyncRun.Kind.FULL,
        trigger=trigger,
        requested_by_id=requested_by_id,
        state=SyncRun.State.FAILED,
        phase=SyncRun.Phase.FETCH,
        started_at=now,
        heartbeat_at=now,
        finished_at=now,
        error_kind=type(error).__name__,
        message=str(error),
    )


def _stop(run: SyncRun, error: KnowBe4Error, *, now: datetime) -> None:
    """Note why KnowBe4 could not be read: to be resumed, looked at, or mended by somebody."""
    if isinstance(error, RetriableError):
        state = SyncRun.State.PAUSED
        run.resume_at = error.until
    elif isinstance(error, PagingBroken):
        state = SyncRun.State.HELD
    else:
        state = SyncRun.State.FAILED
    _finish(run, state, str(error), error, now=now)


def _finish(run: SyncRun, state: SyncRun.State, message: str, error: Exception | None, *, now: datetime) -> None:
    run.state = state
    run.message = message[:1].upper() + message[1:]
    run.error_kind = type(error).__name__ if error else ""
    run.finished_at = run.heartbeat_at = now
    run.save()
    logger.warning("run %s of account %s is %s: %s", run.number, run.account_id, state, run.message)


def _pacer(account: Account, *, sparing: bool = False, now: Callable[[], datetime] = timezone.now) -> Pacer:
    per_day = account.daily_allowance
    if sparing and per_day is not None:
        per_day = max(1, Allowance(limit=per_day, used=0, resets_at=None).spendable or 0)
    limits: dict[str, Any] = {
        "per_second": account.requests_per_second,
        "per_minute": account.requests_per_minute,
        "per_day": per_day,
    }
    return Pacer(redis_connection(), str(account.pk), now=now, **limits)


def allowance(account: Account, *, now: Callable[[], datetime] = timezone.now) -> Allowance:
    """Return how much of the day's requests is used, whoever made them."""
    usage = _pacer(account, now=now).usage()
    return Allowance(limit=usage.day_limit, used=usage.day, resets_at=usage.day_resets_at)


def client_for(
    account: Account,
    *,
    on_wait: Callable[[float, str], None] | None = None,
    retry: Retry | None = None,
    sparing: bool = False,
    base_url: str = "",
    now: Callable[[], datetime] = timezone.now,
) -> Client:
    """Return a client of the account, paced with all others of it. SecretUnreadableError under another SECRET_KEY.

    `sparing`: the day's reserve is left alone, for what people start by hand. `base_url` replaces the account's own.
    """
    return Client(
        base_url or account.base_url or regions.base_url(account.region),
        account.api_key,
        pacer=_pacer(account, sparing=sparing, now=now),
        retry=retry,
        on_wait=on_wait,
        now=now,
    )


def _source(account: Account) -> str:
    """Return a short text that is another one for another place or another key, and tells neither."""
    place = account.base_url or account.region
    return hashlib.sha256(f"{account.pk} {place} {account.api_key}".encode()).hexdigest()[:16]


def _expected(account: Account) -> dict[str, int]:
    """Return how many rows each step read last time, for the progress bar."""
    last = account.published_run
    return {step: entry["rows"] for step, entry in last.resources.items()} if last else {}
