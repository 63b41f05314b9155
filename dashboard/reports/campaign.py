"""Campaign report: how far one campaign is against its deadline, and who is past due in it."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from dashboard.charts import burn_up
from dashboard.figures.counts import Group
from dashboard.formats import day, number, percent
from dashboard.metrics import Counts, Totals, days_past_due
from dashboard.queries import campaign as queries
from dashboard.queries.campaign import CampaignFigures, Show
from dashboard.queries.campaigns import CampaignPlan, plans
from dashboard.reports import blocks, drawing
from dashboard.reports.document import Document, Question
from dashboard.reports.review import more
from dashboard.wording import campaign as words
from sync.models import Enrollment

MOST_PEOPLE = 2_000
MOST_DEPARTMENTS = 200


def campaign(question: Question, pk: int) -> Document | None:
    """Return the report of a campaign; None for any but the account's own."""
    found = plans(question.scope.campaigns().filter(pk=pk), as_of=question.as_of)
    if not found:
        return None
    plan, scope = found[0], question.scope
    figures = queries.figures_of(scope, plan.campaign, as_of=question.as_of, basis=question.basis)
    lead = words.campaign_lead(plan, figures, as_of=question.as_of, zone=question.zone)
    counts = figures.totals.net
    name = blocks.cut(plan.campaign)
    title = _("Campaign report, %(name)s") % {"name": name}
    tables = []
    if counts.counted:
        tables = [_departments(figures.departments), _people(question, plan, figures)]
    return Document(
        question,
        "campaign",
        title if scope.sees_everyone else f"{title}, {scope.label}",
        _("Campaign report: %(name)s") % {"name": name},
        scope.label,
        (
            (_("Scope"), blocks.cut(scope.label, 48)),
            (_("State"), words.state_words(plan)),
            (_("As of"), question.moment),
        ),
        {
            "lead": blocks.lead(
                blocks.sentence(lead.fact),
                blocks.sentence(lead.past_due, "due"),
                blocks.sentence(lead.context, "quiet"),
            ),
            "figures": _figures(counts) if counts.counted else [],
            "facts": _facts(plan, figures.totals),
            "burn": _burn(question, plan, figures),
            "states": _states(counts) if counts.counted else None,
            "tables": tables,
            "definitions": blocks.definitions("completion_rate", "on_time_rate", "people_past_due", "counted"),
        },
    )


def _figures(counts: Counts) -> list[dict[str, Any]]:
    of = _("%(n)s of %(all)s")
    return [
        blocks.figure(
            _("Completion rate"),
            percent(counts.completion_rate),
            of % {"n": number(counts.completed), "all": number(counts.counted)},
        ),
        blocks.figure(
            _("On-time rate"),
            percent(counts.on_time_rate),
            of % {"n": number(counts.on_time), "all": number(counts.due)} if counts.due else _("Nothing due yet"),
        ),
        blocks.figure(_("Past due"), number(counts.past_due), _("enrollments")),
        blocks.figure(_("Completed late"), number(counts.completed_late), _("enrollments")),
    ]


def _facts(plan: CampaignPlan, totals: Totals) -> list[dict[str, Any]]:
    enrolled = words.enrolled_words(totals)
    if totals.exempt:
        enrolled = _("%(enrolled)s, %(n)s exempt") % {"enrolled": enrolled, "n": number(totals.exempt)}
    pairs = (
        (_("Ran") if plan.is_over else _("Runs"), words.ran_words(plan)),
        (_("Due date"), words.due_rule(plan)),
        (_("Trigger"), str(plan.trigger.label)),
        (_("Enrolled"), enrolled),
        (_("Audience"), blocks.cut(words.audience_words(plan))),
        (_("Content"), words.content_words(plan) or _("None told")),
    )
    return [{"title": title, "value": value} for title, value in pairs]


