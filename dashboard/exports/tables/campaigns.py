"""The list of campaigns, with the figures of each."""

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dashboard.exports.columns import Column, column, columns, others
from dashboard.exports.table_request import Answer, Question, Table
from dashboard.exports.tables.people import order_in_words
from dashboard.exports.tables.words import filters_in_words
from dashboard.metrics import Requirement
from dashboard.queries import campaigns as queries
from dashboard.queries.campaigns import CampaignRow, Sort
from dashboard.queries.fields import CAMPAIGNS, Kind
from dashboard.requests import campaigns as asked
from dashboard.requests.fields import search_in
from dashboard.wording.campaign import audience_words, content_words, state_words, trigger_words

_ORDERS = {
    Sort.STATE: gettext_lazy("state"),
    Sort.NAME: gettext_lazy("name"),
    Sort.DEADLINE: gettext_lazy("deadline"),
    Sort.COUNTED: gettext_lazy("enrolled"),
    Sort.COMPLETION: gettext_lazy("completion rate"),
    Sort.ON_TIME: gettext_lazy("on-time rate"),
    Sort.PAST_DUE: gettext_lazy("number past due"),
}


def _campaigns(question: Question) -> Answer:
    """Answer for the Campaigns page, with its search and requirement."""
    order, name = asked.order_of_campaigns(question.request), search_in(question.request)
    requirement = asked.requirement_in(question.request)
    every = queries.campaigns(question.scope, **question.numbers)
    rows = queries.ordered(
        queries.narrowed(every, question.asked.filters, requirements=requirement, name=name),
        order.by,
        is_descending=order.is_descending,
    )
    more = [
        (_("Name"), name),
        (_("Requirement"), ", ".join(str(Requirement(one).label) for one in sorted(requirement))),
    ]
    return Answer(
        len(rows),
        rows=lambda: rows,
        order=order_in_words(_ORDERS, order),
        filters=filters_in_words(question, more=more),
    )


def _in_words(name: str, of: Callable[[CampaignRow], Any], width: int, *, is_default: bool = True) -> Column:
    """Return a column that pages and files tell in a sentence's words."""
    return column(CAMPAIGNS[name], kind=Kind.TEXT, of=of, width=width, is_default=is_default)


_COLUMNS = (
    _in_words("campaign", lambda row: str(row.campaign), 40),
    _in_words("state", lambda row: state_words(row.plan), 16),
    _in_words("requirement", lambda row: row.plan.requirement.label, 14),
    *(column(CAMPAIGNS[name], kind=Kind.DAY) for name in ("start_at", "deadline")),
    _in_words(
        "relative_duration",
        lambda row: row.campaign.relative_duration if row.plan.is_rolling else "",
        0,
        is_default=False,
    ),
    _in_words("trigger", lambda row: trigger_words(row.plan), 20),
    _in_words("audience", lambda row: audience_words(row.plan), 30),
    _in_words("content", lambda row: content_words(row.plan, is_short=True), 30),
    *columns(CAMPAIGNS, "counted", "completed", "completed_late"),
    *columns(CAMPAIGNS, "in_progress", "not_started", is_default=False),
    *columns(CAMPAIGNS, "past_due", "exempt", "completion_rate", "on_time_rate"),
    *columns(CAMPAIGNS, "campaign_id", "knowbe4_id", is_default=False),
)
ALL_CAMPAIGNS = Table(
    "campaigns",
    gettext_lazy("Campaigns"),
    (*_COLUMNS, *others(CAMPAIGNS, _COLUMNS)),
    _campaigns,
    page="campaigns",
    terms=("counted", "completed", "completed_late", "past_due", "completion_rate", "on_time_rate"),
)
