"""Erasing a person (GDPR, article 17): what tells who they were goes, what is counted stays.

The database refuses to rewrite history, the audit log, changes of settings and exemptions; it lets this module's
transactions empty values there (`rollcall.erasing`), and nothing else. Each erasure is an event of the audit log, by
which `dashboard.audit.chain` still proves the events that it emptied.
"""

import gzip
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote_plus

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.db import connection, transaction
from django.db.models import Q, TextField, Value
from django.db.models.functions import Cast, Coalesce, Trim, Upper

from dashboard import audit, rollups
from dashboard.audit import Action, Subject, Through
from dashboard.audit.chain import digest_over, erased_digest
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
    RollupState,
    Schedule,
    SettingChange,
    User,
)
from dashboard.outbox.notices import TASK as NOTICE
from dashboard.services.members import is_last_administrator
from sync.models import Account, Change, ConsoleImport, Person, QuarantinedRow

# What stands where a text is wanted; the database's triggers know it, too.
ERASED = "Erased"
_ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be")
_OPEN_IMPORTS = ("reading", "preview", "held", "importing", "withdrawing")


class NotErasableError(Exception):
    """Nothing was erased; the message is a sentence that says why and what to do."""


@dataclass
class Erased:
    """Result of an erasure: people and users emptied, and what was handed out before and cannot be called back."""

    people: int = 0
    users: int = 0
    changes: int = 0
    packs: list[EvidencePack] = field(default_factory=list)
    mails: int = 0
    # Somebody's manager was known by name alone, now or before: what is added up by manager has to be worked out anew.
    has_named_managers: bool = False


def erase_person(email: str, *, reason: str, at: datetime, account: Account | None = None) -> Erased:
    """Erase everybody who has, or had, this email, in all accounts or in one, in one transaction.

    NotErasableError where nobody is found, where an import that names them waits for a decision, and where an account
    would lose its last administrator. A user is erased only with all accounts.
    """
    email = email.strip()
    had = Change.objects.filter(subject=Change.Subject.PERSON, field="email").filter(
        Q(old__iexact=email) | Q(new__iexact=email)
    )
    people = Person.objects.filter(Q(email__iexact=email) | Q(pk__in=had.values("subject_id")), erased_at=None)
    if account is not None:
        people = people.filter(account=account)
    user = User.objects.called(email) if account is None else None
    found = list(people.order_by("account_id", "pk"))
    if not email or (not found and user is None):
        raise NotErasableError(f"Nobody has or had the email {email}: write it as KnowBe4 or the sign-in has it.")
    return erase(found, user=user, reason=reason, at=at)


def erase(
    people: Sequence[Person],
    *,
    user: User | None = None,
    reason: str,
    at: datetime,
    through: Through = Through.COMMAND,
) -> Erased:
    """Erase these people, and a user, in one transaction; see `erase_person`."""
    done = Erased()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('rollcall.erasing', 'on', true)")
        # As decisions and publish do: first the account, so that none waits for another crosswise.
        accounts = Account.objects.filter(pk__in={person.account_id for person in people})
        for account in accounts.select_for_update(no_key=True).order_by("pk"):
            of_account = {person: _emails(person) for person in people if person.account_id == account.pk}
            _empty_imports(account, sorted({email for emails in of_account.values() for email in emails}))
            for person, emails in of_account.items():
                _erase_row(person, emails, done, at)
                _record(account, Subject.PERSON, person.pk, reason, through=through)
            _expire_files(account, done, at)
            if done.has_named_managers and RollupState.objects.filter(account=account).exists():
                rollups.rebuild(account, at=at)
            done.has_named_managers = False
        done.people = len(people)
        if user is not None:
            _refuse_last_administrator(user, at)
            _erase_user(user, at)
            _record(None, Subject.USER, user.pk, reason, _emptied_events(user))
            done.users += 1
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('rollcall.erasing', '', true)")
    return done


