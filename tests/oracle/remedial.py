"""Training after failure: who failed a phishing test, and who was enrolled in remedial training in time."""

from datetime import timedelta

from tests.oracle.counting import Count, is_active, is_eligible, is_there
from tests.oracle.records import Enrollment

GRACE = timedelta(days=14)
REMEDIAL = "phishing_failure"


def training_after_failure(count: Count) -> tuple[int, int]:
    """Return the people trained after each of their failures, and the people who failed 14 days ago or longer.

    Remedial is an enrollment in a campaign triggered by failures, from the failure on and within 14 days of it.
    """
    failed: dict[int, list[bool]] = {}
    for failure in count.company.failures:
        person = failure.person
        if person is None or failure.failed_at + GRACE > count.at or not count.takes_person(person):
            continue
        if not is_active(count.company.people[person], count.at):
            continue
        trained = any(
            row.person == person
            and _is_remedial(count, row)
            and failure.failed_at <= row.enrolled_at <= failure.failed_at + GRACE
            for row in count.company.enrollments
        )
        failed.setdefault(person, []).append(trained)
    return sum(1 for each in failed.values() if all(each)), len(failed)


def _is_remedial(count: Count, row: Enrollment) -> bool:
    campaign = count.company.campaigns.get(row.campaign) if row.campaign is not None else None
    return (
        campaign is not None
        and campaign.trigger == REMEDIAL
        and is_eligible(count.company, row)
        and is_there(row, count.at)
    )
