"""One campaign: how far it is against its deadline, who is missing, and what it is."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from dashboard.charts import Segment
from dashboard.charts import burn_up as chart
from dashboard.charts.state_bar import state_bar
from dashboard.figures.counts import Group
from dashboard.metrics import State, Totals, days_past_due
from dashboard.pages.context import shell_of
from dashboard.queries import campaign as queries
from dashboard.queries.campaign import CampaignFigures, Show
from dashboard.queries.campaigns import CampaignPlan, plans
from dashboard.rate import Rate
from dashboard.requests.campaign import TABS, WITHOUT_STATE, show_in
from dashboard.requests.filters import Asked, asked
from dashboard.requests.paging import page_of
from dashboard.scoped_request import ScopedRequest
from dashboard.wording import campaign as words
from sync.models import Enrollment

ROWS = 25
# Departments beyond these are folded away.
FIRST_DEPARTMENTS = 12


@require_safe
@vary_on_headers("HX-Target")
def campaign(request: ScopedRequest, pk: int) -> HttpResponse:
    """Show one campaign; 404 for any but the account's own."""
    found = plans(request.scope.campaigns().filter(pk=pk), as_of=request.as_of)
    if not found:
        raise Http404
    plan = found[0]
    question, show = asked(request), show_in(request)
    figures = queries.figures_of(request.scope, plan.campaign, as_of=request.as_of, basis=question.basis)
    people = _people(request, plan, question, show, figures)
    context: dict[str, Any] = {"plan": plan, "campaign": plan.campaign, "people": people}
    if request.htmx.target == "campaign-people":
        return render(request, "dashboard/campaign/people.html#campaign-people", context)
    return render(request, "dashboard/campaign.html", {**context, **_blocks(request, plan, figures)})


# The figures ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Status:
    """One line of the list of states: its mark, its words, its enrollments and which list holds them."""

    mark: str
    label: Any
    count: int
    share: Rate
    show: Show

    @property
    def query(self) -> dict[str, str]:
        """Query parameters that show them."""
        return query_of(self.show)


def query_of(show: Show) -> dict[str, str]:
    """Return what an address says to ask for a list."""
    if show == Show.ALL:
        return {}
    return {"show": show.value} if show in WITHOUT_STATE else {"state": show.value}


@dataclass(frozen=True)
class DepartmentLine:
    """A department's part of the campaign; `address` is that of its people, to which a query may be added."""

    group: Group
    address: str
    split: list[Segment]
    split_label: str


def _blocks(request: ScopedRequest, plan: CampaignPlan, figures: CampaignFigures) -> dict[str, Any]:
    zone = request.account.zone
    counts = figures.totals.net
    deadline = plan.deadline.astimezone(zone).date() if plan.deadline else None
    split, split_label = state_bar(counts)
    departments = sorted(
        figures.departments,
        key=lambda group: (
            _percent(group),
            -group.totals.net.past_due,
            not group.name,
            group.name.casefold(),
        ),
    )
    carried = shell_of(request).carried
    lines = [
        DepartmentLine(group, f"?{urlencode([*carried, ('department', group.key)])}", *state_bar(group.totals.net))
        for group in departments
    ]
    return {
        "as_of": request.as_of,
        "state": words.state_words(plan),
        "lead": words.campaign_lead(plan, figures, as_of=request.as_of, zone=zone),
        "totals": figures.totals,
        "counts": counts,
        "enrolled": words.enrolled_words(figures.totals),
        "ran": words.ran_words(plan),
        "content": words.content_words(plan),
        "audience": words.audience_words(plan),
        "trigger_reason": words.trigger_reason(plan),
        "due_rule": words.due_rule(plan),
        "theirs": _theirs(request, plan),
        "burn": _burn(figures, deadline),
        "split": split,
        "split_label": split_label,
        "statuses": _statuses(figures.totals),
        "status_finding": words.status_finding(counts),
        "departments": lines[:FIRST_DEPARTMENTS],
        "more_departments": lines[FIRST_DEPARTMENTS:],
        "departments_finding": words.departments_finding(figures.departments),
    }


def _theirs(request: ScopedRequest, plan: CampaignPlan) -> int | None:
    """Return KnowBe4's own completion percentage, as it is today; None where it gives none."""
    figure = plan.campaign.completion_percentage
    is_told = figure is not None and 0 <= figure <= 100 and plan.campaign.removed_at is None
    return figure if is_told and request.scope.sees_everyone else None


