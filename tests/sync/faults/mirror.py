"""Contents of the mirror, for comparing it with itself and with the simulator's truth."""

from datetime import datetime
from typing import Any

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
)
from sync.simulator.company import Company
from tests.sync.truth import expected_enrollments, mirrored_enrollments

MIRROR = (
    Person,
    Department,
    Group,
    GroupMembership,
    ContentItem,
    Campaign,
    Enrollment,
    PhishingCampaign,
    PhishingTest,
    PhishingResult,
    Change,
)
# Of an enrollment's facts these do not depend on which syncs saw it before.
PLAIN_FACTS = 9


def dump(account: Account) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of the mirror and its history, and what the account says is published."""
    account.refresh_from_db()
    rows = {model.__name__: sorted(model.objects.values_list(), key=str) for model in MIRROR}
    return {**rows, "Account": [(account.published_at, account.data_as_of, account.published_run_id)]}


def is_empty(account: Account) -> bool:
    """Return whether nothing was ever published."""
    rows = dump(account)
    return rows.pop("Account") == [(None, None, None)] and not any(rows.values())


def assert_truth(account: Account, company: Company, at: datetime, *, first: bool = False) -> None:
    """Hold people, campaigns, enrollments and recent phishing results to what the company was at `at`.

    `first`: no sync saw them before, so that due dates are held to it, too.
    """
    facts = None if first else PLAIN_FACTS
    expected = {key: row[:facts] for key, row in expected_enrollments(company, at).items()}
    assert {key: row[:facts] for key, row in mirrored_enrollments(account).items()} == expected
    people = Person.objects.filter(account=account, removed_at=None)
    assert {(row.knowbe4_id, row.email, row.status, row.department_name) for row in people} == {
        (person.person_id, person.email, person.status, person.department or "") for person in company.people(at)
    }
    campaigns = Campaign.objects.filter(account=account, removed_at=None)
    assert {(row.knowbe4_id, row.reported_status, row.end_at) for row in campaigns} == {
        (campaign.campaign_id, campaign.status, campaign.end_at) for campaign in company.campaigns(at)
    }
    for test in company.phishing_tests(at):
        if test.started_at and (at - test.started_at).days < 30:
            results = PhishingResult.objects.filter(test__account=account, test__knowbe4_id=test.pst_id)
            assert results.count() == len(company.recipients(test.pst_id, at))
