"""Celery's way in: upkeep of the rollups between syncs."""

from celery import shared_task
from django.utils import timezone

from dashboard import rollups
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
