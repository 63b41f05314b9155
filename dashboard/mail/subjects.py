"""Subject of a schedule: the filters it asks with, and whether anybody is left in what they name."""

from django.core.exceptions import BadRequest
from django.http import QueryDict
from django.utils import timezone

from dashboard import reports
from dashboard.access import Scope
from dashboard.exports.table_request import Question
from dashboard.models import Schedule
from dashboard.queries.vacancies import vacancies_of


def query_of(schedule: Schedule) -> str:
    """Return the filters of a schedule as an address has them; those of a PDF are what it is about."""
    if schedule.content != Schedule.Content.REPORT:
        return schedule.query
    names = {reports.Kind.DEPARTMENT.value: "department", reports.Kind.CAMPAIGN.value: "campaign"}
    is_about = schedule.what in names and schedule.subject_id
    return f"{names[schedule.what]}={schedule.subject_id}" if is_about else ""


def nobody_left(schedule: Schedule, scope: Scope) -> tuple[str, ...]:
    """Return, as sentences, that a schedule is about a department, group, campaign or manager with nobody left.

    `scope` is of whoever is told: nothing is said of what is not in it.
    Nothing while anybody is left in each of its filters, and for filters that cannot be any: its mail says so.
    """
    query = query_of(schedule)
    if not query:
        return ()
    moment = timezone.now()
    try:
        filters = Question(scope, QueryDict(query), moment, moment).asked.filters
    except BadRequest:
        return ()
    found = vacancies_of(scope, filters)
    return found.sentences if found.is_total else ()
