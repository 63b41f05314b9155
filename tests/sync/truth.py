"""The simulator's truth, told apart from any code of the pipeline: what the mirror must hold at a moment."""

from datetime import datetime, timedelta

from sync.models import Account, Enrollment
from sync.simulator.company import Company

DONE = {"Passed", "Completed"}
OPEN = {"Not Started", "In Progress"}

Facts = tuple[object, ...]


def expected_enrollments(company: Company, at: datetime) -> dict[int, Facts]:
    """Return, by id, what one complete sync at `at` must publish, as a first sync sees it."""
    expected = {}
    for facts in company.enrollments(at):
        due, source = facts.derived_due_at, "derived"
        if facts.status in OPEN and due is not None and due < at - timedelta(hours=48):
            due, source = None, "hidden_extension"
        elif facts.status == "Past Due" and (due is None or due > at):
            due, source = at, "observed"
        elif due is None:
            source = "none"
        expected[facts.enrollment_id] = (
            facts.person_id,
            facts.campaign_id,
            facts.module_name,
            facts.status,
            facts.enrolled_at,
            facts.started_at,
            facts.completed_at if facts.status in DONE else None,
            facts.time_spent,
            facts.policy_acknowledged,
            due,
            source,
        )
    return expected


def mirrored_enrollments(account: Account) -> dict[int, Facts]:
    """Return, by KnowBe4's id, what the mirror holds of enrollments that are not removed."""
    names = (
        "knowbe4_id person__knowbe4_id campaign__knowbe4_id content__name reported_status enrolled_at started_at "
        "completed_at time_spent policy_acknowledged due_at due_source"
    ).split()
    rows = Enrollment.objects.filter(account=account, removed_at=None).values_list(*names)
    derived = {"campaign_end": "derived", "relative": "derived"}
    return {row[0]: (*row[1:-1], derived.get(row[-1], row[-1])) for row in rows}
