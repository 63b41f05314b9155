"""Retention periods of an account, for what it need not keep for ever."""

from collections.abc import Mapping

from django.contrib.auth.models import AnonymousUser

from dashboard import audit
from dashboard.models import Retention, User
from sync.models import Account

KEEPING = ("people_days", "mails_days", "exports_days", "sessions_days")


def kept(account: Account) -> dict[str, int | None]:
    """Return after how many days each thing is removed; None for never."""
    row = Retention.objects.filter(account=account).first() if account.pk else None
    return {name: getattr(row, name, None) for name in KEEPING}


def keep(account: Account, days: Mapping[str, int | None], *, by: User | AnonymousUser) -> bool:
    """Set after how many days each thing is removed; return whether that changed anything, which is on record."""
    before = kept(account)
    changed = {name: days[name] for name in KEEPING if days[name] != before[name]}
    if not changed:
        return False
    Retention.objects.update_or_create(account=account, defaults=changed)
    audit.record(
        audit.Action.RETENTION_CHANGED,
        account=account,
        user=by,
        subject=audit.Subject.ACCOUNT,
        subject_id=account.pk,
        details=changed,
    )
    return True
