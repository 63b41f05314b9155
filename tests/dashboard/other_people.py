"""The same company with other people, training and names wherever a reader may not look."""

import itertools
from datetime import datetime, timedelta

from dashboard import rollups
from dashboard.access import Scope
from dashboard.models import Exemption, Export, Invitation, Role, SettingChange, User
from sync.models import (
    Account,
    Campaign,
    Change,
    ContentItem,
    Department,
    Enrollment,
    Group,
    GroupMembership,
    Person,
    PhishingCampaign,
    PhishingResult,
    PhishingTest,
    QuarantinedRow,
    SyncRun,
)
from tests import factories
from tests.dashboard.canary import SALES_IN_LINE, Canary, add_mail

WORD = "Elsewhere"


def add_readers(canary: Canary, now: datetime) -> None:
    """Add heads of two departments and of one that nobody is in, and a manager of one report.

    And an exemption of a group that everybody is in.
    """
    account = canary.account
    claims, sales = (Department.objects.get(account=account, name=name) for name in ("Claims", "Sales"))
    empty = factories.DepartmentFactory(account=account, name="Vacant")
    canary.add("department", empty)
    for name, homes in (("head_of_two", [claims, sales]), ("head_of_none", [empty])):
        canary.readers[name] = factories.UserFactory(email=f"{name.replace('_', '-')}@reads.example")
        member = factories.MembershipFactory(user=canary.readers[name], account=account, role=Role.DEPARTMENT_HEAD)
        member.departments.add(*homes)
    canary.readers["manager_of_one"] = factories.UserFactory(email=canary.people[SALES_IN_LINE][0].email)
    factories.MembershipFactory(user=canary.readers["manager_of_one"], account=account, role=Role.PEOPLE_MANAGER)
    exemption = Exemption.objects.create(
        account=account, group=Group.objects.get(account=account), reason="other", note="All",
        starts_at=now - timedelta(days=2),
        requested_by=canary.readers["administrator"], requested_at=now - timedelta(days=2),
    )  # fmt: skip
    canary.add("exemption", exemption)


def change_the_others(canary: Canary, reader: User, now: datetime) -> None:
    """Change everybody whom the reader may not see, and what is about them alone.

    Who is above somebody in scope keeps name, address and place: these are part of their reports' records.
    """
    account, names = canary.account, itertools.count()
    scope = Scope.of(reader, chosen=account.pk)
    mine = set(scope.people().values_list("pk", flat=True))
    above = _above(mine)
    others = Person.objects.filter(account=account).exclude(pk__in=mine)
    theirs = Enrollment.objects.filter(person__in=others)
    for person in others.order_by("pk"):
        word = f"Other{next(names)}"
        changed: dict[str, object] = {
            "job_title": word, "location": word, "division": word, "organization": word, "language": "fr",
            "employee_number": word, "current_risk_score": 91.5, "phish_prone_percentage": 88.8,
        }  # fmt: skip
        if person.pk not in above:
            changed |= {"first_name": word, "last_name": word, "email": f"{word}@else.example"}
        Person.objects.filter(pk=person.pk).update(**changed)
    theirs.filter(pk__in=list(theirs.order_by("pk").values_list("pk", flat=True)[::2])).update(
        reported_status="Passed", completed_at=now - timedelta(days=4), started_at=now - timedelta(days=5)
    )
    theirs.filter(completed_at=None).update(due_at=now - timedelta(days=70))
    PhishingResult.objects.filter(person__in=others).update(failed_at=None, clicked_at=None, reported_at=now)
    Exemption.objects.filter(person__in=others).update(approved_by=canary.readers["administrator"], approved_at=now)
    QuarantinedRow.objects.filter(account=account).update(reason=WORD, raw=WORD)
    _rename_departments(account, scope, mine)
    _add_newcomers(canary, mine, now)
    Campaign.objects.filter(account=account).update(completion_percentage=77)
    Group.objects.filter(account=account).update(member_count=99)
    PhishingTest.objects.filter(account=account).update(
        phish_prone_percentage=0.9, **{f"{name}_count": 99 for name in ("scheduled", "delivered", "clicked", "opened")}
    )
    Account.objects.filter(pk=account.pk).update(
        number_of_seats=9_000, current_risk_score=77.7, subscription_level=WORD, domains=["else"]
    )
    Account.objects.exclude(pk=account.pk).update(name=WORD)
    describe_runs(account, people=900)
    rollups.rebuild(account, at=now)


def _above(people: set[int]) -> set[int]:
    """Return who is above them, at any height."""
    managers = dict(Person.objects.exclude(manager=None).values_list("pk", "manager"))
    found, here = set[int](), set(people)
    while here := {managers[key] for key in here if key in managers} - found:
        found |= here
    return found


def _rename_departments(account: Account, scope: Scope, mine: set[int]) -> None:
    """Rename the departments that nobody in scope is in, and merge two of them."""
    kept = {*scope.department_keys, *Person.objects.filter(pk__in=mine).values_list("department", flat=True)}
    other = Department.objects.filter(account=account).exclude(pk__in=kept).exclude(key="").order_by("pk")
    for number, department in enumerate(other):
        name = f"{WORD} {number}"
        Department.objects.filter(pk=department.pk).update(name=name, key=name.casefold())
    if len(other) > 1:
        Department.objects.filter(pk=other[0].pk).update(merged_into=other[1].pk)


def describe_runs(account: Account, *, people: int) -> None:
    """Let the syncs have read so many people, and more of everything else the more they are."""
    SyncRun.objects.filter(account=account).update(
        requests_made=people + 5,
        counts={"person": {"inserted": people}, "enrollment": {"inserted": people * 3}},
        resources={
            "users": {"title": "People", "state": "done", "rows": people, "requests": people, "expected": people}
        },
        plan={"campaigns": people, "total": people},
    )
    SyncRun.objects.filter(account=account, state=SyncRun.State.HELD).update(message=f"People fell from {people} to 3.")


