"""Enrollments, straight from the company's facts: a million rows are too many to write as JSON and read again."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from sync.knowbe4 import payloads
from sync.pipeline.lists import ENROLLMENTS
from sync.pipeline.tables import Row
from sync.simulator import Company

BLOCK = 20_000
"""Rows staged at a time: the memory a fill needs beside the company itself."""

_POLICY = "Uploaded Policy"


def blocks(company: Company, at: datetime) -> Iterator[list[Row]]:
    """Yield every enrollment KnowBe4 would return at `at` as it is staged, in blocks."""
    rows = _rows(company, at)
    while block := list(islice(rows, BLOCK)):
        yield block


def _rows(company: Company, at: datetime) -> Iterator[Row]:
    users = {
        person.person_id: payloads.EnrolledUser(
            person.person_id, person.first_name, person.last_name, person.email, person.employee_number
        )
        for person in company.people(at)
    }
    # A campaign that KnowBe4 no longer returns takes its enrollments with it, so each of them has its name here.
    names = {campaign.campaign_id: campaign.name for campaign in company.campaigns(at, percentages=False)}
    row, key = ENROLLMENTS.table.row, ENROLLMENTS.key
    for facts in company.enrollments(at):
        is_policy = facts.content_kind == "Policy"
        yield row(
            payloads.Enrollment(
                enrollment_id=facts.enrollment_id,
                content_type=_POLICY if is_policy else "Store Purchase",
                module_name=facts.module_name,
                user=users[facts.person_id],
                campaign_name=names[facts.campaign_id],
                campaign_id=facts.campaign_id,
                store_purchase_id=None if is_policy else facts.content_id,
                enrollment_date=facts.enrolled_at,
                start_date=facts.started_at,
                completion_date=facts.completed_at,
                status=facts.status,
                time_spent=facts.time_spent,
                policy_acknowledged=facts.policy_acknowledged,
            ),
            key,
        )
