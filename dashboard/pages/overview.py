"""Overview: are we compliant, what changed since last week, who needs a push."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeVar

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from dashboard import charts
from dashboard.charts.days import figure as day_figure
from dashboard.formats import number, svg_percent
from dashboard.metrics import CampaignState
from dashboard.pages.context import shell_of
from dashboard.pages.no_data import no_data
from dashboard.queries import overview as queries
from dashboard.rate import Rate
from dashboard.requests.filters import asked
from dashboard.scoped_request import ScopedRequest
from dashboard.wording import findings

# Longer lists are cut: their pages show the rest.
MOST_DEPARTMENTS, FIRST_DEPARTMENTS = 24, 12
MOST_CAMPAIGNS, FIRST_CAMPAIGNS = 40, 12
CURRENT_STATES = frozenset({CampaignState.ACTIVE, CampaignState.SCHEDULED, CampaignState.CREATED, CampaignState.OTHER})

_Row = TypeVar("_Row")


@require_safe
def overview(request: ScopedRequest) -> HttpResponse:
    """Show the Overview; the steps to connect KnowBe4 while there is no data."""
    panel = shell_of(request).sync
    if not panel.status.has_data:
        return no_data(request, panel, _("Overview"))
    return render(request, "dashboard/overview.html", {"panel": panel, **_blocks(request)})


def _blocks(request: ScopedRequest) -> dict[str, Any]:
    """Read every block of the page, and the sentence above each."""
    scope, as_of = request.scope, request.as_of
    found = queries.overview(scope, as_of=as_of, basis=asked(request).basis)
    headline, history, departments = found.headline, found.past_due_by_day, found.departments
    ages, managers = found.ages, found.managers
    deadlines = queries.next_deadlines(found.campaigns)
    campaigns = _first(found.campaigns, MOST_CAMPAIGNS, FIRST_CAMPAIGNS)
    days = [(day.date, day.people) for day in history]
    marks = findings.big_deadlines(found.campaigns, history, request.account.zone)
    most = max((row.people for row in ages), default=0)
    largest_share = max((row.share.percent or 0 for row in departments), default=0)
    weekly = [point.totals.net for point in found.history[:: -queries.WEEK_DAYS]][::-1]
    return {
        "as_of": as_of,
        "lead": findings.overview_lead(headline, departments, shell_of(request).vacancy),
        "headline": headline,
        "figures": _movements(headline),
        "weeks": _weeks(request, history),
        "completion_spark": _rate_spark([counts.completion_rate for counts in weekly]),
        "on_time_spark": _rate_spark([counts.on_time_rate for counts in weekly]),
        "past_due_spark": charts.spark_line([day.people for day in history[::-3]][::-1]),
        "due_soon": found.due_soon,
        "due_soon_bars": charts.spark_bars([day.people for day in found.due_soon.days]),
        "due_soon_note": findings.due_soon_note(found.due_soon.days),
        "chart": {
            "name": "past-due-by-day",
            "what": _("People past due each day over the last 90 days"),
            "figure": day_figure(days, marks, [findings.people_count(day.people) for day in history]),
            "wide": charts.line_chart(days, marks, charts.WIDE),
            "narrow": charts.line_chart(days, marks, charts.NARROW),
        },
        "history_finding": findings.past_due_finding(history),
        "ages": [(row, svg_percent(100 * row.people / most if most else 0)) for row in ages],
        "ages_finding": findings.ageing_finding(ages),
        "departments": [
            (
                row,
                svg_percent(100 * (row.share.percent or 0) / largest_share if largest_share else 0),
                charts.spark_line(row.trail) if any(row.trail) else None,
            )
            for row in _first(departments, MOST_DEPARTMENTS, FIRST_DEPARTMENTS)
        ],
        "has_trails": any(row.trail for row in departments),
        "managers": managers[: queries.MOST_MANAGERS],
        "all_managers": len(managers),
        "managers_finding": findings.managers_finding(managers),
        "all_departments": len(departments),
        "departments_finding": findings.departments_finding(departments),
        "all_campaigns": len(found.campaigns),
        "current_campaigns": [_line(row) for row in campaigns if row.state in CURRENT_STATES],
        "past_campaigns": [_line(row) for row in campaigns if row.state not in CURRENT_STATES],
        "campaigns_finding": findings.campaigns_finding(found.campaigns),
        "deadlines": [_line(row) for row in deadlines],
        "deadlines_finding": findings.deadlines_finding(deadlines, as_of),
    }


def _first(rows: Sequence[_Row], most: int, first: int) -> Sequence[_Row]:
    """Return all rows where there are at most so many, else the first few."""
    return rows if len(rows) <= most else rows[:first]


@dataclass(frozen=True)
class CampaignLine:
    """A campaign as a list draws it: its figures, its mark and its bar, which says in words what it shows."""

    row: queries.CampaignRow
    mark: str
    split: list[charts.Segment]
    split_label: str


def _line(row: queries.CampaignRow) -> CampaignLine:
    totals = row.totals
    parts = [
        ("done", totals.completed - totals.completed_late, _("%(n)s completed")),
        ("late", totals.completed_late, _("%(n)s completed late")),
        ("progress", totals.in_progress, _("%(n)s in progress")),
        ("todo", totals.not_started, _("%(n)s not started")),
        ("due", totals.past_due, _("%(n)s past due")),
    ]
    label = ", ".join(words % {"n": number(count)} for _name, count, words in parts if count)
    return CampaignLine(
        row,
        f"st-{row.state.value}",
        charts.split_bar([(name, count) for name, count, _words in parts]),
        label or _("Nothing counted"),
    )


def _rate_spark(rates: Sequence[Rate]) -> tuple[str, charts.Mark] | None:
    """Draw the rates that have a denominator; weeks without any are passed over."""
    return charts.spark_line([rate.percent for rate in rates if rate.percent is not None])


def _movements(headline: queries.Headline) -> dict[str, Any]:
    """Return how the figures moved in a week, and whether that is for the better."""
    now, before = headline.now, headline.week_ago
    completion = now.completion_rate.points_since(before.completion_rate)
    on_time = now.on_time_rate.points_since(before.on_time_rate)
    past_due = now.people_past_due - before.people_past_due
    return {
        "since": headline.week_ago_date,
        "completion": completion,
        "completion_is_better": (completion or 0) > 0,
        "on_time": on_time,
        "on_time_is_better": (on_time or 0) > 0,
        "past_due": past_due,
        "past_due_size": abs(past_due),
        "past_due_is_better": past_due < 0,
    }


def _weeks(request: ScopedRequest, history: Sequence[queries.Day]) -> list[dict[str, Any]]:
    """Return the history by week, newest first, each with its change on the week before."""
    points = list(history)[::-7]
    changes = [later.people - earlier.people for later, earlier in pairwise(points)]
    return [
        {
            "date": day.date,
            "people": day.people,
            "change": _signed(change),
            "as_of": None if day is points[0] and request.past_day is None else day.date.isoformat(),
        }
        for day, change in zip(points, [*changes, None], strict=True)
    ]


def _signed(change: int | None) -> str:
    if not change:
        return "" if change is None else "0"
    return f"+{number(change)}" if change > 0 else f"−{number(-change)}"
