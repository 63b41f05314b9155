"""Frame of every decision: a lock on the account, a reason, and an entry in the audit log."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import OperationalError, connection, transaction
from django.utils.translation import gettext as _
from psycopg.errors import LockNotAvailable

from dashboard import audit
from dashboard.models import Exemption, SettingChange, User
from sync.models import Account

# How long a decision waits for a sync that is being published; longer than that, and the reader is asked to try again.
PATIENCE = "10s"
EXEMPTION_ACTIONS = {
    Exemption.State.REQUESTED: audit.Action.REQUESTED_EXEMPTION,
    Exemption.State.APPROVED: audit.Action.APPROVED_EXEMPTION,
    Exemption.State.REJECTED: audit.Action.REJECTED_EXEMPTION,
    Exemption.State.ENDED: audit.Action.ENDED_EXEMPTION,
}


class RefusedError(Exception):
    """A decision that cannot be made; the message is a sentence to show."""


@contextmanager
def deciding(account: Account) -> Iterator[None]:
    """Run the block in one transaction, apart from other decisions and from a sync's publication.

    RefusedError when a sync is being published and does not come to its end in time.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{PATIENCE}'")
            try:
                # Publish takes the account first, too: what both write next can never lock them against each other.
                Account.objects.select_for_update(no_key=True).only("pk").get(pk=account.pk)
            except OperationalError as error:
                if isinstance(error.__cause__, LockNotAvailable):
                    raise RefusedError(_("A sync is being published. Try again in a minute.")) from None
                raise
            cursor.execute("SET LOCAL lock_timeout = DEFAULT")
        yield


def given(reason: str) -> str:
    """Return the reason without blanks at its ends; RefusedError when nothing is left."""
    reason = reason.strip()
    if not reason:
        raise RefusedError(_("A reason is needed: say why."))
    return reason


def record(
    account: Account,
    subject: SettingChange.Subject,
    subject_id: int,
    field: str,
    *,
    old: str | None,
    new: str | None,
    by: User,
    at: datetime,
    reason: str,
) -> None:
    """Add a change to the log of settings and to the audit log; `old` and `new` as text, None for "not set".

    The reason, which may name somebody, is in the former only.
    """
    SettingChange.objects.create(
        account=account,
        subject=subject,
        subject_id=subject_id,
        field=field,
        old=old,
        new=new,
        changed_by=by,
        changed_at=at,
        reason=reason,
    )
    is_exemption = subject == SettingChange.Subject.EXEMPTION
    audit.record(
        EXEMPTION_ACTIONS[Exemption.State(new)] if is_exemption and new else audit.Action.CHANGED_SETTING,
        account=account,
        user=by,
        subject=audit.Subject(subject.value),
        subject_id=subject_id,
        details={} if is_exemption else {"field": field, "old": old, "new": new},
    )
