"""Removing what accounts do not keep any longer."""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from importlib import import_module

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.db.models import Q

from dashboard import audit
from dashboard.models import Delivery, Export, Retention
from dashboard.services.erasure import NotErasableError, erase
from sync.models import Account, Person
from sync.models.people import PersonStatus

logger = logging.getLogger(__name__)

# People erased in one transaction: a sync that is published meanwhile waits no longer than that.
AT_ONCE = 100


def apply_all(at: datetime) -> None:
    """Remove sessions that are over, and in every account what it does not keep any longer."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    for retention in Retention.objects.select_related("account").order_by("account_id"):
        apply(retention, at)


def apply(retention: Retention, at: datetime) -> dict[str, int]:
    """Remove what one account does not keep any longer, note how much in its audit log, and return it."""
    account = retention.account
    done: dict[str, int] = {}
    if retention.people_days is not None:
        done["people"] = _erase_people(account, at - timedelta(days=retention.people_days), at)
    if retention.mails_days is not None:
        # The occurrences stay: by them a schedule knows what was due already.
        ended = Delivery.objects.filter(account=account, finished_at__lt=at - timedelta(days=retention.mails_days))
        done["mails"], _rows = ended.filter(Q(expires_at=None) | Q(expires_at__lt=at)).delete()
    if retention.exports_days is not None:
        over = (Export.State.EXPIRED, Export.State.FAILED)
        old = Export.objects.filter(account=account, requested_at__lt=at - timedelta(days=retention.exports_days))
        done["exports"], _rows = old.filter(state__in=over).delete()
    if retention.sessions_days is not None:
        unused = UserSession.objects.filter(last_seen_at__lt=at - timedelta(days=retention.sessions_days))
        sessions = list(unused.filter(user__memberships__account=account).distinct())
        for session in sessions:
            session.end()
        done["sessions"] = len(sessions)
    if any(done.values()):
        audit.record(
            audit.Action.RETENTION_APPLIED,
            account=account,
            user=None,
            subject=audit.Subject.ACCOUNT,
            subject_id=account.pk,
            details=done,
        )
    return done


def _erase_people(account: Account, before: datetime, at: datetime) -> int:
    """Erase whoever left before a moment; who is named by an import that waits for a decision has to wait, too."""
    erased = 0
    for people in _left(account, before):
        try:
            erased += erase(people, reason="Retention", at=at, through=audit.Through.SCHEDULE).people
        except NotErasableError as error:
            logger.warning("people who left account %s were not erased: %s", account.pk, error)
            break
    return erased


def _left(account: Account, before: datetime) -> Iterator[list[Person]]:
    left = Q(removed_at__lt=before) | Q(status=PersonStatus.ARCHIVED, archived_at__lt=before)
    people = Person.objects.filter(left, account=account, erased_at=None).select_related("account").order_by("pk")
    while found := list(people[:AT_ONCE]):
        yield found
