"""GET /phishing-tests and /phishing-results."""

from dataclasses import replace
from typing import Any, Literal

from django.db.models import F, FloatField, Value
from ninja import Query, Router
from pydantic import Field as Parameter

from dashboard.access import Scope
from dashboard.api.answers import Rows
from dashboard.api.calls import Call, fields_of, view_of
from dashboard.api.parameters import Id, Listed
from dashboard.api.rows import number_of, page_of
from dashboard.queries.fields import Field, Kind
from dashboard.queries.fields.field import OWN_WORD
from dashboard.queries.fields.people import of_person
from dashboard.web.problems import Problem
from sync.models import PhishingResult

router = Router(tags=["Phishing"])

# KnowBe4's counts, and the moment in a result that each counts; `scheduled` is every result.
_COUNTS = {
    "scheduled": "",
    "delivered": "delivered_at",
    "opened": "opened_at",
    "clicked": "clicked_at",
    "replied": "replied_at",
    "attachment_open": "attachment_opened_at",
    "macro_enabled": "macro_enabled_at",
    "data_entered": "data_entered_at",
    "qr_code_scanned": "qr_code_scanned_at",
    "reported": "reported_at",
    "bounced": "bounced_at",
}
_OWN = "for who does not see everyone, of people in scope"
TESTS = (
    Field("test_id", Kind.INTEGER, "KnowBe4's id of the phishing security test (pst_id).", 509),
    Field("campaign_id", Kind.INTEGER, "KnowBe4's id of the phishing campaign.", 4711, True),
    Field("name", Kind.TEXT, "Its name.", "October parcel notice"),
    Field("reported_status", Kind.TEXT, OWN_WORD, "Closed"),
    Field("started_at", Kind.MOMENT, "When it started.", "2026-10-05T07:00:00Z", True),
    Field("duration", Kind.INTEGER, "Days.", 3, True),
    Field("template", Kind.TEXT, "The name of the template.", "Parcel held"),
    Field(
        "phish_prone_percentage",
        Kind.NUMBER,
        "KnowBe4's figure of everybody, as it gives it: 0.277 is 27.7 %. Null for who does not see everyone.",
        0.041,
        True,
    ),
    *(
        Field(f"{name}_count", Kind.INTEGER, f"KnowBe4's own count; {_OWN}: {name.replace('_', ' ')}.", 12, True)
        for name in _COUNTS
    ),
)
_MOMENTS = {
    "delivered_at": "When it was delivered.",
    "opened_at": "When it was opened.",
    "clicked_at": "When they clicked.",
    "replied_at": "When they replied.",
    "attachment_opened_at": "When they opened the attachment.",
    "macro_enabled_at": "When they allowed its macro.",
    "data_entered_at": "When they entered data.",
    "qr_code_scanned_at": "When they scanned its code.",
    "reported_at": "When they reported it.",
    "bounced_at": "When it came back.",
    "failed_at": "The first of clicked, replied, attachment opened, macro allowed, data entered and code scanned.",
}
RESULTS = (
    Field("recipient_id", Kind.INTEGER, "KnowBe4's id of the recipient, unique within a test.", 149800001),
    Field("test_id", Kind.INTEGER, "KnowBe4's id of the phishing security test (pst_id).", 509),
    Field("test", Kind.TEXT, "Its name.", "October parcel notice"),
    replace(of_person("person_knowbe4_id"), name="person_id"),
    of_person("email"),
    *(Field(name, Kind.MOMENT, about, None, True) for name, about in _MOMENTS.items()),
)
_TESTS: dict[str, Any] = {
    **{field.name: F(field.name) for field in TESTS},
    "test_id": F("knowbe4_id"),
    "campaign_id": F("campaign__knowbe4_id"),
    "template": F("template_name"),
}
_RESULTS: dict[str, Any] = {
    **{name: F(name) for name in _MOMENTS},
    "recipient_id": F("knowbe4_id"),
    "test_id": F("test__knowbe4_id"),
    "test": F("test__name"),
    "person_id": F("person__knowbe4_id"),
    "email": F("person__email"),
}


class TestsAsked(Listed):
    """Parameters of the list of phishing tests."""

    __test__ = False


class ResultsAsked(Listed):
    """Parameters of the list of results."""

    test: Id | Literal[""] = Parameter("", description="KnowBe4's id of a phishing security test.", examples=[""])
    person: Id | Literal[""] = Parameter("", description="KnowBe4's id of a user.", examples=[""])
    failed: bool | Literal[""] = Parameter(
        "", description="Only who failed the test, or only who did not.", examples=[""]
    )


@router.get("/phishing-tests", url_name="api_phishing_tests", operation_id="list_phishing_tests", summary="Tests")
@view_of("GET /phishing-tests")
def phishing_tests(call: Call, asked: Query[TestsAsked]) -> Rows:
    """List the phishing security tests that people in scope were sent, with their counts, as of the last sync."""
    found = call.scope.phishing_tests().filter(removed_at__isnull=True)
    shown = _TESTS if call.scope.sees_everyone else {**_TESTS, **_own_counts(call.scope)}
    return page_of(call, found, shown, fields_of(TESTS, asked), asked)


@router.get(
    "/phishing-results", url_name="api_phishing_results", operation_id="list_phishing_results", summary="Results"
)
@view_of("GET /phishing-results", tells_of_people=True)
def phishing_results(call: Call, asked: Query[ResultsAsked]) -> Rows:
    """List what people in scope did with phishing tests, as of the last sync."""
    found = call.scope.phishing_results()
    if asked.test != "":
        test = call.scope.phishing_tests().filter(knowbe4_id=asked.test).first()
        if test is None:
            raise Problem(400, f"There is no phishing test {asked.test}.", parameter="test")
        found = found.filter(test=test)
    if asked.person != "":
        person = call.scope.people().filter(knowbe4_id=asked.person).first()
        if person is None:
            raise Problem(400, f"There is no person {asked.person}.", parameter="person")
        found = found.filter(person=person)
    if asked.failed != "":
        found = found.filter(failed_at__isnull=not asked.failed)
    return page_of(call, found, _RESULTS, fields_of(RESULTS, asked), asked)


def _own_counts(scope: Scope) -> dict[str, Any]:
    """Return what stands in the place of KnowBe4's figures of everybody for who sees some people."""
    results = scope.counted(PhishingResult.objects.all())
    counts = {
        f"{name}_count": number_of(results.filter(**({f"{moment}__isnull": False} if moment else {})), "test")
        for name, moment in _COUNTS.items()
    }
    return {**counts, "phish_prone_percentage": Value(None, FloatField())}
