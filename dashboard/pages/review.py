"""The quarterly review: one page per quarter that reads as a report, for boards and auditors, on paper too."""

from datetime import date, timedelta
from typing import Any

from django.core.exceptions import BadRequest
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from dashboard.charts.panel import Cell, Chart
from dashboard.charts.periods import Line, Plot
from dashboard.figures.selection import By
from dashboard.formats import percent
from dashboard.local_days import EARLIEST_YEAR
from dashboard.pages.context import shell_of
from dashboard.queries.review import Review, latest_quarter, quarter_of
from dashboard.queries.review import review as read_review
from dashboard.queries.trends import Course, Period, periods
from dashboard.requests.filters import asked, parameters
from dashboard.scoped_request import ScopedRequest
from dashboard.web.templatetags.addresses import to
from dashboard.wording import review as words
from dashboard.wording.trends import department_name, short_name

# How many quarters the menu offers, and how many exemptions the report lists.
OFFERED = 12
MOST_EXEMPTIONS = 25


@require_safe
def review(request: ScopedRequest) -> HttpResponse:
    """Lead to the review of the last quarter that has ended."""
    if not shell_of(request).sync.status.has_data:
        return redirect("overview")
    return redirect(_address(latest_quarter(request.scope, as_of=request.as_of), request))


@require_safe
def review_quarter(request: ScopedRequest, year: int, quarter: int) -> HttpResponse:
    """Show the review of a quarter. Http404 for one that does not exist or has not begun; BadRequest for a state."""
    if not shell_of(request).sync.status.has_data:
        return redirect("overview")
    if not (1 <= quarter <= 4 and EARLIEST_YEAR <= year <= 9998):
        raise Http404("there is no such quarter")
    chosen = quarter_of(request.scope, date(year, quarter * 3 - 2, 1), as_of=request.as_of)
    if chosen is None:
        raise Http404("the quarter has not begun")
    question = asked(request)
    if question.filters.states:
        raise BadRequest("a quarter has no state")
    found = read_review(request.scope, chosen, **question.question)
    if found is None:
        raise Http404("nobody is in scope")
    query = parameters(question.filters, question.basis)
    ranked = sorted((course for course in found.trend.departments if course.due[-1].due), key=_rank)
    last_day = chosen.end - timedelta(days=1)
    offered = periods(request.scope, as_of=request.as_of, period=By.QUARTER, count=OFFERED)[::-1]
    return render(
        request,
        "dashboard/review.html",
        {
            "review": found,
            "quarter": words.quarter(found),
            "before": words.before_name(found),
            "last_day": last_day,
            "offered": [(period, _address(period, request)) for period in offered],
            "is_narrowed": question.is_narrowed,
            "lead": words.lead(found),
            "figures": words.figures(found),
            "chart": _chart(request, found),
            "departments": [_department(request, found, course, query) for course in ranked],
            "departments_finding": words.departments_finding(found, ranked),
            "everybody": found.trend.everybody.due[-1],
            "late": words.late(found.trend.everybody.due[-1]),
            "stood": found.trend.everybody.stood[-1],
            "campaigns_finding": words.campaigns_finding(found.campaigns),
            "content_finding": words.content_finding(found.content),
            "movement": words.movement(found),
            "gaps": words.gaps(found),
            "exemptions": found.exemptions[:MOST_EXEMPTIONS],
            "exemptions_more": max(0, len(found.exemptions) - MOST_EXEMPTIONS),
            "exemptions_finding": words.exemptions_finding(found),
            "past_due_address": _past_due(request, found, query),
        },
    )


def _address(period: Period, request: ScopedRequest) -> str:
    """Return the address of a quarter's review, with the day and the filters asked for."""
    found = reverse("review_quarter", args=[period.start.year, period.number])
    return f"{found}?{request.GET.urlencode()}" if request.GET else found


def _rank(course: Course) -> tuple[float, int, str]:
    rate = course.due[-1].completion_rate.percent
    return (101.0 if rate is None else rate, -course.stood[-1].people_past_due, course.name.casefold())


def _past_due(request: ScopedRequest, found: Review, query: dict[str, Any], **narrowed: Any) -> str:
    """Return the address of who was past due at the quarter's end."""
    day = None if found.quarter.is_running else (found.quarter.end - timedelta(days=1)).isoformat()
    query = {**query, **narrowed}
    if day is not None:
        query["as_of"] = day
    return str(to({"request": request}, "past_due", **query))


def _department(request: ScopedRequest, found: Review, course: Course, query: dict[str, Any]) -> dict[str, Any]:
    """Return one department's line of the table."""
    due, before = course.due[-1], course.due[-2]
    return {
        "name": department_name(course),
        "people": course.stood[-1].people_counted,
        "due": due,
        "late": words.late(due),
        "change": due.on_time_rate.points_since(before.on_time_rate),
        "past_due": course.stood[-1].people_past_due,
        "address": _past_due(request, found, query, department=[course.key]),
        "is_under": due.completion_rate.percent is not None and due.completion_rate.percent < float(found.target),
    }


def _chart(request: ScopedRequest, found: Review) -> Chart:
    """Return the chart of completion and on-time completion by quarter."""
    trend = found.trend
    due = trend.everybody.due[trend.before :]
    lines = [
        Line(
            _("Completion"),
            [cohort.completion_rate.percent for cohort in due],
            [percent(cohort.completion_rate) for cohort in due],
        ),
        Line(
            _("On time"),
            [cohort.on_time_rate.percent for cohort in due],
            [percent(cohort.on_time_rate) for cohort in due],
            "ink",
        ),
    ]
    plot = Plot(
        [short_name(period, By.QUARTER) for period in trend.periods],
        lines,
        is_rate=True,
        is_running=found.quarter.is_running,
    )
    rows = [
        (
            period.quarter,
            [
                Cell(percent(cohort.completion_rate), _address(period, request) if cohort.due else ""),
                Cell(percent(cohort.on_time_rate)),
            ],
        )
        for period, cohort in zip(reversed(trend.periods), reversed(due), strict=True)
    ]
    return Chart(
        "review-rates",
        words.chart_finding(trend),
        _("Completion rate and on-time rate by quarter, scale from %(foot)s") % {"foot": plot.tick(plot.axis[0])},
        plot,
        [_("Quarter"), _("Completion rate"), _("On-time rate")],
        rows,
    )
