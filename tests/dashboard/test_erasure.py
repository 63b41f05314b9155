"""Erasing a person: no table remembers who they were, figures and the audit chain stay as they were."""

import gzip
import io
import json
from datetime import datetime, time, timedelta
from typing import Any
from urllib.parse import quote_plus

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, models, transaction
from django.test import Client

from dashboard.audit import Action, Subject, record
from dashboard.audit.chain import chains, verify
from dashboard.models import (
    Alert,
    AlertMail,
    ApiToken,
    AskedTask,
    AuditErasure,
    AuditEvent,
    Delegation,
    Delivery,
    EvidencePack,
    Exemption,
    Export,
    Invitation,
    Membership,
    Occurrence,
    Schedule,
    SettingChange,
    User,
)
from dashboard.services.erasure import NotErasableError, erase_person
from sync.models import Account, Change, ConsoleImport, Person, QuarantinedRow
from tests import factories
from tests.dashboard.sealing import seal

EMAIL, BEFORE = "quirina.zapf@brackwater.example", "quirina.vogt@brackwater.example"
MARKS = ("quirina", "zapf", "vogt", "zx-4711", "tulip tamer")


HOLD_NOBODY = {
    *("sync_account", "sync_apicheck", "sync_campaign", "sync_contentitem", "sync_department", "sync_enrollment"),
    *("sync_group", "sync_phishingcampaign", "sync_phishingtest", "sync_syncrun"),
    # Names of groups, products and files; ids; hashes.
    *("dashboard_auditerasure", "dashboard_audithead", "dashboard_auditseal"),
    *("dashboard_branding", "dashboard_evidencepack", "dashboard_inferredtrigger", "dashboard_rollupstate"),
    *("dashboard_sentform", "dashboard_singlesignon", "dashboard_singlesignonrole", "dashboard_emaildomain"),
    *("auth_group", "auth_permission", "django_content_type"),
    # Nothing is written there.
    *("account_emailconfirmation", "socialaccount_socialapp", "socialaccount_socialtoken"),
    # Goes with the sign-in: secrets, encrypted, and sessions.
    *("mfa_authenticator", "django_session"),
    # What is uploaded is packed: `remembered` unpacks it as "files".
    "sync_consoleimport",
}


@pytest.fixture
def person(company: Account, now: datetime) -> Person:
    """Return somebody of the company whose marks are in every place that can hold them."""
    one = Person.objects.filter(account=company, enrollments__isnull=False).order_by("pk")[0]
    one.email, one.first_name, one.last_name = EMAIL, "Quirina", "Zapf"
    one.employee_number, one.job_title, one.manager_name = "ZX-4711", "Tulip tamer", "Vogt, the elder"
    one.save()
    run = company.published_run
    said = {"email": (BEFORE, EMAIL), "last_name": ("Vogt", "Zapf"), "job_title": (None, "Tulip tamer")}
    for name, (old, new) in said.items():
        Change.objects.create(
            account=company, run=run, observed_at=now, subject=1, subject_id=one.pk, field=name, old=old, new=new
        )
    other = Person.objects.filter(account=company).exclude(pk=one.pk).order_by("pk")[0]
    Person.objects.filter(pk=other.pk).update(manager_email=EMAIL.upper(), manager_name="Quirina Zapf")
    for name, new in {"manager_email": BEFORE, "manager_name": "Quirina Zapf"}.items():
        Change.objects.create(
            account=company, run=run, observed_at=now, subject=1, subject_id=other.pk, field=name, old="", new=new
        )
    QuarantinedRow.objects.create(
        account=company, run=run, list_key="users:active", reason="id", raw=f'{{"{EMAIL}": 1}}'
    )
    return one


