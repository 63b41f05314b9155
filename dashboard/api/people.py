"""GET /people and /people/{person_id}."""

from ninja import Query, Router
from pydantic import Field as Parameter

from dashboard.api.answers import One, Rows
from dashboard.api.calls import Call, fields_of, view_of
from dashboard.api.enrollments import read
from dashboard.api.fields import Field, Kind
from dashboard.api.parameters import AboutPeople, AsOf, Listed, Shown, filters
from dashboard.queries.paged.people import people_page
from dashboard.queries.people import Status
from dashboard.web.problems import Problem
from sync.models.people import PersonStatus

router = Router(tags=["People"])

FIELDS = (
    Field("person_id", Kind.INTEGER, "KnowBe4's id of the user.", 33100001),
    Field("first_name", Kind.TEXT, "First name.", "Ada"),
    Field("last_name", Kind.TEXT, "Last name.", "Marsh"),
    Field("email", Kind.TEXT, "Email.", "ada.marsh@brackwater.example"),
    Field("employee_number", Kind.TEXT, "Employee number, empty without one.", "10042"),
    Field("job_title", Kind.TEXT, "Job title.", "Claims handler"),
    Field("department", Kind.TEXT, "The department as figures count it; null for none.", "Claims", True),
    Field("location", Kind.TEXT, "Location.", "Bremen"),
    Field("division", Kind.TEXT, "Division.", "Operations"),
    Field("organization", Kind.TEXT, "Organization.", "Brackwater Mutual"),
    Field("manager", Kind.TEXT, "The manager's name as KnowBe4 has it.", "Rosa Okafor", True),
    Field("manager_email", Kind.TEXT, "The manager's email as KnowBe4 has it.", "rosa.okafor@brackwater.example", True),
    Field("is_active", Kind.BOOLEAN, "Active at the moment.", True),
    Field("reported_status", Kind.TEXT, "What KnowBe4 says now.", "active", words=tuple(PersonStatus.values)),
    Field("joined_at", Kind.MOMENT, "When they joined, as far as KnowBe4 says.", "2023-02-01T00:00:00Z", True),
    Field("left_at", Kind.MOMENT, "When they left; null for who is active, or left at an unknown moment.", None, True),
    Field("last_sign_in_at", Kind.MOMENT, "Their last sign-in to KnowBe4.", "2026-11-02T09:12:00Z", True),
    Field("assigned", Kind.INTEGER, "Enrollments that count at the moment, net of exemptions.", 7),
    Field("completed", Kind.INTEGER, "Of these, completed.", 5),
    Field("in_progress", Kind.INTEGER, "Of these, started, neither completed nor past due.", 1),
    Field("past_due", Kind.INTEGER, "Of these, past due.", 1),
    Field("exempt", Kind.INTEGER, "Enrollments under an approved exemption.", 0),
    Field("oldest_due_at", Kind.MOMENT, "The oldest due date of what is past due.", "2026-10-01T21:59:00Z", True),
    Field("last_activity_at", Kind.MOMENT, "When they last began or completed anything that counts.",
          "2026-11-02T09:40:00Z", True),
    Field("risk_score", Kind.NUMBER, "KnowBe4's risk score of the last sync.", 31.4, True),
    Field("phish_prone_percentage", Kind.NUMBER, "KnowBe4's figure of the last sync, in percent.", 14.2, True),
)  # fmt: skip


class PeopleAsked(AboutPeople, AsOf, Listed):
    """Parameters of the list of people."""

    status: Status = Parameter(Status.ACTIVE, description="Active at the moment, left by then, or any.")


class PersonAsked(AsOf, Shown):
    """Parameters of one person."""


@router.get("/people", url_name="api_people", operation_id="list_people", summary="People")
@view_of("GET /people", tells_of_people=True)
def people(call: Call, asked: Query[PeopleAsked]) -> Rows:
    """List the people in scope, each with where they stand at the moment."""
    fields = fields_of(FIELDS, asked)
    found, _words = filters(call.scope, asked)
    place = call.place(asked)
    select_query = people_page(
        call.scope, as_of=call.as_of, after=place.after, limit=asked.limit + 1, filters=found, status=asked.status
    )
    return call.page(fields, read(select_query, fields), asked.limit)


@router.get("/people/{int:person_id}", url_name="api_person", operation_id="get_person", summary="One person")
@view_of("GET /people/{person_id}", tells_of_people=True)
def person(call: Call, person_id: int, asked: Query[PersonAsked]) -> One:
    """Return one person by KnowBe4's id; what they are enrolled in is /enrollments?person=..."""
    fields = fields_of(FIELDS, asked)
    key = call.scope.people().filter(knowbe4_id=person_id).values_list("pk", flat=True).first()
    rows = []
    if key is not None:
        select_query = people_page(call.scope, as_of=call.as_of, after=key - 1, limit=1, only=key, status=Status.ANY)
        rows = read(select_query, fields)
    if not rows:
        raise Problem(404, "Person not found")
    return One(fields, rows[0][:-1])
