"""Quarterly review: the page of that name as a document to sign."""

from datetime import timedelta
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from dashboard.formats import day, number, percent, points
from dashboard.queries.review import Review
from dashboard.queries.review import review as read_review
from dashboard.queries.trends import Course, Period
from dashboard.reports import blocks
from dashboard.reports.board import rates_chart
from dashboard.reports.document import Document, Question
from dashboard.wording import review as words
from dashboard.wording.trends import department_name

MOST_EXEMPTIONS = 200
MOST_CAMPAIGNS = 100
MOST_CONTENT = 100


def review(question: Question, quarter: Period) -> Document | None:
    """Return the review of a quarter; None for whoever sees nobody."""
    found = read_review(question.scope, quarter, basis=question.basis)
    if found is None:
        return None
    name, scope = words.quarter(found), question.scope
    title = _("Quarterly review, %(quarter)s") % {"quarter": name}
    heading = (
        _("Security training review, %(quarter)s to date")
        if quarter.is_running
        else _("Security training review, %(quarter)s")
    )
    last = quarter.end - timedelta(days=1)
    return Document(
        question,
        "review",
        title if scope.sees_everyone else f"{title}, {scope.label}",
        heading % {"quarter": name},
        scope.label,
        (
            (
                _("Period"),
                _("%(first)s to %(last)s")
                % {"first": date_format(quarter.start, "j M"), "last": date_format(last, "j M Y")},
            ),
            (_("Scope"), blocks.cut(scope.label, 48)),
            (_("People"), number(found.trend.everybody.stood[-1].people_counted)),
        ),
        {
            "lead": blocks.lead(blocks.sentence(words.lead(found))),
            "figures": [
                blocks.figure(each.title, each.value, each.note, is_worse=each.is_worse)
                for each in words.figures(found)
            ],
            "trend": {
                "finding": words.chart_finding(found.trend),
                "what": _("Completion rate and on-time rate by quarter"),
                "chart": rates_chart(found.trend, most_ticks=8),
            },
            "movement": {
                "title": _("What moved since %(before)s, and why") % {"before": words.before_name(found)},
                "items": words.movement(found),
            },
            "tables": [_departments(found), _campaigns(found), _content(found), _exemptions(found)],
            "gaps": {
                "title": _("What the next quarter begins with"),
                "items": [gap.text for gap in words.gaps(found)],
            },
            "definitions": _definitions(),
            "sign_off": {
                "title": _("Sign-off"),
                "how": _("Name, date and signature"),
                "who": [_("Security manager"), _("Chief risk officer"), _("Internal audit")],
            },
        },
    )


def _on(found: Review) -> str:
    return date_format(found.quarter.end - timedelta(days=1), "j M Y")


def _rank(course: Course) -> tuple[float, int, str]:
    rate = course.due[-1].completion_rate.percent
    return (101.0 if rate is None else rate, -course.stood[-1].people_past_due, course.name.casefold())


def _departments(found: Review) -> dict[str, Any]:
    ranked = sorted((course for course in found.trend.departments if course.due[-1].due), key=_rank)
    everybody = found.trend.everybody
    due, target = everybody.due[-1], float(found.target)
    rows = []
    for course in ranked:
        cohort, before = course.due[-1], course.due[-2]
        change = cohort.on_time_rate.points_since(before.on_time_rate)
        rows.append(
            [
                department_name(course),
                blocks.count(course.stood[-1].people_counted),
                blocks.count(cohort.due),
                blocks.count(cohort.completed_by_end),
                blocks.count(words.late(cohort)),
                blocks.rate(cohort.completion_rate, target),
                blocks.rate(cohort.on_time_rate),
                _change(change),
                blocks.late(course.stood[-1].people_past_due),
            ]
        )
    return blocks.section(
        words.departments_finding(found, ranked),
        _("Training due in the quarter by department, the lowest completion first; people past due on %(day)s")
        % {"day": _on(found)},
        blocks.table(
            [
                blocks.column(_("Department"), share=1),
                *(
                    blocks.column(title, right=True)
                    for title in (
                        _("People"),
                        _("Due"),
                        _("Done"),
                        _("Late"),
                        _("Completion"),
                        _("On time"),
                        _("On %(before)s") % {"before": words.before_name(found)},
                        _("Past due"),
                    )
                ),
            ],
            rows,
            empty=_("No department had training due in %(quarter)s.") % {"quarter": words.quarter(found)},
            foot=[
                _("All departments") if len(ranked) > 1 else _("In all"),
                number(everybody.stood[-1].people_counted),
                number(due.due),
                number(due.completed_by_end),
                number(words.late(due)),
                percent(due.completion_rate),
                percent(due.on_time_rate),
                "",
                number(everybody.stood[-1].people_past_due),
            ]
            if ranked
            else (),
            note=_("Red rates are under the target of %(target)s.") % {"target": percent(found.target)},
        ),
    )


