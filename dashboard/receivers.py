"""What follows a sync's publication, inside its transaction: it becomes visible with it, or not at all."""

from datetime import datetime
from typing import Any

from django.dispatch import receiver

from dashboard import rollups, triggers
from dashboard.tasks import build_tallies
from sync.models import Account, SyncRun
from sync.signals import published


@receiver(published, dispatch_uid="infer_triggers")
def infer_triggers(*, account: Account, run: SyncRun, **_rest: Any) -> None:
    """Infer what makes the campaigns enroll people, where the sync brought something that tells."""
    triggers.refresh(account, run=run)


@receiver(published, dispatch_uid="keep_rollups")
def keep_rollups(*, account: Account, run: SyncRun, published_at: datetime, **_rest: Any) -> None:
    """Bring the rollups up to date; the tallies of a first sync are worked out after it, so that pages come sooner."""
    if not rollups.after_publish(account, run_id=run.pk, at=published_at):
        build_tallies.delay_on_commit(account_id=account.pk)
