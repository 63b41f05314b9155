"""State of an account's key at KnowBe4: by the last test of it or the last sync, whichever answered later."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from sync.models import Account, SyncRun


@dataclass(frozen=True)
class Connection:
    """State of an account's key. `is_accepted` is None, and `said` empty, as long as nothing answered."""

    is_accepted: bool | None
    said: str


def connections(accounts: Iterable[Account], runs: QuerySet[SyncRun], *, as_of: datetime) -> dict[int, Connection]:
    """Return what is known of each account's key, by the account's primary key; `runs` are those the reader may see.

    A sync that ended for another reason than the key, and an imported file, say nothing about it.
    """
    answers = (
        runs.exclude(kind=SyncRun.Kind.IMPORT)
        .filter(Q(published_at__isnull=False) | Q(error_kind__in=SyncRun.KEY_REFUSED))
        .order_by("account_id", "-number")
        .distinct("account_id")
    )
    by_account = {run.account_id: run for run in answers}
    return {account.pk: _connection(account, by_account.get(account.pk), as_of) for account in accounts}


def connection(account: Account, runs: QuerySet[SyncRun], *, as_of: datetime) -> Connection:
    """Return what is known of one account's key."""
    return connections([account], runs.filter(account=account.pk), as_of=as_of)[account.pk]


def _connection(account: Account, run: SyncRun | None, as_of: datetime) -> Connection:
    tested = Connection(account.is_connected, account.connection_message)
    if not account.encrypted_key or run is None:
        return tested
    # What lies in the future was written by a clock that was ahead: the other answered later.
    tested_at, ended_at = account.connection_tested_at, run.finished_at or run.started_at
    if tested_at and tested_at <= as_of and (tested_at > ended_at or ended_at > as_of):
        return tested
    if run.refuses_key:
        return Connection(False, _("Key refused: %(why)s") % {"why": run.message})
    # The test says more: whose key it is.
    return tested if tested.is_accepted else Connection(True, _("Connected."))
