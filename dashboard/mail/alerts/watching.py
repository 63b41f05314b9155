"""Keeping alerts: opened when a cause is first seen, closed when it is gone, with mails to the administrators."""

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from dashboard.locks import advisory_lock
from dashboard.mail.alerts.causes import SYNC_KINDS, Cause, causes
from dashboard.models import Alert, AlertMail, User
from dashboard.outbox import handing_over
from dashboard.outbox.occurrences import LONGEST_AHEAD
from dashboard.queries.account_roles import administrators, auditors
from sync.models import Account

logger = logging.getLogger(__name__)

State = AlertMail.State
# A mail that was queued and is still open after this is queued again.
QUEUED_FOR = timedelta(minutes=5)


def look(now: datetime) -> list[int]:
    """Open and close alerts as things are at `now`; return the mails that are to be sent now.

    Of two that look at once the second does nothing.
    """
    with advisory_lock("alerts") as is_alone, transaction.atomic():
        if is_alone:
            _compare({cause.key: cause for cause in causes(now)}, now)
    if not handing_over.is_set_up():
        return []
    _address(now)
    # A moment further ahead than any wait was written by a clock that was wrong.
    due = AlertMail.objects.filter(
        Q(next_try_at__lte=now) | Q(next_try_at__gt=now + LONGEST_AHEAD),
        state__in=[State.WAITING, State.HANDING_OVER],
    )
    with transaction.atomic():
        found = list(due.select_for_update(skip_locked=True).order_by("pk").values_list("pk", flat=True))
        AlertMail.objects.filter(pk__in=found).update(next_try_at=now + QUEUED_FOR)
    return found


def _compare(found: dict[tuple[int, str, int], Cause], now: datetime) -> None:
    """Open what is new and close what is gone."""
    new = dict(found)
    for alert in Alert.objects.filter(ended_at=None).select_related("account").order_by("pk"):
        if new.pop((alert.account_id, alert.kind, alert.subject_id), None) is None:
            _close(alert, now, tells=_tells_of_its_end(alert, found))
    for cause in new.values():
        Alert.objects.create(
            account_id=cause.account_id, kind=cause.kind, subject_id=cause.subject_id, said=cause.said, began_at=now
        )
        if cause.kind != Alert.Kind.AUDIT_HEAD:
            logger.warning("Alert: %s (account %s): %s", cause.kind, cause.account_id, cause.said)


def _tells_of_its_end(alert: Alert, found: dict[tuple[int, str, int], Cause]) -> bool:
    """Return whether it is news that the cause is gone: a rename is because somebody decided it, a week each Monday."""
    if alert.kind in SYNC_KINDS:
        return _is_synced_well(alert.account, found)
    return alert.kind not in {Alert.Kind.DEPARTMENT_RENAMED, Alert.Kind.AUDIT_HEAD}


def _is_synced_well(account: Account, found: dict[tuple[int, str, int], Cause]) -> bool:
    """Return whether the account is synced, and nothing else is the matter with that now."""
    is_troubled = any(key[0] == account.pk and key[1] in SYNC_KINDS for key in found)
    return account.is_sync_enabled and bool(account.encrypted_key) and not is_troubled


def _close(alert: Alert, now: datetime, *, tells: bool) -> None:
    """Close an alert; whoever heard of it hears that it is over, who has not yet hears nothing any more."""
    alert.ended_at = now
    alert.save(update_fields=["ended_at"])
    if alert.kind != Alert.Kind.AUDIT_HEAD:
        logger.warning("Alert over: %s (account %s)", alert.kind, alert.account_id)
    alert.mails.filter(state=State.WAITING).update(state=State.SUPERSEDED)
    if tells:
        AlertMail.objects.bulk_create(
            AlertMail(
                account=alert.account, alert=alert, recipient_id=recipient, is_over=True, next_try_at=alert.ended_at
            )
            for recipient in alert.mails.exclude(state__in=[State.SUPERSEDED, State.FAILED])
            .filter(is_over=False)
            .values_list("recipient", flat=True)
            .order_by("recipient")
        )


def _address(now: datetime) -> None:
    """Write a mail to each administrator of an account (each auditor, of its log) for every open alert of which nobody
    was told.
    """
    for alert in Alert.objects.filter(ended_at=None, mails=None).select_related("account").order_by("pk"):
        AlertMail.objects.bulk_create(
            AlertMail(account=alert.account, alert=alert, recipient=user, next_try_at=now) for user in _told(alert, now)
        )


def _told(alert: Alert, now: datetime) -> list[User]:
    return (auditors if alert.kind == Alert.Kind.AUDIT_HEAD else administrators)(alert.account, now)
