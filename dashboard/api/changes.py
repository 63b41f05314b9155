"""GET /changes."""

from datetime import datetime
from typing import Any, Literal

from django.db.models import BigIntegerField, Case, CharField, F, OuterRef, Subquery, Value, When
from ninja import Query, Router
from pydantic import Field as Parameter

from dashboard.access import Scope
from dashboard.api.answers import Rows
from dashboard.api.calls import Call, fields_of, view_of
from dashboard.api.parameters import DAY_OR_MOMENT, Id, Listed, Name, moment
from dashboard.api.rows import page_of
from dashboard.queries.fields import Field, Kind
from sync.models import Change

router = Router(tags=["Sync"])
_SUBJECTS = {subject: subject.name.lower() for subject in Change.Subject}
_WORDS = {word: subject.label for subject, word in _SUBJECTS.items()}

FIELDS = (
    Field("change_id", Kind.INTEGER, "Rollcall's number of the change; later ones are larger.", 90412),
    Field("run_id", Kind.INTEGER, "The sync that found it.", 312),
    Field("observed_at", Kind.MOMENT, "When that sync was published.", "2026-11-23T06:00:00Z"),
    Field("subject", Kind.CHOICE, "What kind of thing changed.", "enrollment", words=_WORDS),
    Field("subject_id", Kind.INTEGER, "KnowBe4's id of it; null where it has none.", 450100001, True),
    Field("field", Kind.TEXT, "Which field of Rollcall's mirror.", "reported_status"),
    Field("old", Kind.TEXT, "The value before, as text; null for none.", "In Progress", True),
    Field("new", Kind.TEXT, "The value after, as text; null for none.", "Passed", True),
)


class ChangesAsked(Listed):
    """Parameters of the list of changes."""

    run: Id | Literal[""] = Parameter("", description="The number of one sync.", examples=[""])
    subject: Literal["person", "campaign", "enrollment", "content", "group", "phishing_test", ""] = Parameter(
        "", description="What kind of thing changed."
    )
    field: Name = Parameter("", description="Which field of the mirror.", examples=["reported_status"])
    since: str = Parameter(
        "",
        max_length=40,
        description="A moment, or a day of the past, whose end is meant: only what was seen later.",
        examples=["2026-09-30"],
        json_schema_extra=DAY_OR_MOMENT,
    )


@router.get("/changes", url_name="api_changes", operation_id="list_changes", summary="Changes")
@view_of("GET /changes", tells_of_people=True)
def changes(call: Call, asked: Query[ChangesAsked]) -> Rows:
    """List what syncs found changed about what is in scope, field by field, in the order of their finding."""
    found = call.scope.changes()
    if asked.run != "":
        found = found.filter(run=asked.run)
    if asked.subject:
        found = found.filter(subject=Change.Subject[asked.subject.upper()])
    if asked.field:
        found = found.filter(field=asked.field)
    if asked.since:
        found = found.filter(observed_at__gt=_since(asked.since, call))
    return page_of(call, found, _expressions(call.scope), fields_of(FIELDS, asked), asked)


def _since(text: str, call: Call) -> datetime:
    return moment(text, call.account, now=call.now, parameter="since")[0]


def _expressions(scope: Scope) -> dict[str, Any]:
    about = Change.Subject
    sources: dict[Any, Any] = {
        about.PERSON: scope.people(),
        about.CAMPAIGN: scope.campaigns(),
        about.ENROLLMENT: scope.enrollments(),
        about.CONTENT: scope.content(),
        about.GROUP: scope.groups(),
        about.PHISHING_TEST: scope.phishing_tests(),
    }
    ids = (
        When(subject=subject, then=Subquery(rows.filter(pk=OuterRef("subject_id")).values("knowbe4_id")[:1]))
        for subject, rows in sources.items()
    )
    words = (When(subject=subject, then=Value(word)) for subject, word in _SUBJECTS.items())
    return {
        **{name: F(name) for name in ("run_id", "observed_at", "field", "old", "new")},
        "change_id": F("pk"),
        "subject": Case(*words, output_field=CharField()),
        "subject_id": Case(*ids, output_field=BigIntegerField()),
    }
