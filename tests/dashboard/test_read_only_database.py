"""A database that takes nothing for a moment, as at a fail-over: what workers make then is made a moment later."""

from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.db import InternalError
from psycopg.errors import ReadOnlySqlTransaction

from dashboard import tasks
from dashboard.access import Scope
from dashboard.evidence import jobs as evidence
from dashboard.models import Delivery, Export, User
from dashboard.outbox import occurrences
from sync.models import Account
from tests.dashboard.mail.conftest import inbox, mail_by, make_schedule, server
from tests.dashboard.mail.server import Inbox

__all__ = ["inbox", "mail_by", "server"]
# The task that is tried again connects anew.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def refuse_once(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a way to have what a function writes refused the first time that it is called."""

    def refuse(module: str, name: str) -> None:
        does, refused = getattr(import_module(module), name), []

        def refusing(*args: Any) -> None:
            if not refused:
                refused.append(args)
                raise InternalError("cannot execute UPDATE in a read-only transaction") from ReadOnlySqlTransaction()
            does(*args)

        monkeypatch.setattr(import_module(module), name, refusing)

    return refuse


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def test_an_export(company: Account, alice: User, now: datetime, refuse_once: Any) -> None:
    export = Export.objects.create(
        account=company, user=alice, table="people", format="csv", requested_at=now, rows_total=160,
        parameters={"query": "", "as_of": now.isoformat(), "past_day": None, "columns": ["person"]},
        file_name="people.csv",
    )  # fmt: skip
    refuse_once("dashboard.exports.jobs", "_make")
    tasks.make_export.apply(kwargs={"export_id": export.pk})
    export.refresh_from_db()
    assert (export.state, export.begun) == (Export.State.READY, 2)


def test_an_evidence_pack(company: Account, alice: User, now: datetime, refuse_once: Any) -> None:
    scope = Scope.of(alice, chosen=company.pk)
    pack = evidence.request_pack(scope, now.date() - timedelta(days=30), now.date(), user=alice, at=now)
    refuse_once("dashboard.evidence.jobs", "_make")
    tasks.make_evidence_pack.apply(kwargs={"pack_id": pack.pk})
    pack.refresh_from_db()
    assert (pack.state, pack.begun) == (pack.State.READY, 2)


def test_a_mail(company: Account, alice: User, now: datetime, server: Inbox, refuse_once: Any) -> None:
    make_schedule(company, alice, alice, content="figures", since=now - timedelta(days=8))
    occurrences.note_due(now)
    delivery = Delivery.objects.get()
    refuse_once("dashboard.outbox.sending", "_deliver")
    tasks.deliver_mail.apply(kwargs={"delivery_id": delivery.pk})
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == (Delivery.State.SENT, 1)
    assert len(server.mails) == 1
