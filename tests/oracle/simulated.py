"""The simulator's company as records: what is to be counted after one complete sync at a moment, told by its facts."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sync.simulator.company import Company as World
from sync.simulator.facts import EnrollmentFacts
from tests.oracle.counting import DONE
from tests.oracle.records import Campaign, Company, Enrollment, Failure, Person

OPEN = {"Not Started", "In Progress"}
CONTENT_TYPES = {"Training Module", "Video", "Game", "Assessment", "Policy", "Newsletter", "Poster"}
FAILINGS = "clicked_at replied_at attachment_opened_at macro_enabled_at data_entered_at qr_code_scanned_at".split()


def simulated(world: World, at: datetime, zone: ZoneInfo) -> Company:
    """Return the company as a first sync at `at` knows it; keys are KnowBe4's ids. Its campaigns have no trigger."""
    purchases = {item.store_purchase_id: item.type for item in world.store_purchases(at)}
    people = {
        facts.person_id: Person(
            key=facts.person_id,
            email=facts.email,
            status=facts.status,
            joined_at=facts.joined_at,
            archived_at=facts.archived_at,
            department=facts.department or "",
            manager_email=facts.manager_email or "",
            manager_name=facts.manager_name or "",
        )
        for facts in world.people(at)
    }
    campaigns = {
        facts.campaign_id: Campaign(key=facts.campaign_id, status=facts.status, start_at=facts.start_at)
        for facts in world.campaigns(at, percentages=False)
    }
    tests = world.phishing_tests(at)
    received = [recipient for test in tests for recipient in world.recipients(test.pst_id, at)]
    failed = [(one.person_id, [moment for name in FAILINGS if (moment := getattr(one, name))]) for one in received]
    return Company(
        zone=zone,
        people=people,
        campaigns=campaigns,
        groups={
            group.group_id: frozenset(one.person_id for one in world.people(at) if group.group_id in one.groups)
            for group in world.groups(at)
        },
        enrollments=tuple(_enrollment(facts, at, purchases, campaigns) for facts in world.enrollments(at)),
        failures=tuple(
            Failure(number, person, min(moments)) for number, (person, moments) in enumerate(failed) if moments
        ),
    )


def _enrollment(
    facts: EnrollmentFacts, at: datetime, purchases: dict[int, str], campaigns: dict[int, Campaign]
) -> Enrollment:
    """Return one enrollment with the due date that the first sync derives.

    An open enrollment more than 48 hours past its date has an extension that nobody sees; one that KnowBe4 calls past
    due before its date, or without any, fell due when it was first seen so.
    """
    due_at, is_extended = facts.derived_due_at, False
    if facts.status in OPEN and due_at is not None and due_at < at - timedelta(hours=48):
        due_at, is_extended = None, True
    elif facts.status == "Past Due" and (due_at is None or due_at > at):
        due_at = at
    reported_type = "Policy" if facts.content_kind == "Policy" else purchases.get(facts.content_id, "")
    return Enrollment(
        key=facts.enrollment_id,
        person=facts.person_id,
        campaign=facts.campaign_id if facts.campaign_id in campaigns else None,
        enrolled_at=facts.enrolled_at,
        status=facts.status,
        content_type=reported_type if reported_type in CONTENT_TYPES else "Other",
        started_at=facts.started_at or (at if facts.time_spent else None),
        completed_at=facts.completed_at if facts.status.lower() in DONE else None,
        due_at=due_at,
        is_extended=is_extended,
        is_acknowledged=facts.policy_acknowledged,
    )
