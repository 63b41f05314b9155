"""Department report: one department, and everybody in it who is past due."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dashboard.figures.counts import Group, figures, figures_by
from dashboard.figures.selection import By, Filters
from dashboard.formats import day, number, percent
from dashboard.local_days import local_midnight
from dashboard.metrics import Counts
from dashboard.queries.departments import department_of
from dashboard.queries.past_due import AgeGroup, PastDuePerson, ageing, people_past_due
from dashboard.queries.past_due_found import Item
from dashboard.queries.past_due_groups import PastDue
from dashboard.reports import blocks
from dashboard.reports.document import Document, Question
from dashboard.reports.review import more
from dashboard.wording import findings
from sync.models.training import DueSource

# So many people make some two hundred pages.
MOST_PEOPLE = 5_000
MOST_CAMPAIGNS = 8


def department(question: Question, key: int) -> Document | None:
    """Return the report of a department, 0 for people without one; None when it is not in scope.

    For a department merged into another, the report is about that one.
    """
    home = department_of(question.scope, key)
    if home is None:
        return None
    pk, name = home
    name = name or _("No department")
    filters = Filters(departments=frozenset({pk}))
    asked: dict[str, Any] = {"filters": filters, "basis": question.basis}
    quarter = question.date.replace(month=(question.date.month - 1) // 3 * 3 + 1, day=1)
    now = figures(question.scope, as_of=question.as_of, **asked).net
    before = figures(question.scope, as_of=local_midnight(quarter, question.zone), **asked).net
    late = people_past_due(question.scope, as_of=question.as_of, limit=MOST_PEOPLE, **asked)
    items = PastDue.ask(question.scope, as_of=question.as_of, **asked).items([person.person_id for person in late])
    ages = ageing(question.scope, as_of=question.as_of, **asked).net
    campaigns = figures_by(question.scope, By.CAMPAIGN, as_of=question.as_of, **asked)
    scope = _("Department: %(name)s") % {"name": name}
    if not question.scope.sees_everyone and question.scope.label != name:
        scope = _("%(scope)s, of %(reader)s") % {"scope": scope, "reader": question.scope.label}
    return Document(
        question,
        "department",
        _("Department report, %(name)s") % {"name": name},
        _("Security training, department report"),
        scope,
        (
            (_("Department"), blocks.cut(name, 48)),
            (_("People"), number(now.people_active)),
            (_("As of"), question.moment),
        ),
        {
            "lead": _lead(now, name),
            "figures": blocks.standing_figures(now, before, date_format(quarter - timedelta(days=1), "j M")),
            "ageing": {
                "finding": findings.ageing_finding(ages),
                "what": _("People by their oldest enrollment past due"),
                "bars": _bars(ages),
            },
            "campaigns": _campaigns(campaigns),
            "people": {
                "finding": _people_finding(now, late),
                "what": _("Whoever has been past due for longest comes first"),
                "table": _people(now, late, items),
            },
            "definitions": blocks.definitions("completion_rate", "on_time_rate", "people_compliant", "people_past_due"),
        },
    )


def _lead(now: Counts, name: str) -> list[dict[str, Any]]:
    words = {"n": number(now.people_past_due), "all": number(now.people_counted), "name": name}
    if not now.people_counted:
        return blocks.lead(blocks.sentence(_("Nobody in %(name)s is enrolled in training that counts.") % words))
    if not now.people_past_due:
        return blocks.lead(
            blocks.sentence(_("No one in %(name)s is past due.") % words),
            blocks.sentence(
                _("%(rate)s of their training is completed.") % {"rate": percent(now.completion_rate)}, "quiet"
            ),
        )
    late = ngettext(
        "%(n)s of %(all)s people in %(name)s is past due.",
        "%(n)s of %(all)s people in %(name)s are past due.",
        now.people_past_due,
    )
    return blocks.lead(
        blocks.sentence(late % words, "due"),
        blocks.sentence(
            _("%(rate)s of their training is completed.") % {"rate": percent(now.completion_rate)}, "quiet"
        ),
    )


def _bars(ages: Sequence[AgeGroup]) -> list[dict[str, Any]]:
    most = max((group.people for group in ages), default=0)
    return [
        {
            "label": str(group.age.label),
            "share": group.people / most if most else 0.0,
            "text": number(group.people),
            "tone": str(place),
        }
        for place, group in enumerate(ages, start=1)
    ]


def _campaigns(groups: Sequence[Group]) -> dict[str, Any]:
    ranked = sorted(
        (group for group in groups if group.totals.net.counted and group.key),
        key=lambda group: (-group.totals.net.past_due, group.name.casefold(), str(group.key)),
    )
    behind = [group for group in ranked if group.totals.net.past_due]
    if not ranked:
        finding = _("No campaign asks anything of them")
    elif not behind:
        finding = _("No campaign is past due")
    else:
        finding = _("%(campaign)s is behind most") % {"campaign": behind[0].name}
    return {
        "finding": finding,
        "what": _("Campaigns, the most past due first"),
        "table": blocks.table(
            [
                blocks.column(_("Campaign"), share=1),
                blocks.column(_("Counted"), right=True),
                blocks.column(_("Completed"), right=True),
                blocks.column(_("Past due"), right=True),
            ],
            (
                [
                    blocks.cut(group.name, 60),
                    blocks.count(group.totals.net.counted),
                    blocks.rate(group.totals.net.completion_rate),
                    blocks.late(group.totals.net.past_due),
                ]
                for group in ranked[:MOST_CAMPAIGNS]
            ),
            empty=_("Nothing is asked of anybody here."),
            note=more(len(ranked) - MOST_CAMPAIGNS),
        ),
    }


def _people_finding(now: Counts, late: Sequence[PastDuePerson]) -> str:
    if not late:
        return _("No one is past due")
    first = late[0]
    return ngettext(
        "%(n)s person is past due; %(name)s for longest, %(days)s days",
        "%(n)s people are past due; %(name)s for longest, %(days)s days",
        now.people_past_due,
    ) % {
        "n": number(now.people_past_due),
        "name": blocks.cut(first.name, 60),
        "days": number(first.days_past_due),
    }


def _people(now: Counts, late: Sequence[PastDuePerson], items: dict[tuple[int, int], Item]) -> dict[str, Any]:
    rows = []
    for person in late:
        item = items.get((0, person.person_id))
        rows.append(
            [
                blocks.named(blocks.cut(person.name), blocks.cut(person.email)),
                blocks.cut(person.manager) or _("No manager"),
                blocks.named(blocks.cut(item.campaign) or _("No campaign"), "") if item else "",
                blocks.named(day(person.oldest_due_at), str(DueSource(item.due_source).label) if item else ""),
                number(person.items),
                {"text": number(person.days_past_due), "strong": True},
            ]
        )
    return blocks.table(
        [
            # All of them shares: Typst would lay out a thousand cells twice to find how wide a column must be.
            blocks.column(_("Person"), share=15),
            blocks.column(_("Manager"), share=8),
            blocks.column(_("Oldest past due"), share=12),
            blocks.column(_("Due date"), share=9),
            blocks.column(_("Items"), share=3, right=True),
            blocks.column(_("Days"), share=3, right=True),
        ],
        rows,
        empty=_("Everybody is up to date: there is nobody to list."),
        note=more(now.people_past_due - len(rows)),
    )