def _add_newcomers(canary: Canary, mine: set[int], now: datetime) -> None:
    """Add a department and people, there and where others are, who alone have a campaign, a group, a module, a test.

    Each is enrolled in an older campaign too. Colleagues come with them: members, a schedule, files, an invitation.
    """
    account = canary.account
    run = SyncRun.objects.filter(account=account, published_at__isnull=False)[0]
    home = factories.DepartmentFactory(account=account, name=WORD)
    group = Group.objects.create(account=account, knowbe4_id=7_000_001, name=WORD, status="active", first_seen_at=now)
    content = factories.ContentItemFactory(account=account, name=f"{WORD} only", content_type="Policy")
    campaign = factories.CampaignFactory(
        account=account, name=f"{WORD} only", end_at=now + timedelta(days=3), content_ids=[content.pk],
        group_ids=[group.pk],
    )  # fmt: skip
    phishing = PhishingCampaign.objects.create(account=account, knowbe4_id=7_000_003, name=WORD, first_seen_at=now)
    test = PhishingTest.objects.create(
        account=account, knowbe4_id=7_000_002, name=f"{WORD} only", started_at=now - timedelta(days=5),
        first_seen_at=now, campaign=phishing,
    )  # fmt: skip
    older = Campaign.objects.filter(account=account).order_by("pk")[0]
    decider, shared = canary.readers["administrator"], Group.objects.filter(account=account).order_by("pk")[0]
    chief = _other_manager(account, mine)
    # Years before anybody else.
    first = now - timedelta(days=1_200)
    for number in range(4):
        person = factories.PersonFactory(
            account=account,
            department=home,
            department_name=home.name,
            manager=chief if number else None,
            first_seen_at=first,
            joined_at=first,
        )
        for asks in (campaign, older):
            enrollment = factories.EnrollmentFactory(
                account=account, person=person, campaign=asks, content=content,
                enrolled_at=now - timedelta(days=20) if number else first,
                due_at=now - timedelta(days=number) if number else first + timedelta(days=30),
                reported_status="Past Due",
            )  # fmt: skip
            _changed(account, run, Change.Subject.ENROLLMENT, enrollment.pk)
        for one in (group, shared):
            GroupMembership.objects.create(account=account, group=one, person=person, first_seen_at=now)
        PhishingResult.objects.create(
            account=account, test=test, knowbe4_id=7_000_010 + number, person=person, first_seen_at=now,
            delivered_at=now - timedelta(days=5), failed_at=now - timedelta(days=4),
        )  # fmt: skip
        _changed(account, run, Change.Subject.PERSON, person.pk)
        exemption = Exemption.objects.create(
            account=account, person=person, reason="other", note=WORD, starts_at=now, requested_by=decider,
            requested_at=now,
        )  # fmt: skip
        SettingChange.objects.create(
            account=account, subject="exemption", subject_id=exemption.pk, field="state", new="requested",
            changed_by=decider, changed_at=now, reason=WORD,
        )  # fmt: skip
        canary.add("person", person)
        canary.add("exemption", exemption)
    for subject, row in ((Change.Subject.CAMPAIGN, campaign), (Change.Subject.GROUP, group),
                         (Change.Subject.CONTENT, content), (Change.Subject.PHISHING_TEST, test)):  # fmt: skip
        _changed(account, run, subject, row.pk)
    QuarantinedRow.objects.create(account=account, run=run, list_key="users", reason="Odd", raw='{"name": "x"}')
    canary.add("campaign", campaign)
    emptied = {"name": f"{WORD} before", "vacated_at": now - timedelta(days=5)}
    left = Group.objects.create(account=account, knowbe4_id=7_000_091, first_seen_at=now, **emptied)
    for kind, row in (("department", factories.DepartmentFactory(account=account, **emptied)), ("department", home),
                      ("group", left), ("group", group)):  # fmt: skip
        canary.add(kind, row)
    _add_colleagues(canary, home, now)


def _other_manager(account: Account, mine: set[int]) -> Person | None:
    """Return somebody whose line nobody in scope is in."""
    return Person.objects.filter(account=account, removed_at=None).exclude(pk__in=mine | _above(mine)).first()


def _add_colleagues(canary: Canary, home: Department, now: datetime) -> None:
    """Add another department's head with everything that members make."""
    account = canary.account
    colleague = factories.UserFactory(email=f"{WORD}@reads.example", first_name=WORD, last_name=WORD)
    member = factories.MembershipFactory(user=colleague, account=account, role=Role.DEPARTMENT_HEAD)
    member.departments.add(home)
    canary.add("membership", member)
    canary.add("export", Export.objects.create(account=account, user=colleague, table="people", requested_at=now))
    add_mail(canary, account, colleague, now, prefix=f"{WORD} ")
    invitation = Invitation.objects.create(
        account=account, email=f"invited.{WORD}@reads.example", role="security_manager", token_digest="7" * 64,
        invited_by=colleague, invited_at=now, expires_at=now + timedelta(days=9),
    )  # fmt: skip
    canary.add("invitation", invitation)


def _changed(account: Account, run: SyncRun, subject: int, key: int) -> None:
    """Record that a sync found another name."""
    Change.objects.create(
        account=account, run=run, observed_at=run.published_at, subject=subject, subject_id=key, field="name",
        old="Old", new="New",
    )  # fmt: skip


def content_elsewhere(account: Account) -> ContentItem:
    """Return what only others are asked to do."""
    return ContentItem.objects.get(account=account, name=f"{WORD} only")
