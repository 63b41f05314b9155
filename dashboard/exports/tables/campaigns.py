"""The list of campaigns, with the figures of each."""

from typing import Any

from django.core.exceptions import BadRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dashboard.exports.columns import Column, Kind
from dashboard.exports.table_request import Answer, Question, Table
from dashboard.exports.tables.people import order_in_words
from dashboard.exports.tables.words import filters_in_words
from dashboard.metrics import Requirement
from dashboard.queries import campaigns as queries
from dashboard.queries.campaigns import CampaignRow, Sort
from dashboard.requests import campaigns as asked
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
    sort, is_descending = asked.sort_in(question.request)
    requirement, name = asked.requirement_in(question.request), question.GET.get("name", "").strip()
    if len(name) > asked.LONGEST_NAME:
        raise BadRequest("name is too long")
    every = queries.campaigns(question.scope, **question.numbers)
    rows = queries.ordered(
        queries.narrowed(every, question.asked.filters, requirements=requirement, name=name),
        sort,
        is_descending=is_descending,
    )
    more = [
        (_("Name"), name),
        (_("Requirement"), ", ".join(str(Requirement(one).label) for one in sorted(requirement))),
    ]
    return Answer(
        len(rows),
        rows=lambda: rows,
        order=order_in_words(str(_ORDERS[sort]), is_descending=is_descending),
        filters=filters_in_words(question, more=more),
    )


def _count(key: str, heading: Any, of: str, *, is_default: bool = True) -> Column:
    return Column(key, heading, Kind.INTEGER, is_default, lambda row: getattr(row.totals.net, of))


def _if_any(row: CampaignRow, value: Any) -> Any:
    """Leave a figure empty where nothing is counted, as the page does."""
    return value if row.totals.net.counted else None


CAMPAIGNS = Table(
    "campaigns",
    gettext_lazy("Campaigns"),
    (
        Column("campaign", gettext_lazy("Campaign"), of=lambda row: str(row.campaign), width=40),
        Column("state", gettext_lazy("State"), of=lambda row: state_words(row.plan), width=16),
        Column("requirement", gettext_lazy("Requirement"), of=lambda row: row.plan.requirement.label, width=14),
        Column("start_at", gettext_lazy("Start"), Kind.DAY, of=lambda row: row.campaign.start_at),
        Column("deadline", gettext_lazy("Deadline"), Kind.DAY, of=lambda row: row.plan.deadline),
        Column(
            "relative_duration",
            gettext_lazy("Time to complete"),
            is_default=False,
            of=lambda row: row.campaign.relative_duration if row.plan.is_rolling else "",
        ),
        Column("trigger", gettext_lazy("Trigger"), of=lambda row: trigger_words(row.plan), width=20),
        Column("audience", gettext_lazy("Audience"), of=lambda row: audience_words(row.plan), width=30),
        Column("content", gettext_lazy("Content"), of=lambda row: content_words(row.plan, is_short=True), width=30),
        _count("counted", gettext_lazy("Enrolled"), "counted"),
        _count("completed", gettext_lazy("Completed"), "completed"),
        _count("completed_late", gettext_lazy("Completed late"), "completed_late"),
        _count("in_progress", gettext_lazy("In progress"), "in_progress", is_default=False),
        _count("not_started", gettext_lazy("Not started"), "not_started", is_default=False),
        _count("past_due", gettext_lazy("Past due"), "past_due"),
        Column("exempt", gettext_lazy("Exempt"), Kind.INTEGER, of=lambda row: row.totals.exempt),
        Column(
            "completion_rate",
            gettext_lazy("Completion rate"),
            Kind.RATE,
            of=lambda row: _if_any(row, row.totals.net.completion_rate),
        ),
        Column(
            "on_time_rate",
            gettext_lazy("On-time rate"),
            Kind.RATE,
            of=lambda row: _if_any(row, row.totals.net.on_time_rate),
        ),
        Column(
            "campaign_id",
            gettext_lazy("Campaign in Rollcall"),
            Kind.ID,
            is_default=False,
            of=lambda row: row.campaign.pk,
        ),
        Column(
            "knowbe4_id",
            gettext_lazy("Campaign in KnowBe4"),
            Kind.ID,
            is_default=False,
            of=lambda row: row.campaign.knowbe4_id,
        ),
    ),
    _campaigns,
    page="campaigns",
    terms=("counted", "completed", "completed_late", "past_due", "completion_rate", "on_time_rate"),
)
