"""Past due: one row per person across all campaigns, how long it has been, and who has most of them.

The address says it all: `?by=manager&manager=12&age=31-60&sort=-items&page=2` beside the filters of
`dashboard.requests.filters`. Without `by`, people are grouped by department until a filter singles some of them out.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from config.email_addresses import mailable
from dashboard import audit
from dashboard.figures.counts import figures
from dashboard.figures.selection import By
from dashboard.formats import svg_percent
from dashboard.metrics import Age
from dashboard.pages.context import shell_of
from dashboard.pages.no_data import no_data
from dashboard.pages.past_due_rows import Pen
from dashboard.queries.fields import PEOPLE
from dashboard.queries.past_due import Sort
from dashboard.queries.past_due_found import PastDueGroup, Spread
from dashboard.queries.past_due_groups import PastDue
from dashboard.rate import Rate
from dashboard.rate_limits import limited
from dashboard.requests.filter_choices import filter_bar
from dashboard.requests.filters import Asked, asked
from dashboard.requests.paging import page_of
from dashboard.requests.past_due import (
    GROUPINGS,
    MOST_ADDRESSES,
    NOT_GROUPED,
    OF_GROUPS,
    View,
    people_asked_for,
    view_of,
)
from dashboard.requests.sorting import Column, ordered
from dashboard.scoped_request import ScopedRequest
from dashboard.web.templatetags.addresses import here
from dashboard.wording import past_due as findings

FRAGMENT = "past-due-list"
PER_PAGE = 50
# Groups on a page, and how many people each shows; a group alone shows a page of them.
GROUPS, EACH = 8, 6
FILTERS = ("department", "manager", "campaign", "type", "trigger", "group", "basis")

COLUMNS = (
    Column(PEOPLE["person"].label, Sort.PERSON, "h-person"),
    Column(PEOPLE["department"].label, Sort.DEPARTMENT, "h-department"),
    Column(PEOPLE["manager"].label, Sort.MANAGER, "h-manager"),
    Column(PEOPLE["past_due"].label, Sort.ITEMS, "h-items", starts_high=True),
    Column(PEOPLE["oldest_due_at"].label, None, "h-due"),
    Column(PEOPLE["last_activity_at"].label, Sort.ACTIVITY, "h-activity", starts_high=True),
    Column(PEOPLE["days_past_due"].label, Sort.DAYS, "h-days r", starts_high=True),
)
# The column that the groups' rows take the place of.
_IN_GROUP_ROWS = {By.DEPARTMENT: Sort.DEPARTMENT, By.MANAGER: Sort.MANAGER, By.CAMPAIGN: Sort.ITEMS}


@dataclass(frozen=True)
class Section:
    """A group as the list draws it. `everybody` is the address of all its people, `drill` that of its own groups.

    Both may be empty: people of no campaign cannot be asked for, and most groups have none below them.
    """

    group: PastDueGroup
    rows: tuple[SafeString, ...]
    everybody: str = ""
    drill: str = ""

    @property
    def more(self) -> int:
        """Number of people of the group that are not shown."""
        return self.group.people - len(self.rows)


@require_safe
@vary_on_headers("HX-Target")
def past_due(request: ScopedRequest) -> HttpResponse:
    """Show who is past due; the steps to connect KnowBe4 while there is no data. 400 for what cannot be asked."""
    panel = shell_of(request).sync
    if not panel.status.has_data:
        return no_data(request, panel, _("Past due"))
    question = asked(request)
    view = view_of(request.GET, question.filters)
    asking = PastDue.ask(request.scope, as_of=request.as_of, by=view.by, ages=view.ages, **question.question)
    spread = asking.spread(first=(view.page - 1) * GROUPS, most=GROUPS)
    bar = filter_bar(request, question, names=FILTERS, target=FRAGMENT, drops=("age",))
    is_swap = request.htmx.target == FRAGMENT
    context: dict[str, Any] = {
        "panel": panel,
        "bar": bar,
        "one_department": next(iter(question.filters.departments)) if len(question.filters.departments) == 1 else None,
        "view": view,
        "is_swap": is_swap,
        "spread": spread,
        "strip": _strip(spread, view),
        "lead": findings.lead(spread.ages),
        "narrowing": findings.narrowing(bar),
        "department": findings.only_department(bar),
        "ages": findings.ages_in_words(view.ages),
        "groupings": [(value, label, (view.by or NOT_GROUPED) == value) for value, label in GROUPINGS.items()],
        "columns": _columns(view),
        "is_narrowed": bar.is_narrowed or bool(view.ages),
    }
    if spread.people:
        context |= _list(request, asking, spread, view)
    else:
        context |= _nobody(request, question, spread, context)
    return render(
        request, f"dashboard/past_due/list.html#{FRAGMENT}" if is_swap else "dashboard/past_due.html", context
    )


def _columns(view: View) -> list[Column]:
    """Return the heads of the list: what it is grouped by is in the groups' rows, not in a column."""
    if view.by is None:
        return ordered(COLUMNS, view.order)
    left = [column for column in COLUMNS if column.sort != _IN_GROUP_ROWS[view.by]]
    return ordered([column if column.sort in OF_GROUPS else replace(column, sort=None) for column in left], view.order)


