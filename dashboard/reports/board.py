"""Board report: one page that says whether training is in order, where it is going, and where to look."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dashboard.charts.periods import Plot
from dashboard.figures.selection import By
from dashboard.formats import ahead, number, percent
from dashboard.queries import overview as queries
from dashboard.queries.past_due import Ageing, ageing
from dashboard.queries.trends import Trend, trend
from dashboard.queries.vacancies import nobody_in
from dashboard.reports import blocks, drawing
from dashboard.reports.document import Document, Question
from dashboard.wording import findings
from dashboard.wording.review import chart_finding
from dashboard.wording.trends import short_name

QUARTERS = 8
# What fits on one page, whatever the names.
DEPARTMENTS, CAMPAIGNS, RISKS = 10, 4, 5
NAME, SENTENCE = 60, 84


def board(question: Question) -> Document:
    """Return the report of everybody in scope."""
    found = queries.overview(question.scope, as_of=question.as_of, basis=question.basis)
    trended = trend(question.scope, as_of=question.as_of, count=QUARTERS, basis=question.basis)
    ages = ageing(question.scope, as_of=question.as_of)
    lead = findings.overview_lead(found.headline, found.departments, nobody_in(question.scope))
    when = date_format(trended.periods[-2].end - timedelta(days=1), "j M") if len(trended.periods) > 1 else ""
    title = _("Board report")
    scope = question.scope
    return Document(
        question,
        "board",
        title if scope.sees_everyone else f"{title}, {scope.label}",
        _("Security training, board report"),
        scope.label,
        (
            (_("Scope"), blocks.cut(scope.label, 48)),
            (_("People"), number(found.headline.people)),
            (_("As of"), question.moment),
        ),
        {
            "lead": blocks.lead(
                blocks.sentence(lead.fact + lead.comparison.rstrip(), "due" if lead.is_due else "fact"),
                blocks.sentence(blocks.cut(lead.context, SENTENCE), "quiet"),
            ),
            "figures": blocks.standing_figures(found.headline.now, trended.everybody.stood[-2], when),
            "trend": {
                "finding": chart_finding(trended),
                "what": _("Completion and on-time rate of training due, by quarter"),
                "chart": rates_chart(trended),
            },
            "risks": {"title": _("What to look at"), "items": _risks(question, found, ages)},
            "departments": _departments(found.departments),
            "campaigns": _campaigns(question, found.campaigns),
        },
    )


def rates_chart(trended: Trend, *, most_ticks: int = 5) -> dict[str, Any]:
    """Return the chart of what was completed, and on time, by quarter."""
    due = trended.everybody.due[trended.before :]
    plot = Plot(
        [short_name(period, By.QUARTER) for period in trended.periods],
        drawing.rates(
            [cohort.completion_rate.percent for cohort in due],
            [cohort.on_time_rate.percent for cohort in due],
            [percent(cohort.completion_rate) for cohort in due],
            [percent(cohort.on_time_rate) for cohort in due],
        ),
        is_rate=True,
        is_running=trended.periods[-1].is_running,
    )
    told = "; ".join(
        _("%(quarter)s: completed %(completion)s, on time %(on_time)s")
        % {
            "quarter": period.quarter,
            "completion": percent(cohort.completion_rate),
            "on_time": percent(cohort.on_time_rate),
        }
        for period, cohort in zip(trended.periods, due, strict=True)
    )
    return drawing.of_plot(plot, told, most_ticks=most_ticks)


def _risks(question: Question, found: queries.Overview, ages: Ageing) -> list[str]:
    """Return what deserves a look, most pressing first; never an empty list."""
    now = found.headline.now
    told = []
    if now.people_past_due:
        told += [findings.ageing_finding(ages.net), findings.departments_finding(found.departments)]
    told += [
        findings.campaigns_finding(found.campaigns),
        findings.deadlines_finding(queries.next_deadlines(found.campaigns), question.as_of),
    ]
    if now.unknown_due:
        told.append(
            ngettext(
                "%(n)s enrollment was extended in KnowBe4 to a date its API does not tell",
                "%(n)s enrollments were extended in KnowBe4 to dates its API does not tell",
                now.unknown_due,
            )
            % {"n": number(now.unknown_due)}
        )
    if found.headline.exempt:
        told.append(
            ngettext(
                "%(n)s enrollment is exempt and in no rate",
                "%(n)s enrollments are exempt and in no rate",
                found.headline.exempt,
            )
            % {"n": number(found.headline.exempt)}
        )
    return [blocks.cut(text, SENTENCE) for text in told[:RISKS]]


def _departments(departments: Sequence[queries.DepartmentRow]) -> dict[str, Any]:
    rows = sorted(
        (row for row in departments if row.people),
        key=lambda row: (-(row.share.percent or 0), -row.now.people_past_due, row.name.casefold(), row.pk),
    )
    most = max((row.share.percent or 0.0 for row in rows), default=0.0)
    more = len(rows) - DEPARTMENTS
    return {
        "finding": blocks.cut(findings.departments_finding(departments), SENTENCE),
        "what": _("The largest share of people past due first"),
        "table": blocks.table(
            [
                blocks.column(_("Department"), share=3),
                blocks.column(_("People"), right=True),
                blocks.column(_("Completion rate"), right=True),
                blocks.column(_("On-time rate"), right=True),
                blocks.column(_("Past due"), right=True),
                blocks.column(_("Share past due"), share=2, right=True),
            ],
            (
                [
                    blocks.cut(findings.department_name(row), NAME),
                    blocks.count(row.people),
                    blocks.rate(row.now.completion_rate),
                    blocks.rate(row.now.on_time_rate),
                    blocks.late(row.now.people_past_due),
                    blocks.share(row.share, most),
                ]
                for row in rows[:DEPARTMENTS]
            ),
            empty=_("No department has anybody in training."),
            note=ngettext("And %(n)s more department.", "And %(n)s more departments.", more) % {"n": number(more)}
            if more > 0
            else "",
        ),
    }


def _campaigns(question: Question, campaigns: Sequence[queries.CampaignRow]) -> dict[str, Any]:
    counted = sorted(
        (row for row in campaigns if row.totals.counted and (row.open or row.totals.people_past_due)),
        key=lambda row: (-row.totals.people_past_due, str(row.campaign).casefold(), row.campaign.pk),
    )
    more = len(counted) - CAMPAIGNS
    return {
        "finding": blocks.cut(findings.campaigns_finding(campaigns), SENTENCE),
        "what": _("Campaigns with work left, the most people past due first"),
        "table": blocks.table(
            [
                blocks.column(_("Campaign"), share=1),
                blocks.column(_("Next deadline"), right=True),
                blocks.column(_("Counted"), right=True),
                blocks.column(_("Completion rate"), right=True),
                blocks.column(_("Past due"), right=True),
            ],
            (
                [
                    blocks.cut(row.campaign, NAME),
                    ahead(row.next_due_at, question.as_of) if row.next_due_at else _("Passed"),
                    blocks.count(row.totals.counted),
                    blocks.rate(row.totals.completion_rate),
                    blocks.late(row.totals.people_past_due),
                ]
                for row in counted[:CAMPAIGNS]
            ),
            empty=_("No campaign has work left."),
            note=ngettext("And %(n)s more with work left.", "And %(n)s more with work left.", more)
            % {"n": number(more)}
            if more > 0
            else "",
        ),
    }
