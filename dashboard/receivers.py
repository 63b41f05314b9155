"""Consequences of a publication, inside its transaction, so that they become visible with it or not at all; and a
wrong code of a second factor.
"""

from datetime import datetime
from typing import Any

from allauth.mfa.signals import authentication_failed
from django.conf import settings
from django.dispatch import receiver
from django.http import HttpRequest

from dashboard import rollups, triggers
from dashboard.identity import (
    demo,
    sessions,  # noqa: F401 - it listens to sign-ins, and to passwords and second factors
)
from dashboard.identity.limits import note_guess
from dashboard.identity.log import signed_in, signed_out  # noqa: F401 - it listens to sign-ins
from dashboard.models import User
from dashboard.services.renames import note_renames
from dashboard.task_queue import send
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
        send("dashboard.tasks.build_tallies", account_id=account.pk)


@receiver(published, dispatch_uid="find_renames")
def find_renames(*, account: Account, run: SyncRun, published_at: datetime, **_rest: Any) -> None:
    """Find the departments that KnowBe4 seems to have renamed; administrators are told within a minute."""
    note_renames(account, run_id=run.pk, at=published_at)


@receiver(published, dispatch_uid="complete_demo_sign_ins")
def complete_demo_sign_ins(*, account: Account, **_rest: Any) -> None:
    """Find the demo's department head and people manager among the simulator's company, once it is known."""
    if account.is_demo and demo.is_offered():
        demo.make_up(account, password=demo.demo_password(settings.VAR_DIR))


@receiver(authentication_failed, dispatch_uid="note_guessed_code")
def note_guessed_code(*, request: HttpRequest, user: User, **_rest: Any) -> None:
    """Count a wrong code of a second factor for its user."""
    note_guess(request, user, is_code=True)
