"""People: everyone in scope, found as one types, with where each stands."""

from dataclasses import replace
from enum import StrEnum
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from dashboard.figures.counts import figures
from dashboard.formats import number
from dashboard.metrics import Counts
from dashboard.pages.people_rows import Pen
from dashboard.queries import people as queries
from dashboard.queries.fields import PEOPLE
from dashboard.queries.people import Sort, Status, Wanted
from dashboard.requests.filter_choices import Choice, Control, FilterBar, filter_bar
from dashboard.requests.filters import Asked, asked
from dashboard.requests.paging import number_in, page_of
from dashboard.requests.people import STATUS_GROUPS, STATUSES, order_of_people, wanted_in
from dashboard.requests.searches import PARAMETER, searched
from dashboard.requests.sorting import Column, Order, ordered
from dashboard.scoped_request import ScopedRequest

ROWS = 50
FRAGMENT = "people-list"
FILTERS = ("department", "manager", "campaign", "type", "group", "basis")
# Filters of other pages that narrow this one, too, when a link brings them.
_BROUGHT = frozenset({"campaign", "type", "group"})


COLUMNS = (
    Column(PEOPLE["person"].label, Sort.PERSON),
    Column(PEOPLE["department"].label, Sort.DEPARTMENT),
    Column(PEOPLE["manager"].label, Sort.MANAGER),
    Column(PEOPLE["assigned"].label, Sort.ASSIGNED, "r", starts_high=True),
    Column(PEOPLE["completed"].label, Sort.COMPLETED, "r", starts_high=True),
    Column(PEOPLE["past_due"].label, Sort.PAST_DUE, "r", starts_high=True),
    Column(PEOPLE["last_activity_at"].label, Sort.ACTIVITY, starts_high=True),
    Column(PEOPLE["risk_score"].label, Sort.RISK, "r", starts_high=True),
)


@require_safe
@vary_on_headers("HX-Target")
def people(request: ScopedRequest) -> HttpResponse:
    """List the people in scope; a search, a filter or an order replaces the list alone."""
    question = asked(request)
    wanted = wanted_in(request)
    order = order_of_people(request)
    page, found = _page(request, question, wanted, order)
    pen = Pen(request)
    context: dict[str, Any] = {
        "page": page,
        "rows": [pen.row(row) for row in found.rows],
        "bar": _bar(request, question, wanted),
        "columns": ordered(COLUMNS, order),
        "search": searched(request),
        "wanted": wanted,
        "elsewhere": _elsewhere(request, question, wanted) if wanted.words and not found.total else 0,
    }
    if request.htmx.target == FRAGMENT:
        return render(request, "dashboard/people/list.html#people-list", context)
    counts = figures(request.scope, as_of=request.as_of, basis=question.basis).net
    return render(request, "dashboard/people.html", {**context, **_lead(counts)})


def _page(request: ScopedRequest, question: Asked, wanted: Wanted, order: Order[Sort]) -> tuple[Any, queries.Page]:
    """Return the page the address asks for, the last one where there are fewer, and its people."""
    asked_for = number_in(request.GET)

    def read(place: int) -> queries.Page:
        return queries.people(
            request.scope,
            as_of=request.as_of,
            **question.question,
            wanted=wanted,
            sort=order.by,
            is_descending=order.is_descending,
            limit=ROWS,
            offset=(place - 1) * ROWS,
        )

    found = read(asked_for)
    page = page_of(request.GET, range(found.total), ROWS)
    if found.total and not found.rows:
        found = read(page.number)
    return page, found


def _bar(request: ScopedRequest, question: Asked, wanted: Wanted) -> FilterBar:
    """Return the filters of all numbers that matter here, and this list's own."""
    names = [name for name in FILTERS if name not in _BROUGHT or request.GET.get(name)]
    bar = filter_bar(request, question, names=names, target=FRAGMENT, drops=("status", "standing", "state", PARAMETER))
    own = (
        _control(request, "standing", _("Standing"), {None: _("All"), **STATUS_GROUPS}, wanted.standing, None),
        _control(request, "status", _("Status"), STATUSES, wanted.status, Status.ACTIVE),
    )
    kept = tuple(pair for pair in bar.kept if pair[0] not in {"standing", "status"})
    return replace(bar, controls=(*bar.controls[:2], *own, *bar.controls[2:]), kept=kept)


def _control(
    request: HttpRequest, name: str, label: str, words: dict[Any, Any], chosen: StrEnum | None, usual: StrEnum | None
) -> Control:
    left = request.GET.copy()
    for key in (name, "page"):
        left.pop(key, None)
    return Control(
        name=name,
        label=label,
        choices=tuple(
            Choice("" if value == usual else str(value), str(text), value == chosen) for value, text in words.items()
        ),
        is_on=chosen != usual,
        clear=f"?{left.urlencode()}",
    )


def _elsewhere(request: ScopedRequest, question: Asked, wanted: Wanted) -> int:
    """Return how many people a search without any filter finds, those who left too."""
    everybody = replace(wanted, status=Status.ANY, standing=None)
    found = queries.people(request.scope, as_of=request.as_of, basis=question.basis, wanted=everybody, limit=1)
    return found.total


def _lead(counts: Counts) -> dict[str, Any]:
    """Return the page's first sentence: how many there are and how they stand."""
    compliant = counts.people_counted - counts.people_past_due
    nothing = counts.people_active - counts.people_counted
    return {
        "lead": ngettext("%(n)s person is active", "%(n)s people are active", counts.people_active)
        % {"n": number(counts.people_active)},
        "has_work": counts.people_counted > 0,
        "late": ngettext(
            "%(n)s of them has something past due", "%(n)s of them have something past due", counts.people_past_due
        )
        % {"n": number(counts.people_past_due)}
        if counts.people_past_due
        else "",
        "compliant": ngettext("%(n)s is compliant", "%(n)s are compliant", compliant) % {"n": number(compliant)},
        "nothing": ngettext("%(n)s has nothing assigned", "%(n)s have nothing assigned", nothing)
        % {"n": number(nothing)}
        if nothing
        else "",
    }
