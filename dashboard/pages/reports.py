"""Reports: the five there are, what each holds, and their PDFs in the reader's scope, as of the day being looked at."""

import logging
from datetime import date

from django.core.exceptions import BadRequest
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from dashboard.audit import Action, Subject, record
from dashboard.figures.selection import By
from dashboard.local_days import EARLIEST_YEAR
from dashboard.look_alikes import told_apart
from dashboard.pages.context import shell_of
from dashboard.queries.trends import Period, periods
from dashboard.rate_limits import limited
from dashboard.reports import Kind, Question, RenderingError, make
from dashboard.requests.filters import asked
from dashboard.scoped_request import ScopedRequest

# As many as the menus offer: whoever wants another begins at its page.
QUARTERS, DEPARTMENTS, CAMPAIGNS = 12, 500, 300
_LARGEST_KEY = 2**63
_SUBJECTS = {
    Kind.BOARD: Subject.ACCOUNT,
    Kind.REVIEW: Subject.ACCOUNT,
    Kind.DEPARTMENT: Subject.DEPARTMENT,
    Kind.CAMPAIGN: Subject.CAMPAIGN,
    Kind.PERSON: Subject.PERSON,
}

log = logging.getLogger(__name__)


@require_safe
def reports(request: ScopedRequest) -> HttpResponse:
    """Show what reports there are, with a choice of what each is about."""
    if not shell_of(request).sync.status.has_data:
        return redirect("overview")
    return render(request, "dashboard/reports.html", {**_choices(request), "carried": shell_of(request).carried})


def _choices(request: ScopedRequest) -> dict[str, object]:
    scope = request.scope
    departments = scope.departments().filter(merged_into=None).exclude(key="").order_by("name", "pk")
    campaigns = scope.campaigns().order_by("-start_at", "name", "pk")
    quarters: list[Period] = periods(scope, as_of=request.as_of, period=By.QUARTER, count=QUARTERS)[::-1]
    ended = next((period.start for period in quarters if not period.is_running), None)
    return {
        "quarters": quarters,
        "ended": ended,
        "departments": told_apart((row.pk, str(row)) for row in departments.only("name")[:DEPARTMENTS]),
        "campaigns": told_apart((row.pk, str(row)) for row in campaigns.only("name", "knowbe4_id")[:CAMPAIGNS]),
    }


@require_safe
@limited("export")
def report(request: ScopedRequest, kind: str) -> HttpResponse:
    """Send a report as PDF: `subject` names its department, campaign or person, `quarter` the review's first day.

    404 for what is not in scope, BadRequest for what cannot be asked for; the page says it when Typst refuses.
    """
    if kind not in Kind.values:
        raise Http404("there is no such report")
    chosen = Kind(kind)
    if not shell_of(request).sync.status.has_data:
        return redirect("overview")
    subject, quarter = _subject(request, chosen), _quarter(request, chosen)
    question = Question(request.scope, request.as_of, request.now, request.past_day, asked(request).basis)
    try:
        made = make(chosen, question, subject=subject, quarter=quarter)
    except RenderingError as error:
        log.exception("A report could not be set.")
        context = {**_choices(request), "carried": shell_of(request).carried, "error": str(error)}
        return render(request, "dashboard/reports.html", context, status=500)
    if made is None:
        raise Http404("there is nothing of that in scope")
    record(
        Action.EXPORTED,
        account=request.account,
        user=request.scope.viewer or request.scope.user,
        subject=_SUBJECTS[chosen],
        subject_id=subject if chosen.needs_subject else request.account.pk,
        details={
            "report": chosen.value,
            "as_of": question.date.isoformat(),
            "sha256": made.data_hash,
            **({"quarter": quarter.isoformat()} if quarter else {}),
        },
        request=request,
    )
    return HttpResponse(
        made.content,
        content_type="application/pdf",
        headers={
            "Content-Disposition": f'attachment; filename="{made.file_name}"',
            "Cache-Control": "private, no-store",
        },
    )


def _subject(request: ScopedRequest, kind: Kind) -> int | None:
    """Return what the report is about; BadRequest unless there is a number where there must be one."""
    text = request.GET.get("subject", "")
    if not kind.needs_subject:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 20 or int(text) >= _LARGEST_KEY:
        raise BadRequest(_("subject is the number of what the report is about"))
    return int(text)


def _quarter(request: ScopedRequest, kind: Kind) -> date | None:
    """Return the first day of the quarter asked for; None for the last that ended. BadRequest for any other day."""
    text = request.GET.get("quarter", "")
    if kind != Kind.REVIEW or not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise BadRequest(_("quarter is a day like 2026-07-01")) from None
    if day.day != 1 or day.month % 3 != 1 or not EARLIEST_YEAR <= day.year <= 9998:
        raise BadRequest(_("quarter is the first day of one"))
    return day
