"""A company in which everything personal carries a mark of whose it is, and readers who may see some of the marks.

A mark is in a person's name, email, employee number and every other text of theirs, in changes, exemptions and rows set
aside that are about them, and, for the second company, in the names of its account, departments, campaigns and users.
"""

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from dashboard import rollups
from dashboard.models import (
    Delegation,
    Delivery,
    EvidencePack,
    Exemption,
    Export,
    Invitation,
    Occurrence,
    Role,
    Schedule,
    SettingChange,
    User,
)
from sync.models import (
    Account,
    Campaign,
    Change,
    ConsoleImport,
    Department,
    Enrollment,
    Group,
    GroupMembership,
    Person,
    PhishingResult,
    PhishingTest,
    QuarantinedRow,
    SyncRun,
)
from sync.models.training import DueSource
from tests import factories

# Of Claims or Sales, in the manager's reporting line or not; in no department; the manager; of the second company.
CLAIMS_IN_LINE, CLAIMS, SALES_IN_LINE, SALES, NOWHERE, MANAGER, FOREIGN = (f"zqmark{letter}x" for letter in "abcdemf")
OURS = frozenset({CLAIMS_IN_LINE, CLAIMS, SALES_IN_LINE, SALES, NOWHERE, MANAGER})
# The second company's, besides: names that are no person's, which row-level security leaves readable.
FOREIGN_THING = "zqmarkgx"


@dataclass
class Canary:
    """The two companies: their people by mark, the keys of everything in them by kind, the readers by role."""

    account: Account
    people: dict[str, list[Person]] = field(default_factory=dict)
    keys: dict[str, list[int]] = field(default_factory=dict)
    readers: dict[str, User] = field(default_factory=dict)

    def add(self, kind: str, row: object) -> None:
        """Remember the key of a row."""
        self.keys.setdefault(kind, []).append(row.pk)  # type: ignore[attr-defined]


# Who reads, and the marks each may meet. A manager's name and address are part of their reports' records.
MAY_SEE: dict[str, frozenset[str]] = {
    "administrator": OURS,
    "security_manager": OURS,
    "auditor": OURS,
    "department_head": frozenset({CLAIMS_IN_LINE, CLAIMS, MANAGER}),
    "people_manager": frozenset({CLAIMS_IN_LINE, SALES_IN_LINE, MANAGER}),
    "borrower": frozenset({CLAIMS_IN_LINE, CLAIMS, MANAGER}),
    "nobody": frozenset(),
}


def build(now: datetime) -> Canary:
    """Build both companies and their readers."""
    canary = Canary(factories.AccountFactory(name="Marked Mutual"))
    account = canary.account
    claims, sales, none = (factories.DepartmentFactory(account=account, name=name) for name in ("Claims", "Sales", ""))
    manager = _person(canary, account, MANAGER, sales, None)
    line = _person(canary, account, SALES_IN_LINE, sales, manager)
    _person(canary, account, SALES_IN_LINE, sales, line)
    for mark, department, above in (
        (CLAIMS_IN_LINE, claims, manager),
        (CLAIMS, claims, None),
        (SALES, sales, None),
        (NOWHERE, none, None),
    ):
        _person(canary, account, mark, department, above)
    _fill(canary, account, now, prefix="")
    other = factories.AccountFactory(name=f"Company {FOREIGN_THING}")
    theirs = factories.DepartmentFactory(account=other, name=f"Department {FOREIGN_THING}")
    chief = _person(canary, other, FOREIGN, theirs, None)
    for _number in range(2):
        _person(canary, other, FOREIGN, theirs, chief)
    _fill(canary, other, now, prefix=f"{FOREIGN_THING} ")
    _readers(canary, claims, manager, other, now)
    return canary


