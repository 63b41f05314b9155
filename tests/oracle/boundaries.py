"""The definitions line by line, each at its edge: the smallest company that shows it, and what must be counted there.

The numbers are written down, not computed: both the count by hand and the product are held to them.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.oracle.companies import TICK
from tests.oracle.records import Campaign, Changed, Company, Enrollment, Exemption, Person, Question

NOW = datetime(2025, 4, 1, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)
LONG_AGO = NOW - 200 * DAY
BERLIN = ZoneInfo("Europe/Berlin")


@dataclass(frozen=True)
class Case:
    """A rule's edge: a company, a question, and some of the counts, net unless they begin with `gross_`."""

    name: str
    company: Company
    question: Question
    counts: dict[str, int]


def one(
    *,
    person: dict[str, Any] | None = None,
    campaign: dict[str, Any] | None = None,
    exemptions: tuple[Exemption, ...] = (),
    groups: dict[int, frozenset[int]] | None = None,
    others: tuple[Enrollment, ...] = (),
    **work: Any,
) -> Company:
    """Return a company of one person (1) in one campaign (1) with one enrollment (1); `work_` names whose that is."""
    whose = {"person": work.pop("work_person", 1), "campaign": work.pop("work_campaign", 1)}
    enrollment = Enrollment(**{"key": 1, "enrolled_at": LONG_AGO, **whose, **work})
    return Company(
        zone=BERLIN,
        people={1: Person(**{"key": 1, "email": "ida@brackwater.example", **(person or {})})},
        campaigns={1: Campaign(**{"key": 1, **(campaign or {})})},
        groups=groups or {},
        enrollments=(enrollment, *others),
        exemptions=exemptions,
    )


def case(name: str, company: Company, question: Question | None = None, **counts: int) -> Case:
    """Return a case asked at NOW unless told otherwise."""
    return Case(name, company, question or Question(as_of=NOW), counts)


def leave(**fields: Any) -> tuple[Exemption, ...]:
    """Return one approved exemption of person 1 from everything, since long ago."""
    return (Exemption(**{"key": 1, "person": 1, "starts_at": LONG_AGO, **fields}),)


def asked(**filters: Any) -> Question:
    """Return a question at NOW."""
    return replace(Question(as_of=NOW), **filters)


STATES = [
    case("due a tick ago is past due", one(due_at=NOW - TICK), past_due=1, people_past_due=1, due=1, not_started=0),
    case("due this very moment is past due", one(due_at=NOW), past_due=1, people_past_due=1, due=1, not_started=0),
    case("due in a tick is not", one(due_at=NOW + TICK), past_due=0, people_past_due=0, due=0, not_started=1),
    case("without a deadline nothing is past due", one(started_at=LONG_AGO), past_due=0, in_progress=1, due=0),
    case("started this moment is in progress", one(started_at=NOW), in_progress=1, not_started=0),
    case("started in a tick is not", one(started_at=NOW + TICK), in_progress=0, not_started=1),
    case("past due hides that it was started", one(started_at=LONG_AGO, due_at=NOW), past_due=1, in_progress=0),
    case("completed this moment is completed", one(completed_at=NOW, due_at=LONG_AGO), completed=1, past_due=0),
    case("completed in a tick is not", one(completed_at=NOW + TICK, due_at=NOW), completed=0, past_due=1),
    case("credit from before the enrollment", one(completed_at=LONG_AGO - DAY), completed=1, counted=1),
    case("on time to the moment", one(due_at=NOW, completed_at=NOW), on_time=1, completed_late=0, due=1),
    case("late by a tick", one(due_at=NOW - TICK, completed_at=NOW), on_time=0, completed_late=1, due=1, past_due=0),
    case(
        "on time before it is due is no rate yet",
        one(due_at=NOW + DAY, completed_at=NOW),
        on_time=0,
        due=0,
        completed=1,
    ),
    case("an unknown date is counted beside", one(is_extended=True), unknown_due=1, due=0, past_due=0, counted=1),
    case("done without a deadline is not late", one(completed_at=NOW), completed=1, completed_late=0, on_time=0),
]

COUNTED = [
    case("enrolled this moment", one(enrolled_at=NOW), counted=1, people_counted=1),
    case("enrolled in a tick", one(enrolled_at=NOW + TICK), counted=0, people_counted=0, people_active=1),
    case("removed this moment", one(removed_at=NOW, due_at=LONG_AGO), counted=0, past_due=0),
    case("removed in a tick", one(removed_at=NOW + TICK, due_at=LONG_AGO), counted=1, past_due=1),
    case("left this moment", one(person={"status": "archived", "archived_at": NOW}), counted=0, people_active=0),
    case(
        "leaving in a tick", one(person={"status": "archived", "archived_at": NOW + TICK}), counted=1, people_active=1
    ),
    case("left at an unknown moment", one(person={"status": "archived"}), counted=0, people_active=0),
    case("named by an enrollment only", one(person={"status": "unlisted"}), counted=0, people_active=0),
    case("no longer listed since this moment", one(person={"removed_at": NOW}), counted=0, people_active=0),
    case("no longer listed in a tick", one(person={"removed_at": NOW + TICK}), counted=1, people_active=1),
    case("joined this moment", one(person={"joined_at": NOW}), people_active=1, counted=1),
    case("no user was sent", one(work_person=None), counted=0, people_active=1),
    case(
        "enrolled twice is one person",
        one(others=(Enrollment(2, 1, 1, LONG_AGO, due_at=NOW),)),
        counted=2,
        people_counted=1,
        past_due=1,
        people_past_due=1,
    ),
    case("no campaign is listed", one(work_campaign=None), counted=1),
    case("a word nobody knows", one(status="Exempted"), counted=0, gross_counted=0),
    case("a known word in capitals", one(status="PAST DUE", due_at=NOW), counted=1, past_due=1),
    case("an optional campaign", one(campaign={"requirement": "optional"}), counted=0, gross_counted=0),
    case("an excluded campaign", one(campaign={"requirement": "excluded"}), counted=0, gross_counted=0),
    case("a cancelled campaign", one(campaign={"status": "Canceled"}), counted=0, gross_counted=0),
    case("a campaign that is archived counts on", one(campaign={"archived_at": LONG_AGO}), counted=1),
    case("a campaign no longer returned counts on", one(campaign={"removed_at": LONG_AGO}), counted=1),
]

