"""A small company in training, enough for every block of the pages to have something to say."""

import random
from datetime import datetime, timedelta

from dashboard import rollups
from sync.models import Account, Enrollment, Person
from sync.models.training import DueSource
from tests import factories


def build_company(account: Account, now: datetime) -> None:
    """Fill the account with 160 people in eight departments and the campaigns they owe."""
    dice = random.Random(7)
    names = ["Customer Service", "Claims", "Sales", "Underwriting", "Engineering", "Finance", "Human Resources", ""]
    departments = [factories.DepartmentFactory(account=account, name=name) for name in names]
    people = Person.objects.bulk_create(
        factories.PersonFactory.build(account=account, department=departments[min(index // 21, 7)])
        for index in range(160)
    )
    content = factories.ContentItemFactory(account=account)
    plan = [
        ("Payment fraud awareness", "In Progress", 11),
        ("Use of AI tools policy", "In Progress", 4),
        ("Autumn awareness 2026", "In Progress", -24),
        ("Information handling policy 2026", "Closed", -66),
        ("Code of conduct policy 2027", "Created", 74),
        ("Withdrawn pilot", "Cancelled", -40),
    ]
    rows = []
    for name, status, days in plan:
        due_at = now + timedelta(days=days, hours=3)
        start_at = due_at - timedelta(days=45)
        campaign = factories.CampaignFactory(
            account=account, name=name, reported_status=status, start_at=start_at, end_at=due_at
        )
        if start_at > now:
            continue
        for index, person in enumerate(people):
            diligence = dice.random() * (0.6 if index // 21 in {0, 1} else 1.2)
            wanted = start_at + timedelta(days=50 * max(0.02, 1.15 - diligence) * (1 + dice.random() / 4))
            done_at = wanted if wanted < now and diligence > 0.05 else None
            rows.append(
                # Not by the factory, which takes a millisecond for each: hundreds of tests have this company.
                Enrollment(
                    account=account,
                    knowbe4_id=5_000_000 + len(rows),
                    first_seen_at=factories.SEEN_AT,
                    person=person,
                    campaign=campaign,
                    content=content,
                    enrolled_at=start_at,
                    started_at=start_at + timedelta(days=2) if diligence > 0.3 else None,
                    completed_at=done_at,
                    due_at=due_at,
                    due_source=DueSource.CAMPAIGN_END,
                    reported_status="Passed" if done_at else "Past Due" if due_at < now else "Not Started",
                )
            )
    Enrollment.objects.bulk_create(rows)
    rollups.rebuild(account, at=now)
