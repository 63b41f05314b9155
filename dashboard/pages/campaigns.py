"""Campaigns: which are running, for whom, until when, and how far they are."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import BadRequest
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from dashboard.access import ScopedRequest
from dashboard.charts import Segment
from dashboard.charts.state_bar import state_bar
from dashboard.metrics import Requirement
from dashboard.pages.context import shell_of
from dashboard.pages.no_data import no_data
from dashboard.queries import campaigns as queries
from dashboard.queries.campaigns import CampaignRow, Sort
from dashboard.requests.campaigns import LONGEST_NAME, requirement_in, sort_in
from dashboard.requests.filter_choices import filter_bar
from dashboard.requests.filters import asked
from dashboard.wording import campaign as words

ROWS = 30
FILTERS = ("campaign_state", "trigger", "type")


@dataclass(frozen=True)
class Column:
    """A heading that sorts: `next` is the order that a click asks for, `aria_sort` the one that is shown, if any."""

    name: str
    label: Any
    css: str = ""
    aria_sort: str = ""
    next: str = ""


# In the order of the table; the bar of states stands between counted and completion, and sorts nothing.
_COLUMNS = (
    (Sort.NAME, gettext_lazy("Campaign"), "", False),
    (Sort.STATE, gettext_lazy("State"), "", False),
    (Sort.DEADLINE, gettext_lazy("Deadline"), "", True),
    (Sort.COUNTED, gettext_lazy("Enrolled"), "r c-counted", True),
    (Sort.COMPLETION, gettext_lazy("Completion rate"), "r", False),
    (Sort.ON_TIME, gettext_lazy("On-time rate"), "r c-on-time", False),
    (Sort.PAST_DUE, gettext_lazy("Past due"), "r", True),
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
    sort, is_descending = sort_in(request)
    name = request.GET.get("name", "").strip()
    if len(name) > LONGEST_NAME:
        raise BadRequest("name is too long")
    requirement = requirement_in(request)
    every = queries.campaigns(request.scope, as_of=request.as_of, **question.question)
    shown = queries.ordered(
        queries.narrowed(every, question.filters, requirements=requirement, name=name),
        sort,
        is_descending=is_descending,
    )
    carried = urlencode(shell_of(request).carried)
    page = Paginator(shown, ROWS).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "lines": [_line(row, carried) for row in page.object_list],
        "columns": [_column(*column, sort=sort, is_descending=is_descending) for column in _COLUMNS],
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


def _column(name: Sort, label: Any, css: str, starts_high: bool, *, sort: Sort, is_descending: bool) -> Column:
    if name != sort:
        return Column(name, label, css, next=f"-{name}" if starts_high else name)
    return Column(
        name, label, css, "descending" if is_descending else "ascending", next=name if is_descending else f"-{name}"
    )


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
