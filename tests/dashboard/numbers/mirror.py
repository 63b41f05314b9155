"""Records written into the mirror and the settings, as a sync and an administrator would have left them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from dashboard.models import User
from dashboard.models.settings import CampaignSetting, Exemption, InferredTrigger
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
    PhishingResult,
    PhishingTest,
    SyncRun,
)
from sync.models.training import DueSource
from tests import factories
from tests.oracle import records
from tests.oracle.companies import CONTENT_TYPES
from tests.oracle.organization import Organization, spelled

SEEN_AT = datetime(2023, 11, 1, tzinfo=UTC)
# The records' names of a person's texts, and the mirror's.
TEXTS = {
    "department": "department_name",
    "manager_email": "manager_email",
    "manager_name": "manager_name",
    "email": "email",
}
_numbers = count(1)


@dataclass
class Mirror:
    """One account that holds a company, with the rows' ids by the records' keys."""

    account: Account
    run: SyncRun
    people: dict[int, int] = field(default_factory=dict)
    departments: dict[str, int] = field(default_factory=dict)
    campaigns: dict[int, int] = field(default_factory=dict)
    groups: dict[int, int] = field(default_factory=dict)
    contents: dict[str, int] = field(default_factory=dict)
    enrollments: dict[int, int] = field(default_factory=dict)

    def department_ids(self, spellings: frozenset[str]) -> frozenset[int]:
        """Return the ids that a filter takes; 0 is no department."""
        return frozenset(self.departments[spelling] if spelling else 0 for spelling in spellings)


def write(company: records.Company, requester: User, approver: User) -> Mirror:
    """Write the company into an account of its own and return where its rows are."""
    account = factories.AccountFactory(name=f"Brackwater {next(_numbers)}", time_zone=company.zone.key)
    mirror = Mirror(account, factories.SyncRunFactory(account=account, started_at=SEEN_AT))
    _write_people(company, mirror)
    _write_training(company, mirror)
    _write_settings(company, mirror, requester, approver)
    return mirror


def person_fields(mirror: Mirror, person: records.Person) -> dict[str, Any]:
    """Return a person's columns, with the derived department, without the manager, whose row may not be there yet."""
    return {
        "email": person.email,
        "status": person.status,
        "joined_at": person.joined_at,
        "archived_at": person.archived_at,
        "removed_at": person.removed_at,
        "department_name": person.department,
        "manager_email": person.manager_email,
        "manager_name": person.manager_name,
        "department_id": mirror.departments[spelled(person.department)],
    }


def enrollment_fields(mirror: Mirror, row: records.Enrollment) -> dict[str, Any]:
    """Return an enrollment's columns."""
    dated = DueSource.NONE if row.due_at is None else DueSource.CAMPAIGN_END
    return {
        "person_id": mirror.people[row.person] if row.person is not None else None,
        "campaign_id": mirror.campaigns[row.campaign] if row.campaign is not None else None,
        "content_id": mirror.contents[row.content_type],
        "reported_status": row.status,
        "enrolled_at": row.enrolled_at,
        "started_at": row.started_at,
        "completed_at": row.completed_at,
        "due_at": row.due_at,
        "due_source": DueSource.HIDDEN_EXTENSION if row.is_extended else dated,
        "removed_at": row.removed_at,
        "policy_acknowledged": row.is_acknowledged,
    }


def _write_people(company: records.Company, mirror: Mirror) -> None:
    account = mirror.account
    spellings = {
        spelled(text)
        for person in company.people.values()
        for text in [person.department, *(change.old for change in person.past if change.field == "department")]
    }
    spellings |= {*company.merges, *company.merges.values()}
    rows = Department.objects.bulk_create(
        Department(account=account, key=key, name=key.title()) for key in sorted(spellings)
    )
    mirror.departments = {row.key: row.pk for row in rows}
    for row in rows:
        end = row.key
        while end in company.merges:
            end = company.merges[end]
        row.merged_into_id = mirror.departments[end] if end != row.key else None
    Department.objects.bulk_update(rows, ["merged_into"])

    people = Person.objects.bulk_create(
        Person(account=account, knowbe4_id=key, first_seen_at=SEEN_AT, **person_fields(mirror, person))
        for key, person in company.people.items()
    )
    mirror.people = {row.knowbe4_id: row.pk for row in people}
    link_managers(company, mirror, people)
    changes = [
        Change(
            account=account,
            run=mirror.run,
            observed_at=change.at,
            subject=Change.Subject.PERSON,
            subject_id=mirror.people[person.key],
            field=TEXTS[change.field],
            old=change.old,
            new=change.new,
        )
        for person in company.people.values()
        for change in person.past
    ]
    Change.objects.bulk_create(changes)
    groups = Group.objects.bulk_create(
        Group(account=account, knowbe4_id=key, name=f"Group {key}", first_seen_at=SEEN_AT) for key in company.groups
    )
    mirror.groups = {row.knowbe4_id: row.pk for row in groups}
    # Whoever is in no list of members left the group: their rows are kept.
    GroupMembership.objects.bulk_create(
        GroupMembership(
            account=account,
            group_id=mirror.groups[key],
            person_id=pk,
            first_seen_at=SEEN_AT,
            removed_at=None if person in members else SEEN_AT + timedelta(days=1),
        )
        for key, members in company.groups.items()
        for person, pk in mirror.people.items()
    )