def _person(canary: Canary, account: Account, mark: str, department: Department, manager: Person | None) -> Person:
    number = len(canary.people.setdefault(mark, []))
    person: Person = factories.PersonFactory(
        account=account,
        first_name=f"Ann {mark}",
        last_name=f"{mark} Example{number}",
        email=f"{mark}.{number}@marked.example",
        employee_number=f"{mark}-{number}",
        job_title=f"Clerk {mark}",
        location=f"Room {mark}",
        division=f"Division {mark}",
        organization=f"Organization {mark}",
        department=department,
        department_name=department.name,
        manager=manager,
        manager_name=f"{manager.first_name} {manager.last_name}" if manager else "",
        manager_email=manager.email if manager else "",
        current_risk_score=40.0,
    )
    canary.people[mark].append(person)
    canary.add("person", person)
    return person


def _fill(canary: Canary, account: Account, now: datetime, *, prefix: str) -> None:
    """Give an account everything that pages show: training, phishing, groups, changes, settings, files."""
    run = factories.publish(factories.SyncRunFactory(account=account, started_at=now - timedelta(minutes=12)))
    held = factories.SyncRunFactory(account=account, state=SyncRun.State.HELD, started_at=now - timedelta(days=2))
    decider = factories.UserFactory(email=f"{prefix.strip() or 'decider'}@decided.example")
    people = list(Person.objects.filter(account=account).order_by("pk"))
    for one in (run, held):
        canary.add("run", one)
    canary.add("account", account)
    campaigns: list[Campaign] = [
        factories.CampaignFactory(account=account, name=f"{prefix}Campaign {n}", end_at=now - timedelta(days=9))
        for n in range(2)
    ]
    group = Group.objects.create(
        account=account, knowbe4_id=account.pk, name=f"{prefix}Group", status="active", first_seen_at=now
    )
    test = PhishingTest.objects.create(
        account=account, knowbe4_id=account.pk, name=f"{prefix}Test", started_at=now - timedelta(days=30),
        first_seen_at=now,
    )  # fmt: skip
    content = factories.ContentItemFactory(account=account, name=f"{prefix}Module")
    for department in Department.objects.filter(account=account):
        canary.add("department", department)
    for campaign in campaigns:
        canary.add("campaign", campaign)
    for number, person in enumerate(people):
        mark = person.employee_number
        for campaign in campaigns:
            enrollment: Enrollment = factories.EnrollmentFactory(
                account=account, person=person, campaign=campaign, content=content,
                enrolled_at=now - timedelta(days=60), due_at=now - timedelta(days=9 + number),
                due_source=DueSource.CAMPAIGN_END, reported_status="Past Due",
            )  # fmt: skip
            _change(account, run, Change.Subject.ENROLLMENT, enrollment.pk, "reported_status", f"Old {mark}")
        GroupMembership.objects.create(account=account, group=group, person=person, first_seen_at=now)
        PhishingResult.objects.create(
            account=account, test=test, knowbe4_id=person.knowbe4_id, person=person, first_seen_at=now,
            delivered_at=now - timedelta(days=30), clicked_at=now - timedelta(days=29),
            failed_at=now - timedelta(days=29),
        )  # fmt: skip
        _change(account, run, Change.Subject.PERSON, person.pk, "last_name", f"Former {mark}")
        exemption = Exemption.objects.create(
            account=account, person=person, reason=Exemption.Reason.OTHER, note=f"Because {mark}",
            evidence=f"Ticket {mark}", starts_at=now - timedelta(days=3), requested_by=decider,
            requested_at=now - timedelta(days=3),
        )  # fmt: skip
        canary.add("exemption", exemption)
        SettingChange.objects.create(
            account=account, subject="exemption", subject_id=exemption.pk, field="state", new="requested",
            changed_by=decider, changed_at=now, reason=f"Because {mark}",
        )  # fmt: skip
        QuarantinedRow.objects.create(
            account=account, run=run, list_key="users", reason=f"Odd {mark}", raw=f'{{"name": "{mark}"}}'
        )
    # One left, so that the list of what vanished has somebody.
    gone = people[-1]
    gone.removed_at = now - timedelta(days=1)
    gone.save(update_fields=["removed_at"])
    imported = ConsoleImport.objects.create(
        account=account, uploaded_by=decider, uploaded_at=now, name=f"{people[0].employee_number}.csv",
        report={"rows": 1}, **ConsoleImport.stored(people[0].email.encode()),
    )  # fmt: skip
    canary.add("console_import", imported)
    export = Export.objects.create(account=account, user=decider, table="people", requested_at=now)
    canary.add("export", export)
    add_mail(canary, account, decider, now, prefix=prefix)
    rollups.rebuild(account, at=now)