def _burn(question: Question, plan: CampaignPlan, figures: CampaignFigures) -> dict[str, Any] | None:
    if not figures.days or not figures.totals.net.counted:
        return None
    deadline = plan.deadline.astimezone(question.zone).date() if plan.deadline else None
    days = burn_up.window(figures.days, deadline)
    finding = words.burn_finding(figures.days, deadline)
    return {
        "finding": finding,
        "what": _("Share of enrollments completed, by day"),
        "chart": drawing.of_burn_up(
            days,
            deadline,
            _("%(finding)s. In the end: %(rate)s") % {"finding": finding, "rate": percent(days[-1].rate)},
        ),
    }


def _states(counts: Counts) -> dict[str, Any]:
    parts = (
        ("done", _("Completed on time or without deadline"), counts.completed - counts.completed_late),
        ("late", _("Completed late"), counts.completed_late),
        ("progress", _("In progress"), counts.in_progress),
        ("todo", _("Not started"), counts.not_started),
        ("due", _("Past due"), counts.past_due),
    )
    return {
        "finding": words.status_finding(counts),
        "what": _("Enrollments by state"),
        "parts": [{"tone": tone, "label": label, "count": n, "text": number(n)} for tone, label, n in parts],
    }


def _departments(groups: Sequence[Group]) -> dict[str, Any]:
    ranked = sorted(
        groups,
        key=lambda group: (
            _percent(group),
            -group.totals.net.past_due,
            not group.name,
            group.name.casefold(),
        ),
    )
    return blocks.section(
        words.departments_finding(groups),
        _("Departments, the lowest completion first"),
        blocks.table(
            [
                blocks.column(_("Department"), share=1),
                *(
                    blocks.column(title, right=True)
                    for title in (
                        _("Counted"),
                        _("Completed"),
                        _("Late"),
                        _("In progress"),
                        _("Not started"),
                        _("Completion rate"),
                        _("Past due"),
                    )
                ),
            ],
            (
                [
                    blocks.cut(group.name) or _("No department"),
                    blocks.count(group.totals.net.counted),
                    blocks.count(group.totals.net.completed),
                    blocks.count(group.totals.net.completed_late),
                    blocks.count(group.totals.net.in_progress),
                    blocks.count(group.totals.net.not_started),
                    blocks.rate(group.totals.net.completion_rate),
                    blocks.late(group.totals.net.past_due),
                ]
                for group in ranked[:MOST_DEPARTMENTS]
            ),
            empty=_("No department takes part."),
            note=more(len(ranked) - MOST_DEPARTMENTS),
        ),
    )


def _percent(group: Group) -> float:
    rate = group.totals.net.completion_rate.percent
    return 101.0 if rate is None else rate


def _people(question: Question, plan: CampaignPlan, figures: CampaignFigures) -> dict[str, Any]:
    count = figures.totals.net.past_due
    rows = queries.listed(
        question.scope, plan.campaign, Show.PAST_DUE, count, as_of=question.as_of, basis=question.basis
    )[0 : min(count, MOST_PEOPLE)]
    return blocks.section(
        _("%(n)s enrollments are past due") % {"n": number(count)} if count else _("No one is past due"),
        _("The earliest due date first"),
        blocks.table(
            [
                blocks.column(_("Person"), share=5),
                blocks.column(_("Department"), share=3),
                blocks.column(_("Manager"), share=3),
                blocks.column(_("Due date")),
                blocks.column(_("Days"), right=True),
            ],
            [_person(question, row) for row in rows],
            empty=_("Nothing in this campaign is past due."),
            note=more(count - len(rows)),
        ),
    )


def _person(question: Question, row: Enrollment) -> list[Any]:
    person = row.person
    home = person.department.merged_into or person.department if person and person.department else None
    manager = (str(person.manager) if person.manager else person.manager_name.strip()) if person else ""
    days = days_past_due(row.due_at, question.as_of, question.zone) if row.due_at else None
    return [
        blocks.named(blocks.cut(person or ""), blocks.cut(person.email if person else "")),
        blocks.cut(home.name) if home and home.key else _("No department"),
        blocks.cut(manager) or _("No manager"),
        blocks.named(day(row.due_at) if row.due_at else "–", words.due_source_words(row)),
        {"text": number(days), "strong": True},
    ]