def _strip(spread: Spread, view: View) -> list[dict[str, Any]]:
    """Return each age with its people, its bar and what its link asks for: that age alone, or all again."""
    most = max(spread.ages.values())
    return [
        {
            "age": age,
            "people": people,
            "share": Rate(people, spread.everybody),
            "width": svg_percent(100 * people / most if most else 0),
            "is_on": age in view.ages,
            "asks_for": [other for other in Age if other in view.ages - {age}] or None if age in view.ages else [age],
        }
        for age, people in spread.ages.items()
    ]


def _list(request: ScopedRequest, asking: PastDue, spread: Spread, view: View) -> dict[str, Any]:
    """Return the page of people, or of groups with the first people of each."""
    pen = Pen(request, view.by)
    if view.by is None:
        page = page_of(request.GET, range(spread.people), PER_PAGE)
        offset = (page.number - 1) * PER_PAGE
        people = asking.people(view.order.by, is_descending=view.order.is_descending, limit=PER_PAGE, offset=offset)
        items = asking.items(person.person_id for person in people)
        return {"page": page, "rows": [pen.row(person, items.get((0, person.person_id))) for person in people]}
    page = page_of(request.GET, spread.groups, GROUPS)
    each = PER_PAGE if len(spread.groups) == 1 else EACH
    groups = asking.with_rows(list(page.object_list), view.order.by, is_descending=view.order.is_descending, each=each)
    items = asking.items({row.person_id for group in groups for row in group.rows})
    return {
        "page": page,
        "sections": [
            Section(
                group,
                tuple(pen.row(row, items.get((_item_key(view, group), row.person_id))) for row in group.rows),
                *_ways_into(request, group, view.by),
            )
            for group in groups
        ],
    }


def _item_key(view: View, group: PastDueGroup) -> int:
    """Return the group under which `PastDue.items` has the items of a group's people."""
    return group.key if view.by == By.CAMPAIGN else 0


def _ways_into(request: ScopedRequest, group: PastDueGroup, by: By) -> tuple[str, str]:
    """Return the address of all people of a group, and that of the groups below it."""
    context = {"request": request}
    if by == By.DEPARTMENT:
        return here(context, by=NOT_GROUPED, department=group.key), ""
    if by == By.CAMPAIGN:
        return (here(context, by=NOT_GROUPED, campaign=group.key) if group.key else ""), ""
    if group.is_line:
        drill = here(context, by=By.MANAGER.value, manager=group.key, direct=None) if group.has_lines_below else ""
        return here(context, by=NOT_GROUPED, manager=group.key, direct=None), drill
    return here(context, by=NOT_GROUPED, manager=group.key, direct=1 if group.key > 0 else None), ""


def _nobody(request: ScopedRequest, question: Asked, spread: Spread, shown: dict[str, Any]) -> dict[str, Any]:
    """Return what an empty list says: how many are up to date, and how many are past due without the filters.

    The former where all are meant, or one department; of a list narrowed otherwise it says little.
    """
    found = {}
    if not spread.everybody and (shown["department"] or not shown["is_narrowed"]):
        found["counted"] = figures(request.scope, as_of=request.as_of, **question.question).net.people_counted
    if shown["is_narrowed"]:
        everyone = PastDue.ask(request.scope, as_of=request.as_of, basis=question.basis)
        found["total"] = spread.everybody or everyone.spread().everybody
    return found


@require_safe
@limited("addresses")
def past_due_addresses(request: ScopedRequest) -> HttpResponse:
    """Show the email addresses of chosen people, or of everybody whom the filters select, as text to copy.

    404 when one of the people is not in scope.
    """
    question = asked(request)
    view = view_of(request.GET, question.filters)
    chosen = people_asked_for(request.GET)
    if chosen:
        rows = list(request.scope.people().filter(pk__in=chosen).order_by("last_name", "first_name", "pk"))
        if len(rows) != len(chosen):
            raise Http404("One of these people is not in scope.")
        emails = [person.email for person in rows]
        is_cut = False
    else:
        asking = PastDue.ask(request.scope, as_of=request.as_of, ages=view.ages, **question.question)
        people = asking.people(Sort.PERSON, is_descending=False, limit=MOST_ADDRESSES + 1)
        emails, is_cut = [person.email for person in people[:MOST_ADDRESSES]], len(people) > MOST_ADDRESSES
    written = _unique(filter(None, map(mailable, emails)))
    wrong = sum(1 for email in emails if email and not mailable(email))
    audit.record(
        audit.Action.COPIED_ADDRESSES,
        account=request.account,
        user=request.user,
        details={"rows": len(written), "asked": audit.asked(request.GET)},
    )
    return render(
        request,
        "dashboard/past_due_addresses.html",
        {
            "addresses": "; ".join(written),
            "count": len(written),
            "people": len(emails),
            "without": sum(1 for email in emails if not email),
            "wrong": wrong,
            "is_cut": is_cut,
            "is_chosen": bool(chosen),
        },
    )


def _unique(texts: Iterable[str]) -> list[str]:
    """Return texts in their order, each once, whatever its case."""
    return list({text.casefold(): text for text in texts}.values())
