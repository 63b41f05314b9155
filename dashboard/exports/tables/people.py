"""Lists of people: everyone on the People page, and everyone past due."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dashboard.exports.columns import Column, column, columns, others
from dashboard.exports.table_request import Answer, Question, Table
from dashboard.exports.tables.words import filters_in_words
from dashboard.metrics import Age
from dashboard.queries import people as people_queries
from dashboard.queries.fields import ENROLLMENTS, PEOPLE, Kind
from dashboard.queries.past_due import Sort
from dashboard.queries.past_due_groups import PastDue
from dashboard.queries.people_lists import past_due_query, people_query
from dashboard.requests import past_due as past_due_request
from dashboard.requests import people as people_request
from dashboard.requests.sorting import Order
from dashboard.wording.past_due import ages_in_words

# What every list of people begins with.
WHO = (
    *columns(PEOPLE, "person", "email"),
    *columns(PEOPLE, "employee_number", "job_title", "location", "division", is_default=False),
    *columns(PEOPLE, "department", "manager", "manager_email"),
)
KNOWBE4_PERSON_ID = column(PEOPLE["person_knowbe4_id"])
PERSON_ID = column(PEOPLE["person_id"], is_default=False)
_OLDEST = (column(PEOPLE["oldest_due_at"], kind=Kind.DAY), column(PEOPLE["days_past_due"]))

_LATE_ORDERS = {
    Sort.DAYS: gettext_lazy("days past due"),
    Sort.ITEMS: gettext_lazy("number past due"),
    Sort.PERSON: gettext_lazy("name"),
    Sort.DEPARTMENT: gettext_lazy("department"),
    Sort.MANAGER: gettext_lazy("manager"),
    Sort.ACTIVITY: gettext_lazy("last activity"),
}
_ORDERS = {
    people_queries.Sort.PERSON: gettext_lazy("name"),
    people_queries.Sort.DEPARTMENT: gettext_lazy("department"),
    people_queries.Sort.MANAGER: gettext_lazy("manager"),
    people_queries.Sort.ASSIGNED: gettext_lazy("assigned"),
    people_queries.Sort.COMPLETED: gettext_lazy("completed"),
    people_queries.Sort.PAST_DUE: gettext_lazy("number past due"),
    people_queries.Sort.ACTIVITY: gettext_lazy("last activity"),
    people_queries.Sort.RISK: gettext_lazy("risk score"),
}


def order_in_words(words: Mapping[Any, Any], order: Order[Any]) -> str:
    """Say by what a list is ordered, in these words, and which way."""
    what = {"what": str(words[order.by])}
    return _("By %(what)s, descending") % what if order.is_descending else _("By %(what)s") % what


def _past_due(question: Question) -> Answer:
    """Answer for the Past due page: one row per person; only the chosen ones where the address names people."""
    view = past_due_request.view_of(question.GET, question.asked.filters)
    chosen = past_due_request.people_asked_for(question.GET)
    asking = PastDue.ask(question.scope, ages=() if chosen else view.ages, **question.numbers)
    select_query = past_due_query(asking, view.order.by, is_descending=view.order.is_descending, only=chosen)
    found = asking.spread().people
    if chosen and select_query is not None:
        found = select_query.count()
    more = [(_("Past due for"), ages_in_words(view.ages) if view.ages and view.ages != set(Age) else "")]
    if chosen:
        more = [(_("People"), _("%(n)s chosen one by one") % {"n": len(chosen)})]
    return Answer(
        found,
        select_query,
        order=order_in_words(_LATE_ORDERS, view.order),
        filters=filters_in_words(question, more=more),
    )


PAST_DUE_PEOPLE = Table(
    "past_due",
    gettext_lazy("People past due"),
    (
        *WHO,
        column(PEOPLE["past_due"], key="items"),
        Column("campaign", gettext_lazy("Campaign past due for longest"), width=32),
        _OLDEST[0],
        column(ENROLLMENTS["due_source"]),
        _OLDEST[1],
        column(PEOPLE["last_activity_at"]),
        KNOWBE4_PERSON_ID,
        PERSON_ID,
    ),
    _past_due,
    page="past_due",
    terms=("people_past_due", "past_due"),
)


def _people(question: Question) -> Answer:
    """Answer for the People page, with its search, status and standing."""
    wanted = people_request.wanted_in(question.request)
    order = people_request.order_of_people(question.request)
    found = people_queries.listing(
        question.scope, **question.numbers, wanted=wanted, sort=order.by, is_descending=order.is_descending
    )
    more = [
        (_("Search"), " ".join(wanted.words)),
        (_("Status"), people_request.STATUSES[wanted.status]),
        (_("Standing"), people_request.STATUS_GROUPS[wanted.standing] if wanted.standing else ""),
    ]
    if found is None:
        return Answer(0)
    return Answer(
        found[2],
        people_query(found, people_queries.bare_names(question.scope, **question.numbers)),
        order=order_in_words(_ORDERS, order),
        filters=filters_in_words(question, more=more),
    )


_STANDING = (
    *WHO,
    column(PEOPLE["active"], is_default=False),
    *columns(PEOPLE, "assigned", "completed", "past_due"),
    column(PEOPLE["exempt"], is_default=False),
    *_OLDEST,
    *columns(PEOPLE, "last_activity_at", "risk_score"),
    KNOWBE4_PERSON_ID,
    PERSON_ID,
)
ALL_PEOPLE = Table(
    "people",
    gettext_lazy("People"),
    (*_STANDING, *others(PEOPLE, _STANDING)),
    _people,
    page="people",
    terms=("counted", "completed", "past_due"),
)
