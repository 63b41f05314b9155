"""Doing what a preview showed, whole or not at all, and taking it back."""

import logging
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime

from django.db import connection, transaction
from django.utils import timezone

from sync.console.records import BadRow
from sync.models import Account, ConsoleImport, QuarantinedRow, SyncRun
from sync.pipeline.check import check
from sync.pipeline.console import whole
from sync.pipeline.console.matching import apply_extensions, decide_extensions, match_rows, restore
from sync.pipeline.console.preview import bad_rows, changed_dates, matched_rows, preview_import
from sync.pipeline.console.reading import Reading, load, open_import, temporary_tables
from sync.pipeline.merge import Counts, Publication
from sync.pipeline.publish import publish
from sync.pipeline.run import locked
from sync.signals import published

logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]
KEPT_BAD_ROWS = 1_000


class FileHeldError(Exception):
    """The checks hold what the file holds: importing it needs a reason."""


class PreviewOutdatedError(Exception):
    """The account or its columns changed since the preview, which therefore showed something else."""


def accept_import(import_id: int, *, now: Clock = timezone.now) -> ConsoleImport:
    """Import a file whose preview somebody accepted; does nothing for any other, so that it can be tried again.

    A `SyncRun` of kind import tells what was done. AlreadyRunningError while the account is being synced; an
    unexpected error is noted, the preview waits again, and the error is raised.
    """
    imported = ConsoleImport.objects.select_related("account").get(pk=import_id)
    with locked(imported.account):
        imported.refresh_from_db()
        if imported.state != ConsoleImport.State.IMPORTING:
            return imported
        run = _begin(imported, now=now())
        try:
            with temporary_tables():
                _import(imported, run, now=now)
        except PreviewOutdatedError:
            _end(run, SyncRun.State.DISCARDED, "Not imported: the preview was of another state.", now=now())
            _return(imported, ConsoleImport.State.READING, "")
            return preview_import(import_id, now=now)
        except FileHeldError as error:
            _end(run, SyncRun.State.DISCARDED, f"Not imported: {error}.", now=now())
            _return(imported, ConsoleImport.State.HELD, f"{str(error)[:1].upper()}{str(error)[1:]}.")
        except Exception as error:
            message = f"The import stopped on an unexpected error ({type(error).__name__}); nothing was imported."
            _end(run, SyncRun.State.FAILED, message, now=now(), error=error)
            _return(imported, ConsoleImport.State.PREVIEW, message)
            raise
    return imported


def withdraw_import(import_id: int, *, now: Clock = timezone.now) -> ConsoleImport:
    """Take back the extensions an import set, where no later import changed them; the ladder says what holds then.

    Errors as in `accept_import`.
    """
    imported = ConsoleImport.objects.select_related("account", "run").get(pk=import_id)
    with locked(imported.account):
        imported.refresh_from_db()
        if imported.state != ConsoleImport.State.WITHDRAWING or imported.run is None:
            return imported
        account, first = imported.account, imported.run
        run = _begin(imported, now=now())
        try:
            with temporary_tables(), transaction.atomic():
                publication = _publication(account, run, now=now())
                changed = restore(publication, account, run, imported_run_id=first.pk)
                _publish_run(account, run, changed, f"Withdrawn: {imported.name}", now=publication.published_at)
                imported.state = ConsoleImport.State.WITHDRAWN
                imported.message = ""
                imported.report |= {"withdrawn": changed}
                imported.save(update_fields=["state", "message", "report"])
        except Exception as error:
            message = f"The withdrawal stopped on an unexpected error ({type(error).__name__}); nothing was changed."
            _end(run, SyncRun.State.FAILED, message, now=now(), error=error)
            _return(imported, ConsoleImport.State.ACCEPTED, message)
            raise
    return imported


def give_back(import_id: int, message: str) -> None:
    """Let somebody decide again about an import that could not be carried out."""
    waiting = ConsoleImport.State
    for at_work, before in ((waiting.IMPORTING, waiting.PREVIEW), (waiting.WITHDRAWING, waiting.ACCEPTED)):
        ConsoleImport.objects.filter(pk=import_id, state=at_work).update(state=before, message=message)