@pytest.fixture
def member(company: Account, person: Person, alice: User, ines: User, now: datetime) -> User:
    """Return the same one as a member, with something in every table that a member leaves something in."""
    user = factories.UserFactory(email=EMAIL, first_name="Quirina", last_name="Zapf")
    factories.MembershipFactory(user=user, account=company)
    soon = now + timedelta(days=1)
    of = {"account": company}
    exemption = Exemption.objects.create(
        **of, person=person, reason="other", note="Quirina is ill", evidence="Dr. Vogt", starts_at=now,
        requested_by=alice, requested_at=now,
    )  # fmt: skip
    SettingChange.objects.create(
        **of, subject="exemption", subject_id=exemption.pk, field="state", new="Quirina Zapf", changed_by=alice,
        changed_at=now, reason="Zapf asked",
    )  # fmt: skip
    ConsoleImport.objects.create(
        **of, uploaded_at=now, name="training.csv", size=9, sha256="0" * 64, state="accepted",
        content=gzip.compress(f"email\n{EMAIL}\n".encode("utf-16")),
    )  # fmt: skip
    Export.objects.create(
        **of, user=alice, table="people", parameters={"q": EMAIL}, format="csv", requested_at=now, state="ready",
        expires_at=soon,
    )  # fmt: skip
    ApiToken.objects.create(
        **of, user=user, name="Quirina's", token_digest="1" * 64, prefix="rc_", created_at=now, expires_at=soon
    )
    Delegation.objects.create(
        **of, lender=user, borrower=alice, note="Zapf is away", starts_at=now, ends_at=soon, created_at=now
    )
    Invitation.objects.create(
        **of, email=EMAIL, role="auditor", ends_at=soon, token_digest="2" * 64, invited_by=ines, invited_at=now,
        expires_at=soon,
    )  # fmt: skip
    schedule = Schedule.objects.create(
        **of,
        name="Weekly",
        owner=user,
        content="figures",
        frequency="weekly",
        weekday=0,
        created_at=now,
        since=now,
        at_time=time(7),
    )
    schedule.recipients.add(user)
    Schedule.objects.create(
        **of, name="People", owner=alice, content="table", what="people", query=f"q={quote_plus(EMAIL)}",
        frequency="weekly", weekday=0, created_at=now, since=now, at_time=time(7),
    )  # fmt: skip
    EmailAddress.objects.create(user=user, email=EMAIL)
    AskedTask.objects.create(
        task="dashboard.tasks.send_notice", arguments={"to": EMAIL, "subject": "S", "paragraphs": [], "path": "/"},
        asked_at=now, queue_again_at=now,
    )  # fmt: skip
    SocialAccount.objects.create(user=user, provider="sso", uid="quirina", extra_data={"name": "Zapf"})
    UserSession.objects.create(user=user, ip="192.0.2.1", session_key="key", user_agent="Quirina's browser")
    alert = Alert.objects.create(
        **of, kind="schedule_failed", subject_id=schedule.pk, said=f"To {EMAIL}: refused", began_at=now
    )
    AlertMail.objects.create(**of, alert=alert, recipient=user, state="failed", said="zapf is full", next_try_at=now)
    occurrence = Occurrence.objects.create(**of, schedule=schedule, due_at=now, created_at=now)
    Delivery.objects.create(
        **of, occurrence=occurrence, recipient=user, state="sent", email=EMAIL, said="zapf", next_try_at=now, bytes=9
    )
    EvidencePack.objects.create(
        **of, user=alice, first_day=now.date(), last_day=now.date(), state="ready", number=3, requested_at=now,
        ready_at=now,
    )  # fmt: skip
    for action in (Action.EXPORTED, Action.VIEWED_PERSON, Action.COPIED_ADDRESSES):
        record(action, account=company, user=user, subject=Subject.TABLE, details={"rows": 4})
        record(action, account=company, user=alice)
    seal()
    return user


def remembered() -> dict[str, list[str]]:
    """Return what of the marks is anywhere in the database, by table; uploaded files unpacked."""
    found: dict[str, list[str]] = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT row_to_json(t)::text FROM {connection.ops.quote_name(table)} t")  # noqa: S608
            text = " ".join(row for (row,) in cursor.fetchall()).lower()
            found[table] = [mark for mark in MARKS if mark in text]
    files = b"".join(one.original for one in ConsoleImport.objects.all()).replace(b"\0", b"").decode("latin-1").lower()
    found["files"] = [mark for mark in MARKS if mark in files]
    return {table: marks for table, marks in found.items() if marks}


def texts() -> set[str]:
    """Return the tables with a column that could hold what somebody wrote, or what tells who somebody is."""
    kinds = (models.CharField, models.TextField, models.JSONField, models.BinaryField)
    return {
        model._meta.db_table
        for model in apps.get_models(include_auto_created=True)
        if any(isinstance(column, kinds) and not column.choices for column in model._meta.concrete_fields)
    }


def report() -> Any:
    out = io.StringIO()
    call_command("report", "completion_rate", "past_due", "--by", "department", "--format", "json", stdout=out)
    told = json.loads(out.getvalue())
    assert told.pop("as_of")
    return told


def test_nothing_remembers_them_and_figures_stay(
    company: Account, person: Person, member: User, capsys: pytest.CaptureFixture[str]
) -> None:
    before, kept = report(), Person.objects.values("id", "status", "joined_at", "department_id").get(pk=person.pk)
    assert {"sync_person", "sync_change", "dashboard_user", "dashboard_auditevent", "files"} < remembered().keys()
    call_command("erase_person", EMAIL.upper(), reason="Request 17")
    seal()
    assert remembered() == {}
    assert report() == before
    assert Person.objects.values("id", "status", "joined_at", "department_id").get(pk=person.pk) == kept
    person.refresh_from_db()
    assert (str(person), person.searchable.strip()) == (f"Person {person.pk}", "")
    told = capsys.readouterr().out
    assert "Erased: 1 people, 1 members; 5 values of their history emptied." in told
    assert "Handed out before: evidence pack 3 of Brackwater Mutual, made 2026-11-23." in told
    assert "Handed out before: 1 mails with files" in told
    assert Export.objects.get().expires_at == Person.objects.get(pk=person.pk).erased_at
    assert not Membership.objects.filter(user=member).exists()
    with pytest.raises(CommandError, match=r"^Nobody has or had the email"):
        call_command("erase_person", EMAIL, reason="again")


