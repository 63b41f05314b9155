"""A person: what they owe, since when, and what to ask them."""

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from dashboard import audit
from dashboard.models import Exemption
from dashboard.pages.lanes import Axis, Lane
from dashboard.queries.person import Owed, Record, read_person
from dashboard.requests.filters import asked
from dashboard.scoped_request import ScopedRequest
from dashboard.wording import person as words

# Shown at once; the rest stands folded below.
FIRST_EVENTS = 12
FIRST_ENROLLMENTS = 12
FIRST_TESTS = 8


@dataclass(frozen=True)
class EnrollmentLine:
    """One enrollment as the page draws it. `note` is how it ended or what is left; `cause` why there is any."""

    owed: Owed
    title: str
    content: str
    state: str
    mark: str
    lane: Lane
    due_source: str
    outcome: str
    note: str
    cause: str

    @property
    def is_due(self) -> bool:
        """Whether it is past due."""
        return self.mark == "due"

    @property
    def is_open(self) -> bool:
        """Whether there is something left to do that counts."""
        return self.owed.counts and self.mark != "done"


@require_safe
def person(request: ScopedRequest, pk: int) -> HttpResponse:
    """Show one person as of the moment asked for; 404 for anybody out of scope."""
    record = read_person(
        request.scope,
        pk,
        as_of=request.as_of,
        now=request.now,
        basis=asked(request).basis,
        quiet=words.QUIET,
    )
    if record is None:
        raise Http404
    day = request.past_day
    audit.record(
        audit.Action.VIEWED_PERSON,
        account=request.account,
        user=request.user,
        subject=audit.Subject.PERSON,
        subject_id=pk,
        details={"as_of": day.isoformat()} if day else None,
    )
    return render(request, "dashboard/person.html", _context(request, record))


def _context(request: ScopedRequest, record: Record) -> dict[str, Any]:
    as_of, zone = request.as_of, request.account.zone
    shown = record.was or record.person
    name = shown.first_name or str(shown)
    axis = Axis.of(record.enrollments, as_of, zone)
    tests = words.tested(record.tests, as_of)
    lately = [test for test in tests if test.sent_at > as_of - words.YEAR]
    events = words.events(record, as_of=as_of)
    lines = [_line(owed, axis, request) for owed in record.enrollments]
    # What is still to be done stands at once, however old.
    shown_first = [line for place, line in enumerate(lines) if place < FIRST_ENROLLMENTS or line.is_open]
    return {
        "record": record,
        "shown": shown,
        "lead": words.lead(record, name, as_of=as_of, zone=zone),
        "axis": axis,
        "enrollments": shown_first,
        "earlier": [line for line in lines if line not in shown_first],
        "deadlines_finding": words.deadlines_finding(record, name, as_of=as_of),
        "lately": lately[::-1],
        "first_tests": tests[:FIRST_TESTS],
        "more_tests": tests[FIRST_TESTS:],
        "tests_finding": words.tests_finding(lately, name),
        "first_events": events[:FIRST_EVENTS],
        "more_events": events[FIRST_EVENTS:],
        "events_finding": words.events_finding(events),
        "reports": record.reports.rows,
        "reports_finding": _reports_finding(record, name),
        "exemptions": [_exemption(exemption, request) for exemption in record.exemptions],
        "risk": "–" if shown.current_risk_score is None else f"{shown.current_risk_score:.1f}",
        "above": record.line[0] if record.line else None,
    }


def _line(owed: Owed, axis: Axis, request: ScopedRequest) -> EnrollmentLine:
    row = owed.enrollment
    title = words.title(owed)
    state, mark = owed.state.label, owed.state.mark
    outcome, note = words.outcome(owed, as_of=request.as_of, zone=request.account.zone)
    content = str(row.content)
    cause = ""
    if owed.reason is not None:
        cause = _("Not counted: %(reason)s") % {"reason": owed.reason.label}
    elif owed.failed is not None:
        cause = _("After “%(test)s”") % {"test": owed.failed.test.template_name or owed.failed.test}
    return EnrollmentLine(
        owed=owed,
        title=title,
        content=content if content != title else "",
        state=str(state),
        mark=mark,
        lane=axis.lane(owed),
        due_source=words.due_source(row),
        outcome=outcome,
        note=note,
        cause=cause,
    )


def _exemption(exemption: Exemption, request: ScopedRequest) -> dict[str, Any]:
    state = exemption.state(request.as_of)
    return {"row": exemption, "state": state.label, "mark": words.EXEMPTION_STATES[state]}


def _reports_finding(record: Record, name: str) -> str:
    late = sum(1 for row in record.reports.rows if row.past_due)
    if not record.reports.total:
        return ""
    values = {"name": name, "n": record.reports.total, "late": late}
    if late and record.reports.total == 1:
        return _("The only person who reports to %(name)s has something past due") % values
    if not late:
        return _("Nobody who reports to %(name)s has anything past due") % values
    if late == len(record.reports.rows) < record.reports.total:
        return _("At least %(late)s of the %(n)s people who report to %(name)s have something past due") % values
    return (
        ngettext(
            "%(late)s of the %(n)s people who report to %(name)s has something past due",
            "%(late)s of the %(n)s people who report to %(name)s have something past due",
            late,
        )
        % values
    )
