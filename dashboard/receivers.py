"""What follows a sync's publication, inside its transaction: it becomes visible with it, or not at all."""

from typing import Any

from django.dispatch import receiver

from dashboard import triggers
from sync.models import Account, SyncRun
from sync.signals import published


@receiver(published, dispatch_uid="infer_triggers")
def infer_triggers(*, account: Account, run: SyncRun, **_rest: Any) -> None:
    """Infer what makes the campaigns enroll people, where the sync brought something that tells."""
    triggers.refresh(account, run=run)
