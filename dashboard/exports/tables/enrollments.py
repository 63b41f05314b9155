"""Lists of enrollments: behind any count, those past due, and the people of one campaign."""

from dataclasses import replace
from typing import Any

from django.core.exceptions import BadRequest
from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dashboard.exports.columns import column, columns, others
from dashboard.exports.table_request import Answer, Question, Table
from dashboard.exports.tables.people import KNOWBE4_PERSON_ID, PERSON_ID, WHO
from dashboard.exports.tables.words import filters_in_words
from dashboard.metrics.registry import REGISTRY
from dashboard.queries.campaign import Show
from dashboard.queries.campaigns import plans
from dashboard.queries.enrollment_list import EXEMPT, MEASURES, NOT_STARTED, enrollment_list, uncounted_list
from dashboard.queries.fields import ENROLLMENTS, Kind
from dashboard.requests.campaign import TABS, show_in

_CAMPAIGN, _CONTENT, _STATE = columns(ENROLLMENTS, "campaign", "content", "state")
_DUE = (column(ENROLLMENTS["due_at"], kind=Kind.DAY), *columns(ENROLLMENTS, "due_source", "days_past_due"))
_COURSE = columns(ENROLLMENTS, "late", "enrolled_at", "started_at", "completed_at")
_REST = (
    column(ENROLLMENTS["content_type"], kind=Kind.TEXT, is_default=False),
    column(ENROLLMENTS["original_due_at"], kind=Kind.DAY, is_default=False),
    *columns(ENROLLMENTS, "minutes", "score", "acknowledged", "exempt", "reported_status", is_default=False),
    KNOWBE4_PERSON_ID,
    PERSON_ID,
    *columns(ENROLLMENTS, "enrollment_id", "knowbe4_id", is_default=False),
)
_REST = (*_REST, *others(ENROLLMENTS, (*WHO, _CAMPAIGN, _CONTENT, _STATE, *_DUE, *_COURSE, *_REST)))
_MEASURES = {
    EXEMPT: gettext_lazy("Exempt"),
    NOT_STARTED: gettext_lazy("Not started"),
    "due": gettext_lazy("Due by then"),
    "on_time": gettext_lazy("Completed on time"),
    "unknown_due": gettext_lazy("Due date unknown"),
    "policies": gettext_lazy("Policies"),
    "acknowledged": gettext_lazy("Acknowledged or completed policies"),
}
_LISTS = {
    Show.ALL: "counted",
    Show.PAST_DUE: "past_due",
    Show.NOT_STARTED: NOT_STARTED,
    Show.IN_PROGRESS: "in_progress",
    Show.COMPLETED: "completed",
    Show.LATE: "completed_late",
    Show.EXEMPT: EXEMPT,
}


def measure_in_words(measure: str) -> str:
    """Return the name of a count of enrollments."""
    return str(_MEASURES[measure] if measure in _MEASURES else REGISTRY[measure].title)


def _of_measure(question: Question, measure: str, more: Any = ()) -> Answer:
    is_gross = question.GET.get("gross") == "1"
    found = enrollment_list(question.scope, measure, **question.numbers, gross=is_gross)
    if found is None:
        return Answer(0)
    with_exempt = _("Counted too") if is_gross else ""
    return Answer(
        found.count,
        found.select_query,
        order=_("By completion, the latest first") if "c DESC" in found.select_query.order else _("By due date"),
        filters=filters_in_words(question, more=[*more, (_("What is exempt"), with_exempt)]),
    )


def _enrollments(question: Question) -> Answer:
    """Answer for the rows behind a count: `measure` names it."""
    measure = question.GET.get("measure") or "counted"
    if measure not in MEASURES:
        raise BadRequest("measure is not one of the counts")
    return _of_measure(question, measure, [(_("Enrollments"), measure_in_words(measure))])


def _past_due(question: Question) -> Answer:
    """Answer for every enrollment past due, as the Past due page's filters select them."""
    return _of_measure(question, "past_due")


def _campaign_people(question: Question) -> Answer:
    """Answer for a campaign's page: `campaign` names it, `state` or `show` the list. Http404 for any but one's own."""
    chosen = question.asked.filters.campaigns
    if len(chosen) != 1:
        raise BadRequest("one campaign at a time")
    found = plans(question.scope.campaigns().filter(pk__in=chosen), as_of=question.as_of)
    if not found:
        raise Http404
    plan, show = found[0], show_in(question.request)
    if plan.is_counted:
        label = TABS[show]
        answer = _of_list(question, _LISTS[show], [(_("List"), label)])
    else:
        rows = uncounted_list(question.scope, plan.campaign, as_of=question.as_of)
        answer = Answer(0) if rows is None else Answer(rows.count, rows.select_query, order=_("By enrollment"))
    return Answer(
        answer.count, answer.select_query, order=answer.order, filters=answer.filters, subject=str(plan.campaign)
    )


def _of_list(question: Question, measure: str, more: Any) -> Answer:
    """Answer for one list of a campaign: a state in the address is the list's own, and no filter beside it."""
    query = question.GET.copy()
    query.pop("state", None)
    return _of_measure(replace(question, GET=query), measure, more)


ALL_ENROLLMENTS = Table(
    "enrollments",
    gettext_lazy("Enrollments"),
    (*WHO, _CAMPAIGN, _CONTENT, _STATE, *_DUE, *_COURSE, *_REST),
    _enrollments,
    page="overview",
    terms=("counted", "completed", "completed_late", "past_due", "in_progress", "not_started"),
)
PAST_DUE_ENROLLMENTS = Table(
    "past_due_enrollments",
    gettext_lazy("Enrollments past due"),
    (*WHO, _CAMPAIGN, _CONTENT, *_DUE, *_COURSE[1:3], *_REST),
    _past_due,
    page="past_due",
    terms=("past_due", "people_past_due"),
)
CAMPAIGN_PEOPLE = Table(
    "campaign_people",
    gettext_lazy("People of a campaign"),
    (*WHO, _CONTENT, _STATE, *_COURSE, *_DUE, _CAMPAIGN, *_REST),
    _campaign_people,
    page="campaigns",
    terms=("counted", "completed", "completed_late", "past_due", "in_progress", "not_started"),
)
