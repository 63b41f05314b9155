"""A number's passport: what it means, what it is made of, what was left out and why, and which sync it stands on."""

import re
from datetime import date
from typing import Any

from django.core.exceptions import BadRequest
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from dashboard.exports.metric_report.answers import days_cell
from dashboard.figures.durations import days_to_complete
from dashboard.formats import number, percent
from dashboard.local_days import quarter_name
from dashboard.metrics.registry import REGISTRY, Unit
from dashboard.queries import passport as queries
from dashboard.rate import Rate
from dashboard.requests.filter_choices import filter_bar
from dashboard.requests.filters import NAMES, Asked, asked
from dashboard.scoped_request import ScopedRequest

# As the addresses of quarterly reviews have it: 2026-q3.
_QUARTER = re.compile(r"(20\d\d)-q([1-4])", re.ASCII)


@require_safe
@vary_on_headers("HX-Target")
def passport(request: ScopedRequest, metric: str) -> HttpResponse:
    """Show the passport of one number, as a page or as the panel that opens beside a figure.

    The address asks for the same as the page that shows the number: filters, basis and day; `quarter` for a figure of
    a quarter's row. Unknown metrics are 404; a metric that a quarter's row does not have is 400.
    """
    if metric not in REGISTRY:
        raise Http404
    question, quarter = asked(request), _quarter(request.GET.get("quarter", ""))
    try:
        found = queries.passport(request.scope, metric, as_of=request.as_of, quarter=quarter, **question.question)
    except ValueError as error:
        raise BadRequest(str(error)) from None
    is_panel = request.htmx.target == "passport"
    return render(
        request,
        "dashboard/passport.html#passport" if is_panel else "dashboard/passport.html",
        {
            "found": found,
            "is_panel": is_panel,
            "value": _value(request, question, found, quarter),
            "gross": _gross(found),
            "quarter": quarter_name(quarter) if quarter else "",
            "filters": _filters(request, question),
            "title": found.metric.title,
        },
    )


def _quarter(text: str) -> date | None:
    """Return the first day of the quarter that an address names; BadRequest for anything else."""
    if not text:
        return None
    match = _QUARTER.fullmatch(text)
    if match is None:
        raise BadRequest("quarter is written like 2026-q3")
    return date(int(match[1]), int(match[2]) * 3 - 2, 1)


def _value(request: ScopedRequest, question: Asked, found: queries.Passport, quarter: date | None) -> str:
    """Return the number as pages show it."""
    if found.metric.unit == Unit.PERCENT:
        return percent(Rate(found.numerator, found.denominator))
    if found.metric.unit != Unit.DAYS:
        return number(found.numerator)
    rows = days_to_complete(request.scope, as_of=request.as_of, **question.question)
    return days_cell(found.metric, rows[0].net).shown if rows else number(None)


def _gross(found: queries.Passport) -> str:
    """Return what the number is with what is exempt; empty where that makes no difference."""
    net, gross = Rate(found.numerator, found.denominator), Rate(found.gross_numerator, found.gross_denominator)
    if net == gross or found.metric.unit == Unit.DAYS:
        return ""
    return percent(gross) if found.metric.unit == Unit.PERCENT else number(gross.numerator)


def _filters(request: ScopedRequest, question: Asked) -> list[dict[str, Any]]:
    """Return the filters that narrow the number, in words."""
    names = [name for name in NAMES if name in request.GET and name not in {"direct", "state"}]
    chosen = (
        [
            {"label": control.label, "value": control.value_label}
            for control in filter_bar(request, question, names=names, target="").on
        ]
        if names
        else []
    )
    if question.filters.states:
        words = {"completed": _("Completed"), "past_due": _("Past due"), "in_progress": _("In progress")}
        states = [words.get(state.value, _("Not started")) for state in sorted(question.filters.states)]
        chosen.append({"label": _("Status"), "value": ", ".join(states)})
    return chosen
