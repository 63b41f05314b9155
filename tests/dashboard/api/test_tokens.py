"""Tokens: made once, kept as a hash, ended by time, by hand, or with the membership."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from dashboard.identity.tokens import authenticate
from dashboard.models import ApiToken, AuditEvent, Membership, User
from dashboard.services import RefusedError, tokens
from sync.models import Account
from tests import factories
from tests.dashboard.api.conftest import Program, token_for

pytestmark = pytest.mark.django_db


def test_the_secret_is_shown_once_and_kept_as_a_hash(alice: User, account: Account, now: datetime) -> None:
    token, secret = tokens.create(alice, account, " Power  BI ", expires_at=now + timedelta(days=90), at=now)
    row = ApiToken.objects.values().get(pk=token.pk)
    assert secret.startswith("rollcall_") and len(secret) == 52
    assert secret not in str(row) and row["token_digest"] == tokens.digest(secret)
    assert row["name"] == "Power BI" and secret.startswith(row["prefix"]) and len(row["prefix"]) == 14


def test_it_reads_what_its_member_sees_now(alice: User, account: Account, now: datetime) -> None:
    secret = token_for(alice, account)
    caller = authenticate(secret, at=now)
    assert caller is not None and caller.scope.sees_everyone and caller.scope.account == account
    Membership.objects.filter(user=alice).delete()
    assert authenticate(secret, at=now) is None


def test_it_belongs_to_one_account(alice: User, account: Account, now: datetime) -> None:
    other = factories.AccountFactory(name="Aardvark Assurance")
    factories.MembershipFactory(user=alice, account=other, role=Membership.Role.ADMINISTRATOR)
    caller = authenticate(token_for(alice, account), at=now)
    assert caller is not None and caller.scope.account == account
    assert caller.scope.accounts == (account,) and not caller.scope.administered
    Membership.objects.filter(user=alice, account=account).delete()
    assert authenticate(token_for(alice, other), at=now) is not None
    with pytest.raises(RefusedError):
        token_for(alice, account)


@pytest.mark.parametrize("what", ["expired", "revoked", "inactive", "unknown", "odd"])
def test_what_does_not_hold_is_refused(alice: User, account: Account, what: str, now: datetime) -> None:
    secret = token_for(alice, account)
    assert authenticate(secret, at=now) is not None
    if what == "expired":
        now += timedelta(days=30)
    elif what == "revoked":
        tokens.revoke(ApiToken.objects.get(), by=alice, at=now)
    elif what == "inactive":
        User.objects.filter(pk=alice.pk).update(is_active=False)
    secret = {"unknown": secret[:-1] + ("A" if secret[-1] != "A" else "B"), "odd": "rollcall_\0"}.get(what, secret)
    assert authenticate(secret, at=now) is None


def test_numbers_only_shows_nobodys_row(company: Account, alice: User, now: datetime) -> None:
    caller = authenticate(token_for(alice, company, numbers_only=True), at=now)
    assert caller is not None
    scope, whole = caller.scope, replace(caller.scope, is_numbers_only=False)
    for name in ("people", "enrollments", "changes", "phishing_results", "memberships_in_groups", "exemptions",
                 "quarantined", "setting_changes"):  # fmt: skip
        assert not getattr(scope, name)().exists(), name
    assert whole.people().exists() and whole.enrollments().exists()
    assert scope.campaigns().count() == whole.campaigns().count() > 0


def test_use_is_noted_once_a_minute(alice: User, account: Account, now: datetime) -> None:
    secret = token_for(alice, account)
    for seconds in (0, 30, 59):
        authenticate(secret, at=now + timedelta(seconds=seconds))
        assert ApiToken.objects.get().last_used_at == now
    authenticate(secret, at=now + timedelta(seconds=60))
    assert ApiToken.objects.get().last_used_at == now + timedelta(seconds=60)


def test_making_refuses_what_is_no_token(alice: User, account: Account, charlie: User, now: datetime) -> None:
    for user, name, days in ((alice, " ", 30), (alice, "x", 0), (alice, "x", 400), (charlie, "x", 30)):
        with pytest.raises(RefusedError):
            tokens.create(user, account, name, expires_at=now + timedelta(days=days), at=now)
    for number in range(tokens.MOST):
        tokens.create(alice, account, f"Token {number}", expires_at=now + timedelta(days=1), at=now)
    with pytest.raises(RefusedError):
        tokens.create(alice, account, "One more", expires_at=now + timedelta(days=1), at=now)


def test_every_call_is_on_record(company: Account, alice: User) -> None:
    program = Program(token_for(alice, company))
    program.get("/enrollments", limit=5, manager="somebody@brackwater.example")
    program.get("/enrollments", limit=5, department="Claims")
    program.get("/campaigns/999999999")
    events = AuditEvent.objects.filter(action="api_call").order_by("pk")
    assert [(event.details["call"], event.details.get("status"), event.details.get("rows")) for event in events] == [
        ("GET /enrollments", 400, None),
        ("GET /enrollments", None, 5),
        ("GET /campaigns/{campaign_id}", 404, None),
    ]
    assert events[1].details["asked"] == {"limit": ["5"], "department": ["Claims"]}
    assert {(event.actor_id, event.through, event.subject) for event in events} == {(alice.pk, "token", "token")}
    assert "somebody" not in str([event.details for event in events])


def test_too_many_calls_wait(company: Account, alice: User, settings: Any) -> None:
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"api": (3, 60)}
    first, second = Program(token_for(alice, company)), Program(token_for(alice, company))
    answers = [first.get("/sync") for _ in range(4)]
    assert [answer.status_code for answer in answers[:3]] == [200, 200, 200]
    # A window may begin anew between two calls.
    if answers[3].status_code == 200:
        answers[3] = [first.get("/sync") for _ in range(3)][-1]
    assert answers[3].status_code == 429 and 1 <= int(answers[3]["Retry-After"]) <= 60
    assert answers[3]["Content-Type"] == "application/problem+json"
    assert second.get("/sync").status_code == 200


def test_a_session_is_no_way_in(company: Account, as_alice: Client) -> None:
    response = as_alice.get("/api/v1/people")
    assert response.status_code == 401 and response["WWW-Authenticate"].startswith("Bearer")
    assert response["Content-Type"] == "application/problem+json" and response.json()["status"] == 401


def test_a_session_beside_a_token_changes_nothing(company: Account, as_alice: Client, ines: User) -> None:
    secret = token_for(ines, company, numbers_only=True)
    headers = {"Authorization": f"Bearer {secret}"}
    assert as_alice.get("/api/v1/people", headers=headers).status_code == 403
    assert as_alice.get("/api/v1/sync?as_of=nonsense", headers=headers).status_code == 400
    assert as_alice.get("/api/v1/metrics?as_of=2026-09-30", headers=headers).json()["reader"] == ines.email


@pytest.mark.parametrize(
    "head", ["", "Basic eDp5", "Bearer", "Bearer x", "bearer rollcall_", "Bearer rollcall_" + "é" * 43]
)
def test_other_heads_are_refused(db: None, head: str) -> None:
    response = Client().get("/api/v1/sync", headers={"Authorization": head} if head else {})
    assert response.status_code == 401
