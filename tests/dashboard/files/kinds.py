"""Every kind of made file, asked for, made and fetched in one way: for what must hold of all of them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.urls import reverse

from dashboard import tasks
from dashboard.evidence.jobs import request_pack
from dashboard.files.kept_scope import scope_in
from dashboard.models import Delivery, EvidencePack, Export, User
from dashboard.models.files import StoredFile
from dashboard.outbox import occurrences
from sync.models import Account
from tests.clock import MOMENT
from tests.dashboard.mail.conftest import make_schedule


@dataclass(frozen=True)
class Kind:
    """A kind of file: `ask` for one (of a list, where it has a choice), `make` it by its key, `said` when it fails."""

    model: type[StoredFile]
    ask: Callable[[Account, User, str], Any]
    make: Callable[[int], None]
    address: Callable[[Any], str]
    made: str
    failed: str
    no_access: str
    said: str

    def tried(self, row: Any) -> tuple[str, str]:
        """Have a worker try to make it; return its state and what it says."""
        if self.model is Delivery:
            Delivery.objects.filter(pk=row.pk).update(next_try_at=MOMENT)
        self.make(row.pk)
        row.refresh_from_db()
        return row.state, getattr(row, self.said)

    def again(self, row: Any) -> Any:
        """Ask for the same once more; a mail that is put off is tried again by itself."""
        return row if self.model is Delivery else self.ask(row.account, row.user, "people")


def _export(account: Account, user: User, table: str) -> Export:
    asked = {"query": "", "as_of": MOMENT.isoformat(), "past_day": None, "columns": []}
    return Export.objects.create(
        account=account, user=user, table=table, format="csv", parameters=asked, requested_at=MOMENT,
        file_name=f"{table}.csv",
    )  # fmt: skip


def _pack(account: Account, user: User, _table: str) -> EvidencePack:
    scope = scope_in(account.pk, user, MOMENT)
    return request_pack(scope, MOMENT.date() - timedelta(days=30), MOMENT.date(), user=user, at=MOMENT)


def _link(account: Account, user: User, table: str) -> Delivery:
    schedule = make_schedule(account, user, user, content="table", what=table, format="csv", way="link")
    occurrence = occurrences.note(schedule, due_at=MOMENT, at=MOMENT)
    assert occurrence is not None
    return occurrence.deliveries.get()


KINDS = {
    "export": Kind(
        Export,
        _export,
        lambda pk: tasks.make_export(export_id=pk),
        lambda row: reverse("export_file", args=[row.pk]),
        made="ready",
        failed="failed",
        no_access="failed",
        said="error",
    ),
    "evidence": Kind(
        EvidencePack,
        _pack,
        lambda pk: tasks.make_evidence_pack(pack_id=pk),
        lambda row: reverse("evidence_file", args=[row.pk]),
        made="ready",
        failed="failed",
        no_access="failed",
        said="error",
    ),
    "mail": Kind(
        Delivery,
        _link,
        lambda pk: tasks.deliver_mail(delivery_id=pk),
        lambda row: reverse("delivery_file", args=[row.key]),
        made="sent",
        failed="waiting",
        no_access="no_access",
        said="said",
    ),
}