def link_managers(company: records.Company, mirror: Mirror, people: list[Person]) -> None:
    """Set each row's manager to whom the records' emails lead."""
    organization = Organization(company)
    for row in people:
        manager = organization.manager(row.knowbe4_id)
        row.manager_id = None if manager is None else mirror.people[manager]
    Person.objects.bulk_update(people, ["manager"])


def _write_training(company: records.Company, mirror: Mirror) -> None:
    account = mirror.account
    contents = ContentItem.objects.bulk_create(
        ContentItem(
            account=account,
            source="policy" if kind == "Policy" else "store_purchase",
            knowbe4_id=number,
            name=kind,
            content_type=kind,
            first_seen_at=SEEN_AT,
        )
        for number, kind in enumerate(sorted(set(CONTENT_TYPES)))
    )
    mirror.contents = {row.name: row.pk for row in contents}
    campaigns = Campaign.objects.bulk_create(
        Campaign(
            account=account,
            knowbe4_id=campaign.key,
            name=f"Campaign {campaign.key}",
            reported_status=campaign.status,
            start_at=campaign.start_at,
            archived_at=campaign.archived_at,
            removed_at=campaign.removed_at,
            first_seen_at=SEEN_AT,
        )
        for campaign in company.campaigns.values()
    )
    mirror.campaigns = {row.knowbe4_id: row.pk for row in campaigns}
    enrollments = Enrollment.objects.bulk_create(
        Enrollment(account=account, knowbe4_id=row.key, first_seen_at=SEEN_AT, **enrollment_fields(mirror, row))
        for row in company.enrollments
    )
    mirror.enrollments = {row.knowbe4_id: row.pk for row in enrollments}
    tests = PhishingTest.objects.bulk_create([PhishingTest(account=account, knowbe4_id=1, first_seen_at=SEEN_AT)])
    PhishingResult.objects.bulk_create(
        PhishingResult(
            account=account,
            test=tests[0],
            knowbe4_id=failure.key,
            person_id=mirror.people[failure.person] if failure.person is not None else None,
            clicked_at=failure.failed_at,
            failed_at=failure.failed_at,
            first_seen_at=SEEN_AT,
        )
        for failure in company.failures
    )


def _write_settings(company: records.Company, mirror: Mirror, requester: User, approver: User) -> None:
    account = mirror.account
    CampaignSetting.objects.bulk_create(
        # Every other trigger is the administrator's, over another that was inferred.
        CampaignSetting(
            account=account,
            campaign_id=mirror.campaigns[campaign.key],
            requirement=campaign.requirement,
            trigger=campaign.trigger if campaign.key % 2 else "",
        )
        for campaign in company.campaigns.values()
        if campaign.requirement != "required" or campaign.key % 2
    )
    InferredTrigger.objects.bulk_create(
        InferredTrigger(
            account=account,
            campaign_id=mirror.campaigns[campaign.key],
            trigger="scheduled" if campaign.key % 2 else campaign.trigger,
            rule=InferredTrigger.Rule.NAME,
        )
        for campaign in company.campaigns.values()
        if campaign.key % 2 or campaign.trigger != "unknown"
    )
    Exemption.objects.bulk_create(
        exemption_row(mirror, exemption, requester, approver) for exemption in company.exemptions
    )


def exemption_row(mirror: Mirror, exemption: records.Exemption, requester: User, approver: User) -> Exemption:
    """Return the unsaved row of an exemption; one not approved waits, or was rejected."""
    decided = exemption.starts_at + timedelta(days=400)
    rejected = not exemption.is_approved and exemption.key % 2
    return Exemption(
        account=mirror.account,
        person_id=mirror.people[exemption.person] if exemption.person is not None else None,
        group_id=mirror.groups[exemption.group] if exemption.group is not None else None,
        campaign_id=mirror.campaigns[exemption.campaign] if exemption.campaign is not None else None,
        reason=Exemption.Reason.LEAVE,
        starts_at=exemption.starts_at,
        ends_at=exemption.ends_at,
        requested_by=requester,
        requested_at=exemption.starts_at,
        approved_by=approver if exemption.is_approved else None,
        approved_at=decided if exemption.is_approved else None,
        rejected_by=approver if rejected else None,
        rejected_at=decided if rejected else None,
        ended_by=approver if exemption.ended_at else None,
        ended_at=exemption.ended_at,
    )


def keys_of(ids: Mapping[Any, int]) -> dict[int, Any]:
    """Return the records' keys by the rows' ids."""
    return {pk: key for key, pk in ids.items()}
