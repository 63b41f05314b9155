"""GET /people and /people/{person_id}."""

from ninja import Query, Router
from pydantic import Field as Parameter

from dashboard.api.answers import One, Rows
from dashboard.api.calls import Call, fields_of, view_of
from dashboard.api.enrollments import read
from dashboard.api.parameters import AboutPeople, AsOf, Listed, Shown, filters
from dashboard.queries.fields import PEOPLE, of_api
from dashboard.queries.paged.people import people_page
from dashboard.queries.people import Status
from dashboard.web.problems import Problem

router = Router(tags=["People"])

FIELDS = of_api(PEOPLE)


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
