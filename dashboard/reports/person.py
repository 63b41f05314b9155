"""Person record: what one person was asked, what became of it, and what is on file."""

from typing import Any

from django.utils.translation import gettext as _

from dashboard.formats import day
from dashboard.metrics import State
from dashboard.models import Exemption
from dashboard.queries.person import Owed, Record, read_person
from dashboard.reports import blocks
from dashboard.reports.document import Document, Question
from dashboard.reports.review import more
from dashboard.wording import person as words

MOST_EVENTS = 60


def person(question: Question, pk: int) -> Document | None:
    """Return a person's record; None for anybody out of scope."""
    record = read_person(
        question.scope, pk, as_of=question.as_of, now=question.now, basis=question.basis, quiet=words.QUIET
    )
    if record is None:
        return None
    shown = record.was or record.person
    full, name = blocks.cut(shown), shown.first_name or str(shown)
    lead = words.lead(record, name, as_of=question.as_of, zone=question.zone)
    owed = f"{lead['before']} {lead['fact']}{lead['after']}." if lead["fact"] else f"{lead['before']}."
    return Document(
        question,
        "person",
        _("Person record, %(name)s") % {"name": full},
        _("Training record: %(name)s") % {"name": full},
        _("Person: %(name)s") % {"name": full},
        (
            (_("Department"), blocks.cut(record.department, 40) or _("No department")),
            (_("Employee number"), record.person.employee_number or "–"),
            (_("As of"), question.moment),
        ),
        {
            "lead": blocks.lead(
                blocks.sentence(blocks.cut(owed, 200), "due" if lead["fact"] else "fact"),
                blocks.sentence(lead["rest"], "quiet"),
            ),
            "facts": _facts(record),
            "tables": [
                _enrollments(question, record, name),
                _tests(question, record, name),
                *([_exemptions(question, record)] if record.exemptions else []),
                _events(question, record),
            ],
        },
    )


def _facts(record: Record) -> list[dict[str, Any]]:
    shown = record.was or record.person
    line = " › ".join(above.name for above in record.line[:3]) or _("No manager")
    score = shown.current_risk_score
    pairs = [
        (_("Role"), shown.job_title or "–"),
        (_("Reporting line") if len(record.line) > 1 else _("Manager"), line),
        (_("Email"), record.person.email or "–"),
        (_("Joined"), day(record.person.joined_at) if record.person.joined_at else "–"),
        (_("Risk score"), "–" if score is None else f"{score:.1f}"),
        (_("Status"), _("Active") if record.is_active else _("Not active")),
    ]
    return [{"title": title, "value": blocks.cut(value, 120)} for title, value in pairs]


def _enrollments(question: Question, record: Record, name: str) -> dict[str, Any]:
    return blocks.section(
        words.deadlines_finding(record, name, as_of=question.as_of),
        _("Every enrollment, the newest first"),
        blocks.table(
            [
                blocks.column(_("Training"), share=5),
                blocks.column(_("Enrolled")),
                blocks.column(_("Due date"), share=3),
                blocks.column(_("State"), share=2),
                blocks.column(_("Completed"), share=3),
            ],
            [_enrollment(question, owed) for owed in record.enrollments],
            empty=_("This person was never enrolled in anything."),
            note=more(record.enrollments_in_all - len(record.enrollments)),
        ),
    )


def _enrollment(question: Question, owed: Owed) -> list[Any]:
    row = owed.enrollment
    title, content = words.title(owed), str(row.content)
    label, mark = str(owed.state.label), owed.state.mark
    outcome, note = words.outcome(owed, as_of=question.as_of, zone=question.zone)
    cause = content if content != title else ""
    if owed.reason is not None:
        cause = _("Not counted: %(reason)s") % {"reason": owed.reason.label}
    elif owed.failed is not None:
        cause = _("After “%(test)s”") % {"test": owed.failed.test.template_name or owed.failed.test}
    return [
        blocks.named(blocks.cut(title), blocks.cut(cause, 120)),
        day(row.enrolled_at),
        blocks.named(day(row.due_at) if row.due_at else "–", words.due_source(row)),
        blocks.marked(mark, str(label), is_due=owed.state == State.PAST_DUE),
        blocks.named(outcome, note),
    ]


def _tests(question: Question, record: Record, name: str) -> dict[str, Any]:
    tests = words.tested(record.tests, question.as_of)
    lately = [test for test in tests if test.sent_at > question.as_of - words.YEAR]
    return blocks.section(
        words.tests_finding(lately, name),
        _("Simulated phishing emails, the latest first"),
        blocks.table(
            [
                blocks.column(_("Sent")),
                blocks.column(_("What it pretended to be"), share=3),
                blocks.column(_("What was done"), share=2),
            ],
            (
                [
                    day(test.sent_at),
                    blocks.cut(test.name),
                    blocks.marked(test.mark, test.words, is_due=test.is_failed),
                ]
                for test in tests
            ),
            empty=_("No simulated phishing email was sent to this person."),
        ),
    )


def _exemptions(question: Question, record: Record) -> dict[str, Any]:
    return blocks.section(
        _("Exemptions on file"),
        "",
        blocks.table(
            [
                blocks.column(_("From"), share=2),
                blocks.column(_("Reason"), share=2),
                blocks.column(_("Begins")),
                blocks.column(_("Until")),
                blocks.column(_("State"), share=1),
            ],
            [_exemption(question, exemption) for exemption in record.exemptions],
            empty=_("There is none."),
        ),
    )


def _exemption(question: Question, exemption: Exemption) -> list[Any]:
    state = exemption.state(question.as_of)
    return [
        blocks.cut(exemption.campaign) if exemption.campaign else _("All campaigns"),
        exemption.get_reason_display(),
        day(exemption.starts_at),
        day(exemption.stops_at) if exemption.stops_at else _("Open-ended"),
        blocks.marked(words.EXEMPTION_STATES[state], str(state.label)),
    ]


def _events(question: Question, record: Record) -> dict[str, Any]:
    events = words.events(record, as_of=question.as_of)
    return blocks.section(
        words.events_finding(events),
        _("What happened, and what syncs saw change, the latest first"),
        blocks.table(
            [blocks.column(_("Date")), blocks.column(_("What"), share=1), blocks.column(_("About"), share=1)],
            (
                [
                    day(event.at),
                    {
                        "text": blocks.cut(
                            _("%(what)s, late") % {"what": event.words} if event.is_late else event.words, 140
                        ),
                        **({"mark": event.mark} if event.mark else {}),
                    },
                    blocks.cut(event.about),
                ]
                for event in events[:MOST_EVENTS]
            ),
            empty=_("Nothing is recorded yet."),
            note=more(len(events) - MOST_EVENTS),
        ),
    )
