"""People: everyone in scope, found as one types, with where each stands."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from dashboard.access import ScopedRequest
from dashboard.figures.counts import figures
from dashboard.formats import number
from dashboard.metrics import Counts
from dashboard.pages.people_rows import Pen
from dashboard.queries import people as queries
from dashboard.queries.people import Sort, Status, Wanted
from dashboard.requests.filter_choices import Choice, Control, FilterBar, filter_bar
from dashboard.requests.filters import Asked, asked
from dashboard.requests.people import STATUS_GROUPS, STATUSES, sort_in, wanted_in
from dashboard.requests.searches import PARAMETER, searched

ROWS = 50
FRAGMENT = "people-list"
FILTERS = ("department", "manager", "campaign", "type", "group", "basis")
# Filters of other pages that narrow this one, too, when a link brings them.
_BROUGHT = frozenset({"campaign", "type", "group"})


@dataclass(frozen=True)
class Column:
    """A column that the list can be ordered by, and what its link asks for."""

    label: str
    asks_for: str
    order: str
    is_number: bool = False

    @property
    def icon(self) -> str:
        """The arrow of the column the list is ordered by; none for the others."""
        return {"ascending": "up", "descending": "down"}.get(self.order, "")


@require_safe
@vary_on_headers("HX-Target")
def people(request: ScopedRequest) -> HttpResponse:
    """List the people in scope; a search, a filter or an order replaces the list alone."""
    question = asked(request)
    wanted = wanted_in(request)
    sort, is_descending = sort_in(request)
    page, found = _page(request, question, wanted, sort, is_descending=is_descending)
    pen = Pen(request)
    context: dict[str, Any] = {
        "page": page,
        "rows": [pen.row(row) for row in found.rows],
        "bar": _bar(request, question, wanted),
        "columns": _columns(sort, is_descending=is_descending),
        "search": searched(request),
        "wanted": wanted,
        "elsewhere": _elsewhere(request, question, wanted) if wanted.words and not found.total else 0,
    }
    if request.htmx.target == FRAGMENT:
        return render(request, "dashboard/people/list.html#people-list", context)
    counts = figures(request.scope, as_of=request.as_of, basis=question.basis).net
    return render(request, "dashboard/people.html", {**context, **_lead(counts)})


def _page(
    request: ScopedRequest, question: Asked, wanted: Wanted, sort: Sort, *, is_descending: bool
) -> tuple[Any, queries.Page]:
    """Return the page the address asks for, the last one where there are fewer, and its people."""
    text = request.GET.get("page", "")
    asked_for = int(text) if text.isascii() and text.isdecimal() and len(text) < 8 else 1

    def read(place: int) -> queries.Page:
        return queries.people(
            request.scope,
            as_of=request.as_of,
            **question.question,
            wanted=wanted,
            sort=sort,
            is_descending=is_descending,
            limit=ROWS,
            offset=(max(place, 1) - 1) * ROWS,
        )

    found = read(asked_for)
    page = Paginator(range(found.total), ROWS).get_page(asked_for)
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


def _columns(sort: Sort, *, is_descending: bool) -> list[Column]:
    """Return the columns. A number is ordered from its largest first, anything else from the beginning."""
    names = {
        Sort.PERSON: _("Person"),
        Sort.DEPARTMENT: _("Department"),
        Sort.MANAGER: _("Manager"),
        Sort.ASSIGNED: _("Assigned"),
        Sort.COMPLETED: _("Completed"),
        Sort.PAST_DUE: _("Past due"),
        Sort.ACTIVITY: _("Last activity"),
        Sort.RISK: _("Risk score"),
    }
    numbers = {Sort.ASSIGNED, Sort.COMPLETED, Sort.PAST_DUE, Sort.RISK}
    columns = []
    for key, label in names.items():
        is_backwards_first = key in numbers or key == Sort.ACTIVITY
        wants_backwards = is_backwards_first if key != sort else not is_descending
        columns.append(
            Column(
                label=label,
                asks_for=f"-{key}" if wants_backwards else str(key),
                order="" if key != sort else "descending" if is_descending else "ascending",
                is_number=key in numbers,
            )
        )
    return columns


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