def add_mail(canary: Canary, account: Account, decider: User, now: datetime, *, prefix: str) -> None:
    """Give an account a schedule with a mail of last week, and a pack of evidence that waits."""
    schedule = Schedule.objects.create(
        account=account, owner=decider, name=f"{prefix}Past due", content="table", what="past_due", format="csv",
        frequency="weekly", weekday=0, at_time=time(7), created_at=now, since=now,
    )  # fmt: skip
    schedule.recipients.add(decider)
    sent_at = now - timedelta(days=7)
    occurrence = Occurrence.objects.create(account=account, schedule=schedule, due_at=sent_at, created_at=sent_at)
    delivery = Delivery.objects.create(
        account=account, occurrence=occurrence, recipient=decider, state="failed", said=f"{prefix}Refused",
        next_try_at=sent_at, file_name=f"{prefix.strip()}past-due.csv",
    )  # fmt: skip
    today = now.date()
    pack = EvidencePack.objects.create(
        account=account, user=decider, first_day=today, last_day=today, requested_at=now,
        sample_seed=prefix.strip() or "1",
    )  # fmt: skip
    for kind, row in (("schedule", schedule), ("delivery", delivery), ("evidence_pack", pack)):
        canary.add(kind, row)


def _change(account: Account, run: SyncRun, subject: int, subject_id: int, name: str, old: str) -> None:
    Change.objects.create(
        account=account, run=run, observed_at=run.published_at, subject=subject, subject_id=subject_id, field=name,
        old=old, new="New",
    )  # fmt: skip


def _readers(canary: Canary, claims: Department, manager: Person, other: Account, now: datetime) -> None:
    """Make one reader for each role, and the second company's own people."""
    account, later = canary.account, now + timedelta(days=30)
    for role in MAY_SEE:
        email = manager.email if role == "people_manager" else f"{role.replace('_', '-')}@reads.example"
        canary.readers[role] = factories.UserFactory(email=email)
        if role in Role.values:
            ends_at = later if role == "auditor" else None
            member = factories.MembershipFactory(user=canary.readers[role], account=account, role=role, ends_at=ends_at)
            canary.add("membership", member)
            if role == "department_head":
                member.departments.add(claims)
    _loan(canary, account, canary.readers["department_head"], canary.readers["borrower"], now)
    stranger, guest = (
        factories.UserFactory(email=f"{who}.{FOREIGN_THING}@reads.example") for who in ("chief", "guest")
    )
    canary.add("membership", factories.MembershipFactory(user=stranger, account=other, role="administrator"))
    _loan(canary, other, stranger, guest, now)
    for where, by in ((account, canary.readers["administrator"]), (other, stranger)):
        invitation = Invitation.objects.create(
            account=where, email=f"invited.{FOREIGN_THING if where == other else 'one'}@reads.example",
            role="security_manager", token_digest=f"{where.pk:064}", invited_by=by, invited_at=now, expires_at=later,
        )  # fmt: skip
        canary.add("invitation", invitation)


def _loan(canary: Canary, account: Account, lender: User, borrower: User, now: datetime) -> None:
    loan = Delegation.objects.create(
        account=account, lender=lender, borrower=borrower, starts_at=now - timedelta(days=1),
        ends_at=now + timedelta(days=9), created_at=now,
    )  # fmt: skip
    canary.add("delegation", loan)