POLICIES = [
    case("a policy acknowledged", one(content_type="Policy", is_acknowledged=True), policies=1, acknowledged=1),
    case("a policy done", one(content_type="Policy", completed_at=NOW), policies=1, acknowledged=1),
    case("a policy neither done nor acknowledged", one(content_type="Policy"), policies=1, acknowledged=0),
    case("a module acknowledged", one(is_acknowledged=True), policies=0, acknowledged=0),
]

EXEMPTIONS = [
    case(
        "exempt from this moment",
        one(exemptions=leave(starts_at=NOW), due_at=NOW),
        counted=0,
        gross_counted=1,
        gross_past_due=1,
    ),
    case("exempt in a tick", one(exemptions=leave(starts_at=NOW + TICK)), counted=1),
    case("exempt until this moment", one(exemptions=leave(ends_at=NOW)), counted=1),
    case("exempt for a tick more", one(exemptions=leave(ends_at=NOW + TICK)), counted=0, gross_counted=1),
    case("ended by hand this moment", one(exemptions=leave(ended_at=NOW)), counted=1),
    case("not approved", one(exemptions=leave(is_approved=False)), counted=1),
    case("of another campaign", one(exemptions=leave(campaign=1), work_campaign=None), counted=1, gross_counted=1),
    case("of this campaign", one(exemptions=leave(campaign=1)), counted=0, gross_counted=1),
    case(
        "of a group",
        one(exemptions=leave(person=None, group=1), groups={1: frozenset({1})}),
        counted=0,
        gross_counted=1,
    ),
    case("of a group left", one(exemptions=leave(person=None, group=1), groups={1: frozenset()}), counted=1),
    case(
        "exempt people are active still",
        one(exemptions=leave()),
        people_counted=0,
        gross_people_counted=1,
        people_active=1,
    ),
]

# Person 1 reports to 2; 2 reported to 3 until a tick after NOW, and reports to 4 since.
MOVED = replace(
    one(),
    people={
        1: Person(1, "ida@brackwater.example", manager_email="p2@brackwater.example"),
        2: Person(
            2,
            "p2@brackwater.example",
            manager_email="p4@brackwater.example",
            past=(Changed(NOW + TICK, "manager_email", "p3@brackwater.example", "p4@brackwater.example"),),
        ),
        3: Person(3, "p3@brackwater.example"),
        4: Person(4, "p4@brackwater.example"),
    },
)

ORGANIZATION = [
    case(
        "spellings are one department",
        one(person={"department": "  Claims  EAST "}),
        asked(departments=frozenset({"claims east"})),
        counted=1,
        people_active=1,
    ),
    case("blank is no department", one(person={"department": "  "}), asked(departments=frozenset({""})), counted=1),
    case(
        "merged spellings count where they went",
        replace(one(person={"department": "Claims"}), merges={"claims": "audit"}),
        asked(departments=frozenset({"audit"})),
        counted=1,
    ),
    case(
        "the department of now",
        one(person={"department": "Audit", "past": (Changed(NOW + TICK, "department", "Sales", "Audit"),)}),
        asked(departments=frozenset({"audit"})),
        counted=1,
    ),
    case(
        "the department of then, a tick before it changed",
        one(person={"department": "Audit", "past": (Changed(NOW + TICK, "department", "Sales", "Audit"),)}),
        asked(departments=frozenset({"sales"}), is_then=True),
        counted=1,
    ),
    case(
        "the department of then, as it changed",
        one(person={"department": "Audit", "past": (Changed(NOW, "department", "Sales", "Audit"),)}),
        asked(departments=frozenset({"audit"}), is_then=True),
        counted=1,
    ),
    case("the line of now", MOVED, asked(manager=3), counted=0, people_active=0),
    case("the line of now leads elsewhere", MOVED, asked(manager=4), counted=1, people_active=2),
    case("the line of then", MOVED, asked(manager=3, is_then=True), counted=1, people_active=2),
    case(
        "whoever joined a line later was not in it", MOVED, asked(manager=4, is_then=True), counted=0, people_active=0
    ),
    case(
        "nobody is in a line of their own",
        one(person={"manager_email": "Ida@Brackwater.example"}),
        asked(manager=1),
        counted=0,
        people_active=0,
    ),
]

CASES = [*STATES, *COUNTED, *POLICIES, *EXEMPTIONS, *ORGANIZATION]