def _percent(group: Group) -> float:
    """Return a department's rate for sorting; one whose people are all exempt has none, and comes last."""
    rate = group.totals.net.completion_rate.percent
    return 101.0 if rate is None else rate


def _burn(figures: CampaignFigures, deadline: date | None) -> dict[str, Any] | None:
    """Return the burn-up with its sentence and its table; None where nobody was ever counted."""
    if not figures.days or not figures.totals.net.counted:
        return None
    days = chart.window(figures.days, deadline)
    return {
        "name": "burn-up-chart",
        "what": _("Share of enrollments completed, by day"),
        "figure": chart.figure(days, deadline),
        "finding": words.burn_finding(figures.days, deadline),
        "wide": chart.burn_up(days, deadline, chart.WIDE),
        "narrow": chart.burn_up(days, deadline, chart.NARROW),
        "rows": chart.table_rows(days),
        "until": days[-1].date if len(days) < len(figures.days) else None,
    }


def _statuses(totals: Totals) -> list[Status]:
    shown = (
        ("done", Show.COMPLETED),
        ("late", Show.LATE),
        ("progress", Show.IN_PROGRESS),
        ("todo", Show.NOT_STARTED),
        ("due", Show.PAST_DUE),
    )
    counts = queries.counts_by_show(totals)
    return [
        Status(mark, TABS[show], counts[show], Rate(counts[show], totals.net.counted), show) for mark, show in shown
    ]


# The people -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tab:
    """One list of the campaign's enrollments, and its address."""

    show: Show
    label: Any
    count: int
    is_current: bool
    query: dict[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class PersonLine:
    """An enrollment as the list draws it; moments after the page's own are not told."""

    row: Enrollment
    address: str
    manager_address: str
    department: str
    mark: str
    state: Any
    is_late: bool
    started_at: datetime | None
    completed_at: datetime | None
    days_past_due: int | None
    due_source: str


def _people(
    request: ScopedRequest, plan: CampaignPlan, question: Asked, show: Show, figures: CampaignFigures
) -> dict[str, Any]:
    """Return one page of the campaign's enrollments, and the lists there are."""
    filters, basis, as_of = question.filters, question.basis, request.as_of
    is_narrowed = bool(filters.departments or filters.groups) or filters.manager is not None
    scope, tabs = request.scope, []
    if plan.is_counted:
        if is_narrowed:
            counts = queries.count_listed(scope, plan.campaign, as_of=as_of, filters=filters, basis=basis)
        else:
            counts = queries.counts_by_show(figures.totals)
        tabs = [
            Tab(each, label, counts[each], each == show, {"show": None, "state": None, **query_of(each)})
            for each, label in TABS.items()
            if counts[each] or each in {Show.ALL, Show.PAST_DUE, Show.COMPLETED, show}
        ]
        rows: Any = queries.listed(scope, plan.campaign, show, counts[show], as_of=as_of, filters=filters, basis=basis)
    else:
        rows = queries.uncounted(scope, plan.campaign, as_of=as_of)
    carried = urlencode(shell_of(request).carried)
    page = page_of(request.GET, rows, ROWS)
    return {
        "page": page,
        "lines": [_person(request, row, carried) for row in page.object_list],
        "tabs": tabs,
        "show": show.value,
        "label": TABS[show],
        "is_narrowed": is_narrowed,
        "names": [group.name for group in figures.departments if group.key in filters.departments and group.name],
        "has_content": len(plan.content) > 1,
    }


def _person(request: ScopedRequest, row: Any, carried: str) -> PersonLine:
    state = State(row.state)
    person = row.person
    home = person.department.merged_into or person.department if person and person.department else None
    as_of = request.as_of
    is_due = state == State.PAST_DUE
    return PersonLine(
        row=row,
        address=_address(row.person_id, carried),
        manager_address=_address(person.manager_id if person else None, carried),
        department=home.name if home else "",
        mark=state.mark,
        state=state.label,
        is_late=row.is_late,
        started_at=row.started_at if row.started_at and row.started_at <= as_of else None,
        completed_at=row.completed_at if row.completed_at and row.completed_at <= as_of else None,
        days_past_due=days_past_due(row.due_at, as_of, request.account.zone) if is_due and row.due_at else None,
        due_source=words.due_source_words(row),
    )


def _address(person: int | None, carried: str) -> str:
    """Return the address of a person's page, with the day and basis of this one; none for nobody."""
    if person is None:
        return ""
    address = reverse("person", args=[person])
    return f"{address}?{carried}" if carried else address
