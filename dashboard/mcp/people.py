"""People: who is past due, and where somebody stands."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Literal

from django.urls import reverse
from msgspec import Meta

from dashboard.figures.selection import By
from dashboard.mcp.enrollments import Enrollment, member, shown, told
from dashboard.mcp.reading import Reader, invalid, listing, sliced
from dashboard.mcp.shapes import About, Arguments, Listing, Member, Name, Page, PerPage, Shape, meaning
from dashboard.mcp.summaries import CampaignId, Department, Manager
from dashboard.metrics import Age, days_past_due
from dashboard.queries import people as queries
from dashboard.queries.fields import PEOPLE
from dashboard.queries.past_due import Sort
from dashboard.queries.past_due_groups import PastDue
from sync.models import Person

FOUND = 20
MOST_ENROLLMENTS, MOST_FAILURES = 50, 20
MOST_GROUPS = 30


class LatePerson(Shape):
    """Someone with training past due."""

    person: Member
    items: Annotated[int, Meta(description="Enrollments past due.")]
    oldest_due_date: datetime
    days_past_due: Annotated[int, meaning(PEOPLE["days_past_due"])]
    last_activity: Annotated[datetime | None, meaning(PEOPLE["last_activity_at"])]


class LateGroup(Shape):
    """A department, or the line of a manager, with people past due."""

    name: str
    people: Annotated[int, Meta(description="People past due, each counted once.")]


class AgeGroup(Shape):
    """Number of people past due so long, by their oldest enrollment."""

    days: Annotated[str, Meta(description="Days past due.")]
    people: int


class LatePeople(Listing):
    """People past due, the longest first; `total` are those of the ages asked for."""

    about: About
    ages: list[AgeGroup]
    by: str | None
    groups: Annotated[list[LateGroup], Meta(description="The most people first.")]
    groups_total: int
    people: list[LatePerson]


class Failure(Shape):
    """A phishing test that someone failed."""

    test: str
    failed_at: datetime


class FoundPerson(Shape):
    """Someone and where they stand; figures are net of exemptions."""

    person: Member
    job_title: str
    is_active: bool
    assigned: int
    completed: int
    past_due: int
    exempt: int
    oldest_due_date: datetime | None
    days_past_due: int | None
    last_activity: datetime | None
    risk_score: Annotated[float | None, meaning(PEOPLE["risk_score"])]
    link: Annotated[str, Meta(description="Their page of Rollcall.")]


class FoundPeople(Shape):
    """People that a search found."""

    about: About
    total: Annotated[int, Meta(description=f"How many were found; {FOUND} of them are told.")]
    people: list[FoundPerson]
    enrollments: Annotated[
        list[Enrollment], Meta(description=f"Where one was found: their latest {MOST_ENROLLMENTS} enrollments.")
    ]
    phishing_failures: Annotated[
        list[Failure], Meta(description=f"Where one was found: the latest {MOST_FAILURES} tests they failed.")
    ]


class ListPastDue(Arguments):
    """Choice of people past due, and their grouping."""

    by: Annotated[
        Literal["department", "manager"] | None,
        Meta(description="How many people each department or line of a manager has past due."),
    ] = None
    department: Department = None
    manager: Manager = None
    campaign_id: CampaignId = None
    age: Annotated[
        Literal["1-7", "8-14", "15-30", "31-60", "61-90", "over-90"] | None,
        Meta(description="Only people whose oldest enrollment has been past due for so many days."),
    ] = None
    page: Page = 1
    per_page: PerPage = 50


class FindPerson(Arguments):
    """Choice of people."""

    query: Annotated[Name, Meta(min_length=1, description="Parts of a name, email address or employee number.")]


def list_past_due(reader: Reader, asked: ListPastDue) -> LatePeople:
    """List people with training past due, one row each, the longest past due first; and how many by group and age."""
    reader.require_people()
    filters, query = reader.filters(department=asked.department, manager=asked.manager, campaign_id=asked.campaign_id)
    by = By(asked.by) if asked.by else None
    ages = frozenset({Age(asked.age)}) if asked.age else frozenset()
    asking = PastDue.ask(reader.scope, as_of=reader.now, filters=filters, by=by, ages=ages)
    spread = asking.spread(most=MOST_GROUPS)
    rows = asking.people(Sort.DAYS, is_descending=True, limit=asked.per_page, offset=(asked.page - 1) * asked.per_page)
    people = _people(reader, [row.person_id for row in rows])
    return LatePeople(
        about=reader.about(reverse("past_due"), {**query, "by": asked.by or "none", "age": asked.age}),
        ages=[AgeGroup(days=age.value, people=count) for age, count in spread.ages.items()],
        by=asked.by,
        groups=[
            LateGroup(
                name=group.name or ("No department" if by == By.DEPARTMENT else "No manager"), people=group.people
            )
            for group in spread.groups[:MOST_GROUPS]
        ],
        groups_total=len(spread.groups),
        people=[
            LatePerson(
                person=member(people[row.person_id]),
                items=row.items,
                oldest_due_date=row.oldest_due_at,
                days_past_due=row.days_past_due,
                last_activity=row.last_activity_at,
            )
            for row in rows
            if row.person_id in people
        ],
        **listing(asked.page, asked.per_page, spread.people),
    )


def find_person(reader: Reader, asked: FindPerson) -> FoundPeople:
    """Find people by name, email or employee number: where they stand and, of one alone, their enrollments.

    People who left are found, too.
    """
    reader.require_people()
    if not asked.query.replace("\0", " ").strip():
        raise invalid("query is a part of a name, an email address or an employee number.")
    wanted = queries.Wanted.typed(asked.query, status=queries.Status.ANY)
    page = queries.people(reader.scope, as_of=reader.now, wanted=wanted, limit=FOUND)
    people = _people(reader, [row.person_id for row in page.rows])
    is_one = page.total == 1 and len(page.rows) == 1
    one = page.rows[0].person_id if is_one else None
    latest = reader.scope.enrollments().filter(person=one, removed_at__isnull=True).order_by("-enrolled_at", "pk")
    failed = reader.scope.phishing_results().filter(person=one, failed_at__lte=reader.now).select_related("test")
    return FoundPeople(
        about=reader.about(reverse("person", args=[one]))
        if one
        else reader.about(reverse("people"), {"status": "any"}),
        total=page.total,
        people=[_found(reader, row, people[row.person_id]) for row in page.rows if row.person_id in people],
        enrollments=told(reader, sliced(shown(latest, reader), 1, MOST_ENROLLMENTS)) if one else [],
        phishing_failures=[
            Failure(test=result.test.name, failed_at=result.failed_at)
            for result in failed.order_by("-failed_at", "pk")[:MOST_FAILURES]
            if result.failed_at
        ]
        if one
        else [],
    )


def _people(reader: Reader, keys: Iterable[int]) -> dict[int, Person]:
    return reader.scope.people().select_related("department__merged_into", "manager").in_bulk(list(keys))


def _found(reader: Reader, row: queries.PersonRow, person: Person) -> FoundPerson:
    return FoundPerson(
        person=member(person),
        job_title=row.job_title,
        is_active=row.is_active,
        assigned=row.assigned,
        completed=row.completed,
        past_due=row.past_due,
        exempt=row.exempt,
        oldest_due_date=row.oldest_due_at,
        days_past_due=days_past_due(row.oldest_due_at, reader.now, reader.account.zone) if row.oldest_due_at else None,
        last_activity=row.last_activity_at,
        risk_score=row.risk_score,
        link=reader.about(reverse("person", args=[row.person_id])).link,
    )