def _change(change: float | None) -> str:
    if change is None:
        return "–"
    if not change:
        return _("No change")
    return ("+" if change > 0 else "−") + points(change)


def _campaigns(found: Review) -> dict[str, Any]:
    return blocks.section(
        words.campaigns_finding(found.campaigns),
        _("Campaigns that ran or fell due in the quarter, as they stood on %(day)s") % {"day": _on(found)},
        blocks.table(
            [
                blocks.column(_("Campaign"), share=1),
                *(
                    blocks.column(title, right=True)
                    for title in (
                        _("Counted"),
                        _("Due"),
                        _("Done"),
                        _("Late"),
                        _("Completion"),
                        _("On time"),
                        _("Past due"),
                    )
                ),
            ],
            (
                [
                    blocks.cut(row.campaign),
                    blocks.count(row.counts.counted),
                    blocks.count(row.due_in_quarter),
                    blocks.count(row.counts.completed),
                    blocks.count(row.counts.completed_late),
                    blocks.rate(row.counts.completion_rate),
                    blocks.rate(row.counts.on_time_rate),
                    blocks.late(row.counts.people_past_due),
                ]
                for row in found.campaigns[:MOST_CAMPAIGNS]
            ),
            empty=_("No campaign with training that counts had dates in this quarter."),
            note=more(len(found.campaigns) - MOST_CAMPAIGNS),
        ),
    )


def _content(found: Review) -> dict[str, Any]:
    rows: list[list[blocks.Cell]] = []
    for row in found.content[:MOST_CONTENT]:
        if row.is_retired:
            retired_at = row.content.retirement_at
            text = _("Retired on %(date)s") % {"date": day(retired_at)} if retired_at else _("Retired")
            state = {"text": text, "tone": "due"}
        else:
            state = {
                "text": _("Retires on %(date)s") % {"date": day(row.retires_at)} if row.retires_at else _("Current")
            }
        if row.is_stale:
            state["sub"] = _("Not rotated for two quarters")
        others = len(row.campaigns) - 1
        used = blocks.cut(row.campaigns[0], 60)
        rows.append(
            [
                blocks.cut(row.content),
                str(row.content.content_type),
                _("%(first)s and %(n)s more") % {"first": used, "n": others} if others else used,
                state,
            ]
        )
    return blocks.section(
        words.content_finding(found.content),
        _("Content of these campaigns: current, retired, or in use for three quarters running"),
        blocks.table(
            [
                blocks.column(_("Content"), share=3),
                blocks.column(_("Type")),
                blocks.column(_("Used by"), share=3),
                blocks.column(_("State"), share=2),
            ],
            rows,
            empty=_("These campaigns came without content."),
            note=more(len(found.content) - MOST_CONTENT),
        ),
    )


def _exemptions(found: Review) -> dict[str, Any]:
    rows = []
    for exemption in found.exemptions[:MOST_EXEMPTIONS]:
        who = str(exemption.person) if exemption.person else _("Group %(name)s") % {"name": exemption.group}
        rows.append(
            [
                blocks.cut(who),
                blocks.cut(exemption.campaign) if exemption.campaign else _("All campaigns"),
                exemption.get_reason_display(),
                day(exemption.stops_at) if exemption.stops_at else _("Open-ended"),
                str(exemption.approved_by),
            ]
        )
    return blocks.section(
        words.exemptions_finding(found),
        "",
        blocks.table(
            [
                blocks.column(_("Who"), share=2),
                blocks.column(_("From"), share=2),
                blocks.column(_("Reason"), share=1),
                blocks.column(_("Until")),
                blocks.column(_("Approved by"), share=2),
            ],
            rows,
            empty=_("Everybody is counted."),
            note=more(len(found.exemptions) - MOST_EXEMPTIONS),
        ),
    )


def more(count: int) -> str:
    """Say how many rows were left out; nothing when none were."""
    return _("And %(n)s more.") % {"n": number(count)} if count > 0 else ""


def _definitions() -> dict[str, Any]:
    return {
        "title": _("How the figures are counted"),
        "items": [
            {
                "title": _("Completion rate"),
                "value": _(
                    "Enrollments completed by the end of the quarter, out of those that fell due in it. Approved "
                    "exemptions are left out. Rates are rounded down."
                ),
            },
            {
                "title": _("On-time rate"),
                "value": _(
                    "Enrollments completed no later than their own due date, out of those whose due date has passed."
                ),
            },
            {
                "title": _("People past due"),
                "value": _(
                    "Active people with at least one enrollment that was due and not completed at the end of the "
                    "quarter, whenever it fell due."
                ),
            },
            {
                "title": _("Completed late"),
                "value": _("Enrollments of the quarter completed after their due date and by the quarter's end."),
            },
        ],
    }