def _import(imported: ConsoleImport, run: SyncRun, *, now: Clock) -> None:
    account = imported.account
    reading = open_import(imported)
    if reading.problems or reading.is_whole != imported.report.get("is_whole"):
        raise PreviewOutdatedError
    loaded = load(imported, reading, on_progress=lambda read: _progress(run, reading, read, now=now()))
    _progress(run, reading, reading.survey.rows, now=now(), rejected=len(loaded.bad), phase=SyncRun.Phase.CHECK)
    QuarantinedRow.objects.bulk_create(
        QuarantinedRow(
            account=account, run=run, list_key="console", reason=f"Line {row.line}: {row.reason}", raw=row.raw
        )
        for row in loaded.bad[:KEPT_BAD_ROWS]
    )
    report = {"rows": reading.survey.rows, "is_whole": reading.is_whole, **bad_rows(loaded)}
    with transaction.atomic():
        if reading.is_whole:
            report["whole"] = _publish_whole(imported, run, loaded.bad, now=now)
            account.refresh_from_db()
        else:
            run.phase = SyncRun.Phase.PUBLISH
        publication = _publication(account, run, now=run.published_at or now())
        match_rows(account)
        decide_extensions(account, reading)
        if not reading.is_whole:
            # A sync may have come between the preview and now: what is kept is what was done.
            report["changes"] = changed_dates(account, now=publication.published_at)
        changed = apply_extensions(publication, account, run)
        report |= matched_rows(account) | {"changed": changed}
        _publish_run(
            account,
            run,
            changed,
            f"{imported.name}: {reading.survey.rows:,} rows, {len(loaded.bad):,} of them not usable",
            now=publication.published_at,
            is_whole=reading.is_whole,
        )
        imported.state, imported.message = ConsoleImport.State.ACCEPTED, ""
        imported.is_mapping_chosen, imported.run = True, run
        imported.report |= report
        imported.save()


def _publish_whole(imported: ConsoleImport, run: SyncRun, bad: list[BadRow], *, now: Clock) -> dict[str, object]:
    """Stage, check and publish a file that is all the account has. FileHeldError if a check fails without a reason."""
    account = imported.account
    whole.give_ids(account)
    before = whole.sizes(account)
    staging, lists = whole.stage(account, run, [(f"Line {row.line}: {row.reason}", row.raw) for row in bad])
    found = check(account, staging, lists, campaigns_read=None)
    if found.reasons and not imported.reason:
        raise FileHeldError("; ".join(found.reasons))
    run.phase = SyncRun.Phase.PUBLISH
    publish(account, run, staging, now=now(), is_announced=False)
    return {"file": asdict(before[0]), "published": asdict(before[1]), "new": before[2]}


def _publication(account: Account, run: SyncRun, *, now: datetime) -> Publication:
    """Lock the account for this transaction, as publish does; changes are written as text, in UTC."""
    Account.objects.select_for_update(no_key=True).get(pk=account.pk)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL timezone = 'UTC'")
    return Publication(account_id=account.pk, run_id=run.pk, published_at=now)


def _publish_run(
    account: Account, run: SyncRun, changed: int, message: str, *, now: datetime, is_whole: bool = False
) -> None:
    """Stamp the run. The account keeps its own stamp: its pages show the sync of before, with other due dates."""
    if not is_whole:
        run.counts = {"enrollment": asdict(Counts(changed=changed))}
    run.state, run.phase = SyncRun.State.PUBLISHED, SyncRun.Phase.DONE
    run.published_at = run.finished_at = run.heartbeat_at = now
    run.message = message
    run.save()
    if changed or is_whole:
        published.send(sender=SyncRun, account=account, run=run, published_at=now)


def _begin(imported: ConsoleImport, *, now: datetime) -> SyncRun:
    """Make the import's run. One that a killed worker left running is closed: this one replaces it."""
    account = imported.account
    for left in account.runs.filter(kind=SyncRun.Kind.IMPORT, state=SyncRun.State.RUNNING):
        _end(left, SyncRun.State.FAILED, "The import was cut short; it started afresh.", now=now)
    return SyncRun.objects.create(
        account=account,
        kind=SyncRun.Kind.IMPORT,
        trigger=SyncRun.Trigger.PERSON,
        requested_by=imported.decided_by,
        state=SyncRun.State.RUNNING,
        phase=SyncRun.Phase.FETCH,
        started_at=now,
        heartbeat_at=now,
    )


def _progress(
    run: SyncRun,
    reading: Reading,
    read: int,
    *,
    now: datetime,
    rejected: int = 0,
    phase: SyncRun.Phase = SyncRun.Phase.FETCH,
) -> None:
    run.phase, run.heartbeat_at = phase, now
    run.resources = {
        "console": {
            "title": "Rows of the file",
            "rows": read - rejected,
            "rejected": rejected,
            "requests": 0,
            "expected": reading.survey.rows,
            "state": "reading" if phase == SyncRun.Phase.FETCH else "done",
            "position": 0,
        }
    }
    run.save(update_fields=["phase", "resources", "heartbeat_at"])


def _end(run: SyncRun, state: SyncRun.State, message: str, *, now: datetime, error: Exception | None = None) -> None:
    run.state, run.message, run.error_kind = state, message, type(error).__name__ if error else ""
    run.finished_at = run.heartbeat_at = now
    run.published_at, run.counts = None, {}
    run.save()
    logger.warning("run %s of account %s is %s: %s", run.number, run.account_id, state, message)


def _return(imported: ConsoleImport, state: ConsoleImport.State, message: str) -> None:
    imported.refresh_from_db()
    imported.state, imported.message = state, message
    imported.save(update_fields=["state", "message"])
