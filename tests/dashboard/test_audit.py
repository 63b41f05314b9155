"""The log takes events inside the act's transaction, and the database chains them and lets nobody rewrite them."""

from datetime import datetime, timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import RequestFactory

from dashboard import audit
from dashboard.models import AuditEvent, User
from sync.models import Account
from tests.dashboard.sealing import seal


def test_an_event_says_who_did_what_to_what(account: Account, alice: User, rf: RequestFactory, now: datetime) -> None:
    request = rf.get("/", REMOTE_ADDR="192.0.2.77")
    audit.record(
        audit.Action.VIEWED_PERSON,
        account=account,
        user=alice,
        subject="person",
        subject_id=7,
        details={"as_of": "2026-09-30", "rows": 3},
        request=request,
    )
    seal()
    event = AuditEvent.objects.get()
    assert now <= event.at < now + timedelta(minutes=1)
    assert (event.account, event.actor, event.actor_email) == (account, alice, "alice@brackwater.example")
    assert (event.action, event.subject, event.subject_id) == ("viewed_person", "person", 7)
    assert event.details == {"as_of": "2026-09-30", "rows": 3}
    assert event.network == "192.0.2.0/24"
    assert event.through == "page"
    assert event.seal.position == 1
    assert event.seal.previous == "0" * 64


def test_each_event_is_chained_to_the_one_before_in_its_account(account: Account, alice: User) -> None:
    other = Account.objects.create(name="Another", api_key="not-a-key", time_zone="UTC")
    for whose in (account, other, account, None):
        audit.record(audit.Action.SIGNED_IN, account=whose, user=alice)
    seal()
    first, foreign, second, nobodys = [event.seal for event in AuditEvent.objects.order_by("pk")]
    assert [s.position for s in (first, second, foreign, nobodys)] == [1, 2, 1, 1]
    assert second.previous == first.digest
    assert foreign.previous == nobodys.previous == "0" * 64
    assert nobodys.chain == 0


def test_an_act_that_fails_leaves_no_event(account: Account, alice: User) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        audit.record(audit.Action.EXPORTED, account=account, user=alice)
        1 / 0  # noqa: B018 - the act fails
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE dashboard_auditevent SET actor_email = 'someone@else.example'",
        "DELETE FROM dashboard_auditevent",
        "UPDATE dashboard_auditseal SET digest = repeat('0', 64)",
        "DELETE FROM dashboard_auditseal",
        "DELETE FROM dashboard_audithead",
        "TRUNCATE dashboard_auditevent CASCADE",
        "TRUNCATE dashboard_auditseal",
        "TRUNCATE dashboard_audithead",
    ],
)
def test_the_database_refuses_to_rewrite(account: Account, alice: User, statement: str) -> None:
    audit.record(audit.Action.SIGNED_IN, account=account, user=alice)
    seal()
    with connection.cursor() as cursor:
        for table in ("auditevent", "auditseal", "audithead"):
            cursor.execute(f"ALTER TABLE dashboard_{table} ENABLE TRIGGER USER")
        with pytest.raises(DatabaseError, match="only ever added to"), transaction.atomic():
            cursor.execute(statement)


def test_details_hold_no_addresses_and_nothing_with_two_spellings(account: Account, alice: User) -> None:
    details = {"q": "ann@example.test", "ids": (1, 2), "deep": [{"email": "x@y.example"}], "none": None}
    audit.record(audit.Action.EXPORTED, account=account, user=alice, details=details)
    assert AuditEvent.objects.get().details == {
        "q": "(address)",
        "ids": [1, 2],
        "deep": [{"email": "(address)"}],
        "none": None,
    }
    # Whatever program sends them, names as well as values.
    odd = {"a\0b": "c\0", "half\ud800": ["\udc00"], "ann@example.test": 1}
    audit.record(audit.Action.EXPORTED, account=account, user=alice, details=odd)
    kept = AuditEvent.objects.latest("pk").details
    assert kept == {"ab": "c", "half": [""], "(address)": 1}
    with pytest.raises(TypeError, match="float"):
        audit.record(audit.Action.EXPORTED, account=account, user=alice, details={"rate": 1.5})
