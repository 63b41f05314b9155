"""Celery's way in: upkeep of the rollups between syncs, and files that take longer than a browser waits."""

from celery import Task, shared_task
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from dashboard import rollups
from dashboard.exports import making
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


@shared_task(name="dashboard.tasks.make_export", bind=True, max_retries=10)
def make_export(self: Task, *, export_id: int) -> None:
    """Make a file that a reader asked for; while the database is away, later."""
    try:
        making.make_export(export_id)
    except (OperationalError, InterfaceError) as error:
        connection.close()
        raise self.retry(exc=error, countdown=10) from error


@shared_task(name="dashboard.tasks.keep_exports")
def keep_exports() -> None:
    """Remove files whose day is over, and queue again what no worker finished."""
    now = timezone.now()
    making.forget_expired(now)
    for export_id in making.forgotten(now):
        make_export.delay(export_id=export_id)
