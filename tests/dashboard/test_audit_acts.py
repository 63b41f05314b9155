"""Acts of people are in the audit log."""

import ast
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from dashboard import audit
from dashboard.access import Scope
from dashboard.models import AuditEvent, Membership, User
from dashboard.services.targets import set_target
from sync.models import Account, ConsoleImport, Person, SyncRun
from tests import factories
from tests.clock import MOMENT
from tests.dashboard.conftest import Queue
from tests.dashboard.signing_in import sign_in_lately


def acts(*names: str) -> list[AuditEvent]:
    """Return the events, without the sign-ins of the test itself, or those of some actions."""
    events = AuditEvent.objects.order_by("pk")
    return list(events.filter(action__in=names) if names else events.exclude(action__in=["signed_in", "signed_out"]))


def sign_in(client: Client, email: str, password: str = factories.PASSWORD) -> int:
    return client.post("/sign-in/", {"login": email, "password": password}, REMOTE_ADDR="198.51.100.9").status_code


def test_signing_in_and_out(client: Client, alice: User, account: Account) -> None:
    assert sign_in(client, "Alice@Brackwater.example") == 302
    client.post("/sign-out/")
    came, went = acts("signed_in", "signed_out")
    assert (came.action, came.actor, came.account, came.network) == ("signed_in", alice, account, "198.51.100.0/24")
    assert (went.action, went.actor, went.subject_id) == ("signed_out", alice, alice.pk)


def test_a_wrong_password_names_the_user_tried_and_nothing_typed(client: Client, alice: User, account: Account) -> None:
    sign_in(client, "alice@brackwater.example", "hunter2 hunter2")
    sign_in(client, "somebody@elsewhere.example", "hunter2 hunter2")
    known, unknown = acts("sign_in_failed")
    assert (known.account, known.actor, known.subject, known.subject_id) == (account, None, "user", alice.pk)
    assert (unknown.account, unknown.subject_id, unknown.actor_email, unknown.details) == (None, None, "", {})


def test_passwords_and_second_factors(
    client: Client, alice: User, account: Account, django_capture_on_commit_callbacks: Any
) -> None:
    sign_in_lately(client, alice)
    other = "another horse battery staple"
    form = {"oldpassword": factories.PASSWORD, "password1": other, "password2": other}
    secret = client.get("/you/app/").context["form"].secret
    code = format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))
    # What is told of factors is told as the change commits.
    with django_capture_on_commit_callbacks(execute=True):
        for address, sent in (
            ("/password/", form), ("/you/app/", {"code": code}), ("/you/codes/new/", {}), ("/you/app/remove/", {}),
        ):  # fmt: skip
            assert client.post(address, sent).status_code == 302
    (changed,) = acts("password_changed")
    assert (changed.actor, changed.account, changed.subject_id, changed.details) == (
        alice, account, alice.pk, {"way": "changed"},
    )  # fmt: skip
    told = {(event.details["kind"], event.details["act"]) for event in acts("second_factor_changed")}
    assert {("totp", "added"), ("recovery_codes", "made anew"), ("totp", "removed")} <= told


def test_a_password_set_by_mail(client: Client, alice: User, account: Account) -> None:
    client.post("/password/reset/", {"email": alice.email})
    link = next(word for word in str(mail.outbox[0].body).split() if "/password/reset/" in word)
    page = client.get(urlsplit(link).path, follow=True)
    other = "another horse battery staple"
    client.post(page.request["PATH_INFO"], {"password1": other, "password2": other})
    assert [(event.actor, event.details) for event in acts("password_changed")] == [(alice, {"way": "reset by mail"})]


def test_the_end_of_a_view_as_somebody_else(as_ines: Client, ines: User, alice: User, account: Account) -> None:
    membership = Membership.objects.get(user=alice)
    view = f"/settings/members/{membership.pk}/view/"
    as_ines.post("/stop-viewing/")
    as_ines.post(view)
    as_ines.post("/stop-viewing/")
    as_ines.post(view)
    Membership.objects.filter(pk=membership.pk).update(ends_at=MOMENT - timedelta(days=1))
    as_ines.get("/")
    Membership.objects.filter(pk=membership.pk).update(ends_at=None)
    as_ines.post(view)
    as_ines.post("/sign-out/")
    events = acts("viewed_as", "stopped_viewing_as")
    assert [event.action for event in events] == ["viewed_as", "stopped_viewing_as"] * 3
    assert all((event.actor, event.subject_id, event.account) == (ines, alice.pk, account) for event in events)
    assert [event.details["because"] for event in events[1::2]] == ["stopped", "no member any more", "signed out"]


