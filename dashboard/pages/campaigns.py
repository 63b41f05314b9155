"""Campaigns: which are running, for whom, until when, and how far they are."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from dashboard.charts import Segment
from dashboard.charts.state_bar import state_bar
from dashboard.metrics import Requirement
from dashboard.pages.context import shell_of
from dashboard.pages.no_data import no_data
from dashboard.queries import campaigns as queries
from dashboard.queries.campaigns import CampaignRow, Sort
from dashboard.queries.fields import CAMPAIGNS
from dashboard.requests.campaigns import order_of_campaigns, requirement_in
from dashboard.requests.fields import search_in
from dashboard.requests.filter_choices import filter_bar
from dashboard.requests.filters import asked
from dashboard.requests.paging import page_of
from dashboard.requests.sorting import Column, ordered
from dashboard.scoped_request import ScopedRequest
from dashboard.wording import campaign as words

ROWS = 30
FILTERS = ("campaign_state", "trigger", "type")


COLUMNS = (
    Column(CAMPAIGNS["campaign"].label, Sort.NAME),
    Column(CAMPAIGNS["state"].label, Sort.STATE),
    Column(CAMPAIGNS["deadline"].label, Sort.DEADLINE, starts_high=True),
    Column(CAMPAIGNS["counted"].label, Sort.COUNTED, "r c-counted", starts_high=True),
    Column(gettext_lazy("Status split"), None, "w-bar"),
    Column(CAMPAIGNS["completion_rate"].label, Sort.COMPLETION, "r"),
    Column(CAMPAIGNS["on_time_rate"].label, Sort.ON_TIME, "r c-on-time"),
    Column(CAMPAIGNS["past_due"].label, Sort.PAST_DUE, "r", starts_high=True),
)


@dataclass(frozen=True)
class Line:
    """A campaign as the list draws it. `address` and `and_more`, what a query begins with, keep day and basis."""

    row: CampaignRow
    address: str
    and_more: str
    state: str
    trigger: str
    audience: str
    content: str
    split: list[Segment]
    split_label: str


@require_safe
@vary_on_headers("HX-Target")
def campaigns(request: ScopedRequest) -> HttpResponse:
    """List the account's campaigns: narrowed, sorted, page by page."""
    panel = shell_of(request).sync
    if not panel.status.has_data:
        return no_data(request, panel, _("Campaigns"))
    question = asked(request)
    order, name = order_of_campaigns(request), search_in(request)
    requirement = requirement_in(request)
    every = queries.campaigns(request.scope, as_of=request.as_of, **question.question)
    shown = queries.ordered(
        queries.narrowed(every, question.filters, requirements=requirement, name=name),
        order.by,
        is_descending=order.is_descending,
    )
    carried = urlencode(shell_of(request).carried)
    page = page_of(request.GET, shown, ROWS)
    context = {
        "page": page,
        "lines": [_line(row, carried) for row in page.object_list],
        "columns": ordered(COLUMNS, order),
        "name": name,
        "requirement": next(iter(requirement), ""),
        "requirements": [(choice.value, choice.label) for choice in Requirement],
        "bar": filter_bar(request, question, names=FILTERS, target="campaign-list", drops=("name", "requirement")),
        "has_campaigns": bool(every),
        "is_narrowed": len(shown) < len(every),
    }
    if request.htmx.target == "campaign-list":
        return render(request, "dashboard/campaigns.html#campaign-list", context)
    fact, following, when = words.campaigns_lead(every, request.as_of)
    return render(request, "dashboard/campaigns.html", {**context, "fact": fact, "next": following, "when": when})


def _line(row: CampaignRow, carried: str) -> Line:
    split, label = state_bar(row.totals.net)
    address = reverse("campaign", args=[row.campaign.pk])
    return Line(
        row,
        f"{address}?{carried}" if carried else address,
        f"{address}?{carried}&" if carried else f"{address}?",
        words.state_words(row.plan),
        words.trigger_words(row.plan),
        words.audience_words(row.plan),
        words.content_words(row.plan, is_short=True),
        split,
        label,
    )
