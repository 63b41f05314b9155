"""Enrollments: who is to do what, and how far they are."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Literal

from django.db.models import BooleanField, ExpressionWrapper, QuerySet
from django.urls import reverse
from msgspec import Meta

from dashboard import metrics
from dashboard.figures.counts import figures
from dashboard.figures.selection import Filters
from dashboard.mcp.campaigns import campaign_of
from dashboard.mcp.reading import Reader, ToolError, listing
from dashboard.mcp.shapes import About, Arguments, Id, Listing, Member, Page, Shape, meaning
from dashboard.metrics import days_past_due
from dashboard.queries.enrollment_keys import enrollment_keys
from dashboard.queries.fields import CAMPAIGNS, ENROLLMENTS
from sync.models import Enrollment as EnrollmentRow
from sync.models import Person

PER_PAGE = 100
Status = Literal["not_started", "in_progress", "completed", "past_due"]


class Enrollment(Shape):
    """One person, one thing to do, one campaign."""

    enrollment_id: Annotated[int, meaning(ENROLLMENTS["knowbe4_id"])]
    content_type: str
    module_name: str
    user: Annotated[Member | None, Meta(description="null when KnowBe4 sent no user.")]
    campaign_id: int | None
    campaign_name: str | None
    enrollment_date: datetime
    start_date: datetime | None
    completion_date: datetime | None
    status: Annotated[Status, meaning(ENROLLMENTS["state"])]
    is_counted: Annotated[bool, meaning(ENROLLMENTS["counted"])]
    reported_status: Annotated[str, meaning(ENROLLMENTS["reported_status"])]
    time_spent: Annotated[int, meaning(ENROLLMENTS["time_spent"])]
    current_module: Annotated[None, Meta(description="KnowBe4's API does not tell it.")]
    policy_acknowledged: bool
    due_date: Annotated[datetime | None, meaning(ENROLLMENTS["due_at"])]
    due_source: Annotated[str, meaning(ENROLLMENTS["due_source"])]
    days_past_due: Annotated[int | None, meaning(ENROLLMENTS["days_past_due"])]


class Enrollments(Listing):
    """Enrollments of a campaign that count, exempt ones too, by their id."""

    about: About
    enrollments: list[Enrollment]


class OneEnrollment(Shape):
    """An enrollment."""

    about: About
    enrollment: Enrollment


class ListEnrollments(Arguments):
    """Choice of enrollments."""

    campaign_id: Annotated[Id, meaning(CAMPAIGNS["knowbe4_id"])]
    status: Annotated[Status | None, Meta(description="Only enrollments of this status.")] = None
    page: Page = 1


class GetEnrollment(Arguments):
    """Choice of an enrollment."""

    enrollment_id: Annotated[Id, meaning(ENROLLMENTS["knowbe4_id"])]


def list_enrollments(reader: Reader, asked: ListEnrollments) -> Enrollments:
    """List a campaign's enrollments, 100 on a page: who, what, status, dates and due date.

    Those that count are listed, of active people; exempt ones too. A campaign that is optional, excluded or cancelled
    has none.
    """
    campaign = campaign_of(reader, asked.campaign_id)
    wanted = Filters(campaigns=frozenset({campaign.pk}))
    measure = asked.status or "counted"
    totals = figures(reader.scope, as_of=reader.now, filters=wanted, with_people=False)
    keys = enrollment_keys(
        reader.scope, campaign, measure, as_of=reader.now, limit=PER_PAGE, offset=(asked.page - 1) * PER_PAGE
    )
    found = shown(reader.scope.enrollments().filter(pk__in=keys), reader).order_by("pk")
    return Enrollments(
        about=reader.about(reverse("campaign", args=[campaign.pk]), {"state": asked.status}),
        enrollments=told(reader, found),
        **listing(asked.page, PER_PAGE, getattr(totals.gross, measure)),
    )


def get_enrollment(reader: Reader, asked: GetEnrollment) -> OneEnrollment:
    """Get one enrollment by KnowBe4's id."""
    found = reader.scope.enrollments().filter(knowbe4_id=asked.enrollment_id, removed_at__isnull=True)
    row = shown(found, reader).first()
    if row is None:
        raise ToolError(
            404,
            "Enrollment not found",
            f"Verify enrollment_id exists: {asked.enrollment_id} is no enrollment in your scope.",
        )
    path = reverse("person", args=[row.person_id]) if row.person_id else reverse("people")
    return OneEnrollment(about=reader.about(path), enrollment=told(reader, [row])[0])


def shown(rows: QuerySet[EnrollmentRow], reader: Reader) -> QuerySet[EnrollmentRow]:
    """Return enrollments with everything that `told` tells of them."""
    is_counted = ExpressionWrapper(metrics.counted(reader.now), output_field=BooleanField())
    return rows.annotate(state=metrics.state(reader.now), is_counted=is_counted).select_related(
        "content", "campaign", "person__department__merged_into", "person__manager"
    )


def told(reader: Reader, rows: Iterable[EnrollmentRow]) -> list[Enrollment]:
    """Return enrollments as they are told."""
    return [_enrollment(reader, row) for row in rows]


def member(person: Person) -> Member:
    """Return a person as they are told, with their department and manager of now."""
    home = person.department and (person.department.merged_into or person.department)
    above = person.manager if person.manager_id and person.manager else None
    return Member(
        id=person.knowbe4_id,
        first_name=person.first_name,
        last_name=person.last_name,
        email=person.email,
        department=home.name if home and home.key else "",
        manager=str(above) if above else person.manager_name.strip(),
        manager_email=above.email if above else person.manager_email,
    )


def _enrollment(reader: Reader, row: EnrollmentRow) -> Enrollment:
    status: Status = row.state  # type: ignore[attr-defined]  # annotated
    return Enrollment(
        enrollment_id=row.knowbe4_id,
        content_type=row.content.content_type,
        module_name=row.content.name,
        user=member(row.person) if row.person_id and row.person else None,
        campaign_id=row.campaign.knowbe4_id if row.campaign else None,
        campaign_name=row.campaign.name if row.campaign else None,
        enrollment_date=row.enrolled_at,
        start_date=row.started_at,
        completion_date=row.completed_at,
        status=status,
        is_counted=bool(row.is_counted),  # type: ignore[attr-defined]  # annotated
        reported_status=row.reported_status,
        time_spent=row.time_spent,
        current_module=None,
        policy_acknowledged=row.policy_acknowledged,
        due_date=row.due_at,
        due_source=row.due_source,
        days_past_due=days_past_due(row.due_at, reader.now, reader.account.zone)
        if status == "past_due" and row.due_at
        else None,
    )