def test_every_action_has_a_recorder() -> None:
    """A word of the log that nothing writes is a promise nobody keeps: each stands somewhere as what is recorded."""
    root = Path(audit.__file__).parents[1]
    # Where actions are named, read or asked for, and none is recorded.
    readers = {"models/audit.py", "audit/log.py", "audit/chain.py"}
    recorded: set[str] = set()
    for path in root.rglob("*.py"):
        if path.relative_to(root).as_posix() in readers or "migrations" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Attribute):
                continue
            of = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
            if of == "Action":
                recorded.add(node.attr)
    assert {action.name for action in audit.Action} <= recorded


def test_viewing_a_person(as_alice: Client, alice: User, company: Account) -> None:
    someone = Person.objects.filter(account=company).order_by("pk")[0]
    assert as_alice.get(f"/people/{someone.pk}/").status_code == 200
    day = (MOMENT - timedelta(days=3)).date().isoformat()
    assert as_alice.get(f"/people/{someone.pk}/?as_of={day}").status_code == 200
    assert as_alice.get("/people/9999999/").status_code == 404
    now, then = acts()
    assert (now.action, now.actor, now.subject, now.subject_id) == ("viewed_person", alice, "person", someone.pk)
    assert then.details == {"as_of": day}


def test_copying_addresses_says_how_many_and_whose(as_alice: Client, company: Account) -> None:
    chosen = list(Person.objects.filter(account=company).order_by("pk").values_list("pk", flat=True)[:2])
    as_alice.get("/past-due/addresses/", {"person": chosen})
    (event,) = acts()
    assert (event.action, event.details) == ("copied_addresses", {"rows": 2, "asked": {"person": [*map(str, chosen)]}})


def test_decisions_are_recorded_without_their_reasons(alice: User, account: Account, now: datetime) -> None:
    set_target(account, Decimal("90.5"), by=alice, at=now, reason="Because Ann asked")
    (event,) = acts()
    assert (event.action, event.subject, event.through) == ("changed_setting", "account", "command")
    assert event.details == {"field": "target_rate", "old": "95.0", "new": "90.5"}


@pytest.mark.parametrize(("wanted", "action"), [("publish", "published_held_run"), ("discard", "discarded_held_run")])
def test_deciding_about_a_held_sync(as_ines: Client, account: Account, queue: Queue, wanted: str, action: str) -> None:
    run = factories.SyncRunFactory(account=account, state=SyncRun.State.HELD)
    as_ines.post(f"/sync/runs/{run.pk}/resolve/", {"decision": wanted, "reason": "Looked at it."})
    assert [(event.action, event.subject_id) for event in acts()] == [(action, run.pk)]


def test_starting_a_sync(as_ines: Client, account: Account, queue: Queue) -> None:
    as_ines.post("/sync/start/", {"full": "1"})
    (event,) = acts()
    assert (event.action, event.subject_id, event.details) == ("started_sync", account.pk, {"full": True})


def test_accounts_are_recorded_without_their_keys(as_ines: Client, ines: User, account: Account, queue: Queue) -> None:
    address = f"/settings/accounts/{account.pk}/"
    form = as_ines.get(address).context["form"]
    kept = {name: form[name].value() for name in form.fields if form[name].value() not in (None, "")}
    assert as_ines.post(address, kept | {"key": "another-key-entirely"}).status_code == 302
    as_ines.post(f"{address}enable/", {"enabled": "0"})
    changed, key, enabled = acts()
    assert [event.action for event in (changed, key, enabled)] == [
        "account_changed",
        "account_key_changed",
        "account_changed",
    ]
    assert "another-key" not in str([event.details for event in (changed, key, enabled)])
    assert enabled.details == {"syncs": False}


def test_uploading_and_discarding_a_console_file(as_ines: Client, account: Account, queue: Queue) -> None:
    as_ines.post("/sync/imports/", {"file": SimpleUploadedFile("Ann Example.csv", b"a,b\n1,2\n")})
    imported = ConsoleImport.objects.get()
    as_ines.post(f"/sync/imports/{imported.pk}/decide/", {"decision": "discard"})
    uploaded, discarded = acts()
    assert (uploaded.action, uploaded.subject_id, uploaded.details) == ("read_console_file", imported.pk, {"bytes": 8})
    assert discarded.action == "discarded_import"


def test_only_readers_of_the_log_read_it(ines: User, alice: User, account: Account) -> None:
    audit.record(audit.Action.EXPORTED, account=account, user=alice)
    audit.record(audit.Action.EXPORTED, account=factories.AccountFactory(name="Another"), user=alice)
    assert [event.account for event in audit.events(Scope.of(ines))] == [account]
    assert not audit.events(Scope.of(alice)).exists()


def test_a_moment_in_an_event_is_written_as_people_read_it(as_ines: Client, ines: User, account: Account) -> None:
    audit.record(audit.Action.MEMBER_ENDED, account=account, user=ines, details={"until": MOMENT.isoformat()})
    assert "until: 23 Nov 2026, 10:30 CET" in as_ines.get("/audit/").content.decode()