def test_pages_show_who_was_erased_by_number(as_alice: Client, company: Account, member: User, now: datetime) -> None:
    person = Person.objects.get(email=EMAIL)
    erase_person(EMAIL, reason="Request 17", at=now)
    for address in (f"/people/{person.pk}/", "/people/", "/past-due/", f"/past-due/?by=manager&manager={person.pk}"):
        response = as_alice.get(address)
        assert response.status_code == 200, address
        assert not [mark for mark in MARKS if mark in response.content.decode().lower()], address
    assert f"Person {person.pk}" in as_alice.get(f"/people/{person.pk}/").content.decode()


def test_it_is_decided_of_every_table_whether_it_remembers_anybody(company: Account, member: User) -> None:
    """A new table is filled by `member` above, with the marks, or named as one that holds nobody."""
    assert texts() - remembered().keys() == HOLD_NOBODY


def test_an_earlier_email_finds_them_too(company: Account, person: Person, now: datetime) -> None:
    assert erase_person(BEFORE, reason="Request 18", at=now).people == 1
    assert remembered() == {}


def test_the_chain_still_holds_and_the_act_is_in_it(company: Account, member: User, now: datetime) -> None:
    before = {chain: verify(chain) for chain in chains()}
    erase_person(EMAIL, reason="Request 17", at=now)
    seal()
    after = {chain: verify(chain) for chain in chains()}
    assert {verdict.problem for verdict in after.values()} == {""}
    assert after[company.pk].events == before[company.pk].events + 1
    acts = AuditEvent.objects.filter(action="person_erased").order_by("pk")
    assert [(act.account_id, act.subject, act.details["reason"]) for act in acts] == [
        (company.pk, "person", "Request 17"),
        (None, "user", "Request 17"),
    ]
    assert AuditErasure.objects.count() == acts[1].details["events"] == 3
    call_command("verify_audit")


FORGERIES = [
    "UPDATE dashboard_auditevent SET details = '{}' WHERE id = (SELECT min(event_id) FROM dashboard_auditerasure)",
    "UPDATE dashboard_auditevent SET actor_email = 'x' WHERE actor_email = ''",
    "DELETE FROM dashboard_auditerasure WHERE event_id = (SELECT min(event_id) FROM dashboard_auditerasure)",
    "UPDATE dashboard_auditerasure SET digest = repeat('0', 64)",
    "UPDATE dashboard_auditevent SET actor_email = '' WHERE actor_email <> ''",
]


def test_what_no_erasure_did_is_found(company: Account, member: User, now: datetime) -> None:
    erase_person(EMAIL, reason="Request 17", at=now)
    seal()
    for forgery in FORGERIES:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(forgery)
            assert "is not as it was written" in verify(company.pk).problem, forgery
            transaction.set_rollback(True)
    assert verify(company.pk).problem == ""


REFUSED = [
    "UPDATE sync_change SET old = 'x'",
    "UPDATE sync_change SET old = '', new = '', field = 'x'",
    "DELETE FROM sync_change",
    "UPDATE dashboard_auditevent SET actor_email = 'x'",
    "UPDATE dashboard_auditevent SET actor_email = '', details = '{}'",
    "DELETE FROM dashboard_auditevent",
    "UPDATE dashboard_auditseal SET digest = ''",
    "UPDATE dashboard_settingchange SET reason = 'x'",
    "UPDATE dashboard_exemption SET evidence = 'x', end_note = 'y', starts_at = now()",
    "DELETE FROM dashboard_exemption",
]


def test_erasing_empties_and_does_nothing_else(member: User) -> None:
    refusal = r"refused|history|only ever added to|never deleted|not rewritten"
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('rollcall.erasing', 'on', true)")
        for statement in REFUSED:
            with pytest.raises(DatabaseError, match=refusal), transaction.atomic():
                cursor.execute(statement)


def test_the_pages_cannot_erase(member: User) -> None:
    """Even as the role that sees everything: a statement that matches no row is refused as well."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('rollcall.erasing', 'on', true)")
        for table in ("sync_change", "dashboard_auditevent", "dashboard_settingchange"):
            with pytest.raises(DatabaseError, match=r"is refused|permission denied"), transaction.atomic():
                cursor.execute("SET LOCAL ROLE rollcall_web")
                cursor.execute(f"UPDATE {table} SET id = id WHERE false")  # noqa: S608


def test_what_stands_in_the_way_is_said_and_nothing_is_erased(company: Account, member: User, now: datetime) -> None:
    ConsoleImport.objects.update(state="preview")
    with pytest.raises(NotErasableError, match=r"^The import training\.csv names them: import or discard it first\.$"):
        erase_person(EMAIL, reason="Request 17", at=now)
    ConsoleImport.objects.update(state="accepted")
    Membership.objects.exclude(user=member).delete()
    Membership.objects.filter(user=member).update(role="administrator")
    with pytest.raises(NotErasableError, match=r"is the last administrator of .*: invite another one first\.$"):
        erase_person(EMAIL, reason="Request 17", at=now)
    assert Person.objects.filter(email=EMAIL).exists()
