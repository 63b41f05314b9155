"""The chain is followed from the first event to the last, and every way of tampering breaks it."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashboard import audit
from dashboard.audit.chain import sealed_text, verify
from dashboard.models import AuditEvent, User
from sync.models import Account
from tests.dashboard.sealing import seal

TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0@"), max_size=30)
DETAILS = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture
def five(account: Account, alice: User) -> list[AuditEvent]:
    """Return five events of an account, sealed."""
    for number in range(5):
        audit.record(
            audit.Action.VIEWED_PERSON, account=account, user=alice, subject="person", subject_id=number, details={}
        )
    seal()
    return list(AuditEvent.objects.order_by("pk"))


def tamper(statement: str) -> None:
    """Do what nobody can without first taking the triggers away."""
    with connection.cursor() as cursor:
        for table in ("auditevent", "auditseal", "audithead"):
            cursor.execute(f"ALTER TABLE dashboard_{table} DISABLE TRIGGER USER")
        cursor.execute(statement)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(details=st.dictionaries(TEXTS, DETAILS, max_size=5))
def test_python_and_the_database_spell_an_event_alike(account: Account, details: dict[str, object]) -> None:
    audit.record(audit.Action.EXPORTED, account=account, user=None, details=details)
    seal()
    verdict = verify(account.pk)
    assert (verdict.problem, verdict.events) == ("", AuditEvent.objects.count())


def test_the_text_is_one_json_object(five: list[AuditEvent]) -> None:
    text = sealed_text(five[0], position=1, previous="0" * 64)
    assert text.startswith('{"at": "')
    assert '"subject_id": 0' in text


@pytest.mark.parametrize(
    ("statement", "holding", "problem"),
    [
        ("UPDATE dashboard_auditevent SET actor_email = 'x' WHERE subject_id = 2", 2, "is not as it was written"),
        ("UPDATE dashboard_auditevent SET details = '{\"a\": 1}' WHERE subject_id = 4", 4, "is not as it was written"),
        ("DELETE FROM dashboard_auditseal WHERE position = 3", 2, "something was taken out"),
        ("DELETE FROM dashboard_auditseal WHERE position = 5", 4, "its head says 5"),
        ("UPDATE dashboard_auditseal SET digest = repeat('a', 64) WHERE position = 2", 1, "is not as it was written"),
        ("UPDATE dashboard_auditseal SET previous = repeat('a', 64) WHERE position = 2", 1, "is not chained"),
        ("UPDATE dashboard_audithead SET digest = repeat('a', 64)", 5, "its head says 5"),
        (
            "INSERT INTO dashboard_auditevent (id, at, actor_email, through, action, subject, subject_id, details,"
            " network, account_id, actor_id) SELECT id + 1000, at, actor_email, through, action, subject, subject_id,"
            " details, network, account_id, actor_id FROM dashboard_auditevent WHERE subject_id = 1",
            5,
            "is in the log and not in the chain",
        ),
    ],
)
def test_the_first_break_is_said(
    account: Account, five: list[AuditEvent], statement: str, holding: int, problem: str
) -> None:
    tamper(statement)
    verdict = verify(account.pk)
    assert verdict.events == holding
    assert problem in verdict.problem


def test_the_command_says_what_holds_and_what_breaks(account: Account, five: list[AuditEvent]) -> None:
    out = StringIO()
    call_command("verify_audit", account=account.name, stdout=out)
    digest = five[-1].seal.digest
    assert out.getvalue() == f"Brackwater Mutual: 5 events, all as written. The last hash: {digest}\n"
    call_command("verify_audit", contains=five[2].seal.digest, stdout=out)
    with pytest.raises(CommandError, match="was cut off or written anew"):
        call_command("verify_audit", contains="f" * 64, stdout=out)
    with pytest.raises(CommandError, match='No account is called "Nowhere"'):
        call_command("verify_audit", account="Nowhere")
    tamper("UPDATE dashboard_auditevent SET network = '' , subject_id = 9 WHERE subject_id = 3")
    with pytest.raises(CommandError, match="1 broken") as raised:
        call_command("verify_audit", stdout=out)
    assert raised.value.returncode == 1
    assert "BROKEN after 3 events" in out.getvalue()