def _erase_row(person: Person, emails: list[str], done: Erased, at: datetime) -> None:
    """Empty a person's row, its history, and what others say of it."""
    account = person.account
    own = Change.objects.filter(
        account=account, subject=Change.Subject.PERSON, subject_id=person.pk, field__in=Person.PERSONAL
    )
    done.changes += own.update(old="", new="")
    for email in emails:
        # Whom they managed says so by their email, and by their name beside it.
        managed = Person.objects.annotate(by=Upper(Trim("manager_email"))).filter(account=account, by=email.upper())
        managed.update(manager_email="", manager_name="")
        said = Change.objects.filter(
            Q(old__iexact=email) | Q(new__iexact=email),
            account=account,
            subject=Change.Subject.PERSON,
            field="manager_email",
        )
        done.changes += said.update(old="", new="")
        QuarantinedRow.objects.filter(account=account, raw__icontains=email).update(raw="")
        asked = Export.objects.annotate(text=Cast("parameters", TextField())).filter(account=account)
        asked.filter(text__icontains=email).update(parameters={})
        # Without its filter a schedule would tell of more people than it was asked for.
        sought = Q(query__icontains=email) | Q(query__icontains=quote_plus(email))
        Schedule.objects.filter(sought, account=account).update(query="", ended_at=Coalesce("ended_at", Value(at)))
    name = person.full_name
    if name:
        # Managers whom only a name tells are counted by it.
        done.has_named_managers |= Person.objects.filter(account=account, manager=None, manager_name=name).exists()
        Person.objects.filter(account=account, manager_name=name).update(manager_name="")
        said = Change.objects.filter(
            Q(old=name) | Q(new=name), account=account, subject=Change.Subject.PERSON, field="manager_name"
        )
        emptied = said.update(old="", new="")
        done.changes += emptied
        done.has_named_managers |= emptied > 0
    exemptions = Exemption.objects.filter(person=person)
    keys = list(exemptions.values_list("pk", flat=True))
    exemptions.filter(reason=Exemption.Reason.OTHER).update(note=ERASED, evidence="", end_note="")
    exemptions.exclude(reason=Exemption.Reason.OTHER).update(note="", evidence="", end_note="")
    about = SettingChange.objects.filter(account=account, subject=SettingChange.Subject.EXEMPTION, subject_id__in=keys)
    about.update(old="", new="", reason=ERASED)
    for name in Person.PERSONAL:
        setattr(person, name, "")
    person.current_risk_score = person.phish_prone_percentage = None
    person.erased_at = at
    person.save(update_fields=[*Person.PERSONAL, "current_risk_score", "phish_prone_percentage", "erased_at"])


def _expire_files(account: Account, done: Erased, at: datetime) -> None:
    """End what can be ended of files that hold them, and note what was handed out."""
    # What is being made may hold them: it is not stored then, and made anew. First, lest one is finished in between.
    for kind in (Export, EvidencePack):
        kind.objects.filter(account=account, state=kind.State.WORKING).update(state=kind.State.WAITING)
    Export.objects.filter(account=account, state=Export.State.READY, expires_at__gt=at).update(expires_at=at)
    Delivery.objects.filter(account=account, expires_at__gt=at).update(expires_at=at)
    done.packs += EvidencePack.objects.filter(account=account, ready_at__isnull=False).order_by("ready_at", "pk")
    done.mails += Delivery.objects.filter(account=account, state=Delivery.State.SENT, bytes__isnull=False).count()


def _emails(person: Person) -> list[str]:
    """Return every email the person has or had."""
    seen = Change.objects.filter(
        account=person.account, subject=Change.Subject.PERSON, subject_id=person.pk, field="email"
    ).values_list("old", "new")
    return sorted({email.strip() for email in [person.email, *(value or "" for row in seen for value in row)]} - {""})


def _empty_imports(account: Account, emails: list[str]) -> None:
    """Empty the uploaded files that name them. NotErasableError while one of these waits for a decision."""
    for uploaded in ConsoleImport.objects.filter(account=account).order_by("pk"):
        content = uploaded.original.lower()
        if not any(email.lower().encode(code) in content for email in emails for code in _ENCODINGS):
            continue
        if uploaded.state in _OPEN_IMPORTS:
            raise NotErasableError(f"The import {uploaded.name} names them: import or discard it first.")
        uploaded.content = gzip.compress(b"")
        uploaded.save(update_fields=["content"])


