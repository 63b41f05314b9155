"""GET /enrollments and /enrollments/{enrollment_id}."""

from typing import Any, Literal

from django.db import connection
from ninja import Query, Router
from psycopg.types.datetime import TimestamptzLoader
from pydantic import Field as Parameter

from dashboard.api.answers import One, Rows
from dashboard.api.calls import Call, fields_of, view_of
from dashboard.api.parameters import About, AsOf, Id, Listed, Shown, filters
from dashboard.queries.fields import ENROLLMENTS, Field, of_api
from dashboard.queries.paged.enrollments import enrollment_page
from dashboard.web.problems import Problem

router = Router(tags=["Training"])

FIELDS = of_api(ENROLLMENTS)


class EnrollmentsAsked(About, AsOf, Listed):
    """Parameters of the list of enrollments."""

    person: Id | Literal[""] = Parameter("", description="KnowBe4's id of a user.", examples=[""])
    exempt: Literal["include", "exclude", "only"] = Parameter(
        "include", description="Those under an approved exemption. Without them rows add up to net figures."
    )
    uncounted: bool = Parameter(
        False,
        description="Also what no figure counts: optional campaigns, people who left, unknown statuses. "
        "`is_counted` then stands beside `state`, whichever fields are chosen.",
    )


class EnrollmentAsked(AsOf, Shown):
    """Parameters of one enrollment."""


@router.get("/enrollments", url_name="api_enrollments", operation_id="list_enrollments", summary="Enrollments")
@view_of("GET /enrollments", tells_of_people=True)
def enrollments(call: Call, asked: Query[EnrollmentsAsked]) -> Rows:
    """List enrollments of people in scope: without `uncounted` exactly those that figures count at the moment."""
    fields = _counted_beside_state(fields_of(FIELDS, asked)) if asked.uncounted else fields_of(FIELDS, asked)
    found, _words = filters(call.scope, asked)
    place = call.place(asked)
    select_query = enrollment_page(
        call.scope,
        as_of=call.as_of,
        after=place.after,
        limit=asked.limit + 1,
        filters=found,
        person=_person(call, asked.person) if asked.person != "" else None,
        with_uncounted=asked.uncounted,
        is_exempt={"include": None, "exclude": False, "only": True}[asked.exempt],
    )
    return call.page(fields, read(select_query, fields), asked.limit)


@router.get(
    "/enrollments/{int:enrollment_id}",
    url_name="api_enrollment",
    operation_id="get_enrollment",
    summary="One enrollment",
)
@view_of("GET /enrollments/{enrollment_id}", tells_of_people=True)
def enrollment(call: Call, enrollment_id: int, asked: Query[EnrollmentAsked]) -> One:
    """Return one enrollment by KnowBe4's id, whether or not figures count it."""
    fields = _counted_beside_state(fields_of(FIELDS, asked))
    key = call.scope.enrollments().filter(knowbe4_id=enrollment_id).values_list("pk", flat=True).first()
    rows = []
    if key is not None:
        select_query = enrollment_page(
            call.scope, as_of=call.as_of, after=key - 1, limit=1, only=key, with_uncounted=True
        )
        rows = read(select_query, fields)
    if not rows:
        raise Problem(404, "Enrollment not found")
    return One(fields, rows[0][:-1])


def _counted_beside_state(fields: list[Field]) -> list[Field]:
    """Return the fields, with `is_counted` where there is `state`: what no figure counts can be past due, too."""
    names = {field.name for field in fields}
    wanted = names | {"is_counted"} if "state" in names else names
    return [field for field in FIELDS if field.name in wanted]


def _person(call: Call, knowbe4_id: int) -> int:
    """Return our key of a person in scope; Problem 400 for any other, as for every filter."""
    key = call.scope.people().filter(knowbe4_id=knowbe4_id).values_list("pk", flat=True).first()
    if key is None:
        raise Problem(400, f"There is no person {knowbe4_id}.", parameter="person")
    return key


def read(select_query: Any, fields: list[Field]) -> list[tuple[Any, ...]]:
    """Return the rows of a page with these fields, and the key as the last value; none without a query."""
    if select_query is None:
        return []
    connection.ensure_connection()
    with connection.connection.cursor() as cursor:
        # The driver's own reading of moments: Django's, in Python, takes half the time of a page of a thousand rows.
        cursor.adapters.register_loader("timestamptz", TimestamptzLoader)
        cursor.execute(select_query.select([*(field.name for field in fields), "key"]), select_query.values)
        return cursor.fetchall()
