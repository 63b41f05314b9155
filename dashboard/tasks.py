"""Celery's way in: upkeep of the rollups between syncs, files that take longer than a browser waits, and mail."""

from collections.abc import Iterator
from contextlib import contextmanager

from celery import Task, shared_task
from django.db import Error, connection
from django.utils import timezone

from config.database_errors import is_away
from dashboard import rollups, task_queue
from dashboard.evidence.jobs import make_pack
from dashboard.exports import jobs as exports
from dashboard.files.jobs import forget_expired, forgotten
from dashboard.mail import deliveries, notices
from dashboard.mail.alerts import mailing, watching
from dashboard.models import Delivery, EvidencePack, Export
from dashboard.outbox import handing_over, occurrences
from dashboard.requests import sent_forms
from dashboard.services import possessions, retention_cleanup
from sync.models import Account


@shared_task(name="dashboard.tasks.build_tallies")
def build_tallies(*, account_id: int) -> None:
    """Work out the tallies of an account whose first sync was published without them."""
    rollups.build_tallies(Account.objects.get(pk=account_id), at=timezone.now())


@shared_task(name="dashboard.tasks.advance_rollups")
def advance_rollups() -> None:
    """Fold the days that have passed, and renew the people whose figures changed by time alone, in every account."""
    now = timezone.now()
    for account in Account.objects.filter(rollups__isnull=False).order_by("pk"):
        rollups.advance(account, at=now)


@shared_task(name="dashboard.tasks.queue_again")
def queue_again() -> None:
    """Queue what somebody asked for and no worker took up."""
    task_queue.queue_again(timezone.now())


@contextmanager
def _later_while_away(task: Task) -> Iterator[None]:
    """Have a task tried again in a while when its database is away."""
    try:
        yield
    except Error as error:
        if not is_away(error):
            raise
        connection.close()
        raise task.retry(exc=error, countdown=10) from error


@shared_task(name="dashboard.tasks.make_export", bind=True, max_retries=10)
def make_export(self: Task, *, export_id: int) -> None:
    """Make a file that a reader asked for; while the database is away, later."""
    with _later_while_away(self):
        exports.make_export(export_id)


@shared_task(name="dashboard.tasks.keep_exports")
def keep_exports() -> None:
    """Remove files whose day is over, and queue again what no worker finished; forget forms of long ago."""
    now = timezone.now()
    sent_forms.forget(now)
    forget_expired(Export, now)
    for export_id in forgotten(Export, now):
        make_export.delay(export_id=export_id)


@shared_task(name="dashboard.tasks.send_due_mail")
def send_due_mail() -> None:
    """Note what has become due, and hand every mail that waits to a worker; without a mail server it stays due."""
    now = timezone.now()
    occurrences.note_due(now)
    occurrences.note_trouble(now)
    if handing_over.is_set_up():
        for delivery_id in occurrences.to_queue(now):
            deliver_mail.delay(delivery_id=delivery_id)


@shared_task(name="dashboard.tasks.deliver_mail", bind=True, max_retries=10)
def deliver_mail(self: Task, *, delivery_id: int) -> None:
    """Send one mail; while the database is away, later."""
    with _later_while_away(self):
        deliveries.deliver(delivery_id)


@shared_task(name="dashboard.tasks.make_evidence_pack", bind=True, max_retries=10)
def make_evidence_pack(self: Task, *, pack_id: int) -> None:
    """Make an evidence pack; while the database is away, later."""
    with _later_while_away(self):
        make_pack(pack_id)


@shared_task(name="dashboard.tasks.apply_retention")
def apply_retention() -> None:
    """Remove what accounts do not keep any longer, and sessions that are over; once a night."""
    retention_cleanup.apply_all(timezone.now())


@shared_task(name="dashboard.tasks.keep_evidence")
def keep_evidence() -> None:
    """Remove packs and mailed files whose time is over, and queue again the packs that no worker finished."""
    now = timezone.now()
    forget_expired(Delivery, now)
    forget_expired(EvidencePack, now)
    for pack_id in forgotten(EvidencePack, now):
        make_evidence_pack.delay(pack_id=pack_id)


@shared_task(name="dashboard.tasks.watch")
def watch() -> None:
    """Settle what those left behind whose roles have ended; look whether syncs and schedules work, and hand what
    administrators are to hear of that to a worker.
    """
    now = timezone.now()
    possessions.settle_ended(now)
    for mail_id in watching.look(now):
        deliver_alert.delay(mail_id=mail_id)


@shared_task(name="dashboard.tasks.deliver_alert", bind=True, max_retries=10)
def deliver_alert(self: Task, *, mail_id: int) -> None:
    """Send one mail of an alert; while the database is away, later."""
    with _later_while_away(self):
        mailing.deliver(mail_id)


@shared_task(name="dashboard.tasks.send_notice", bind=True, max_retries=10)
def send_notice(self: Task, *, to: str, subject: str, paragraphs: list[str], path: str) -> None:
    """Tell somebody by mail what happened to their sign-in; while the database is away, later."""
    with _later_while_away(self):
        notices.deliver(self.request.id, to=to, subject=subject, paragraphs=paragraphs, path=path)