def _refuse_last_administrator(user: User, at: datetime) -> None:
    for membership in Membership.objects.filter(user=user).select_related("account"):
        if is_last_administrator(membership, at):
            raise NotErasableError(
                f"{user.email} is the last administrator of {membership.account}: invite another one first."
            )


def _erase_user(user: User, at: datetime) -> None:
    """End all that lets the user in, and empty who they are; the row stays, for decisions name it."""
    email = user.email
    for session in UserSession.objects.filter(user=user):
        session.end()
    for model in (Authenticator, EmailAddress, SocialAccount, Membership):
        model.objects.filter(user=user).delete()
    ApiToken.objects.filter(user=user, revoked_at=None).update(revoked_at=at)
    ApiToken.objects.filter(user=user).update(name="")
    lent = Delegation.objects.filter(Q(lender=user) | Q(borrower=user))
    lent.filter(ended_at=None, ends_at__gt=at).update(ended_at=at, ended_by=user)
    lent.update(note="")
    invited = Invitation.objects.filter(email__iexact=email)
    invited.filter(accepted_at=None, revoked_at=None).update(revoked_at=at, revoked_by=user)
    invited.update(email=f"erased-{user.pk}@erased.invalid")
    Schedule.objects.filter(owner=user, ended_at=None).update(ended_at=at)
    for schedule in Schedule.objects.filter(recipients=user):
        schedule.recipients.remove(user)
    Delivery.objects.filter(recipient=user, state=Delivery.State.WAITING).update(
        state=Delivery.State.NO_ACCESS, finished_at=at
    )
    Delivery.objects.filter(recipient=user).update(email="", said="")
    AlertMail.objects.filter(recipient=user, state=AlertMail.State.WAITING).update(state=AlertMail.State.SUPERSEDED)
    AlertMail.objects.filter(recipient=user).update(said="")
    Alert.objects.filter(said__icontains=email).update(said=ERASED)
    AskedTask.objects.filter(task=NOTICE, arguments__to__iexact=email).delete()
    Export.objects.filter(user=user).update(parameters={}, file_name="")
    user.email, user.first_name, user.last_name = f"erased-{user.pk}@erased.invalid", "", ""
    user.is_active = False
    user.set_unusable_password()
    user.save(update_fields=["email", "first_name", "last_name", "is_active", "password"])


def _emptied_events(user: User) -> list[AuditEvent]:
    """Empty the email and network of what the user did, and return these events."""
    events = AuditEvent.objects.filter(actor=user, erasure=None).exclude(actor_email="", network="")
    keys = list(events.order_by("pk").values_list("pk", flat=True))
    AuditEvent.objects.filter(pk__in=keys).update(actor_email="", network="")
    return list(AuditEvent.objects.filter(pk__in=keys).select_related("seal").order_by("pk"))


def _record(
    account: Account | None,
    subject: Subject,
    subject_id: int,
    reason: str,
    events: Iterable[AuditEvent] = (),
    through: Through = Through.COMMAND,
) -> None:
    """Write the act, and the proof of the events that it emptied."""
    digests = {event.pk: erased_digest(event, event.seal) for event in events}
    details = {"reason": reason, "events": len(digests), "emptied": digest_over(digests.values()) if digests else ""}
    audit.record(
        Action.PERSON_ERASED,
        account=account,
        user=None,
        through=through,
        subject=subject,
        subject_id=subject_id,
        details=details,
    )
    if digests:
        acts = AuditEvent.objects.filter(action=Action.PERSON_ERASED, subject=subject, subject_id=subject_id)
        act = acts.latest("pk")
        AuditErasure.objects.bulk_create(
            AuditErasure(event_id=pk, act=act, digest=digest) for pk, digest in digests.items()
        )
