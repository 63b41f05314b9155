"""The sentences that say the answer first, computed from the figures. Never awkward for none or one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dashboard.formats import ahead
from dashboard.metrics import Age, CampaignState
from dashboard.queries.overview import CampaignRow, Day, DepartmentRow, Headline
from dashboard.queries.past_due import AgeGroup
from dashboard.queries.past_due_found import PastDueGroup
from dashboard.queries.sync_status import Progress

# Below this many people one past-due person makes a share that says nothing.
SMALL = 5


def people_count(count: int) -> str:
    """Write a number of people: "1 person", "1,204 people"."""
    return ngettext("%(n)s person", "%(n)s people", count) % {"n": intcomma(count)}


def department_name(row: DepartmentRow) -> str:
    """Return a department's name as shown; blank is "No department"."""
    return row.name or _("No department")


@dataclass(frozen=True)
class Lead:
    """The page's first sentence: what is so, how that compares, and who has most of it."""

    fact: str
    comparison: str
    context: str
    is_due: bool


def overview_lead(headline: Headline, departments: Sequence[DepartmentRow], vacancy: str = "") -> Lead:
    """Say how many people are past due, against a week ago, and where most of them are.

    `vacancy`: that nobody is left in the reader's scope, which is why nothing is counted (`nobody_in`).
    """
    now, before = headline.now.people_past_due, headline.week_ago.people_past_due
    if not headline.now.counted:
        return Lead(
            _("Nobody is enrolled in training that counts"),
            ".",
            vacancy or _("KnowBe4 has no enrollment of an active person."),
            False,
        )
    if not now:
        context = ""
        if before:
            context = ngettext("A week ago %(n)s person was.", "A week ago %(n)s people were.", before) % {
                "n": intcomma(before)
            }
        return Lead(_("No one is past due"), ".", context, False)
    fact = ngettext("%(n)s person is past due", "%(n)s people are past due", now) % {"n": intcomma(now)}
    if not before:
        comparison = _(", up from none a week ago.")
    elif now < before:
        comparison = _(", down from %(n)s a week ago.") % {"n": intcomma(before)}
    elif now > before:
        comparison = _(", up from %(n)s a week ago.") % {"n": intcomma(before)}
    else:
        comparison = _(", as many as a week ago.")
    return Lead(fact, comparison, _most_of_them(now, departments), True)


def _most_of_them(everybody: int, departments: Sequence[DepartmentRow]) -> str:
    """Name the department with the most people past due, when there is a single one among several."""
    if len(departments) < 2:
        return ""
    ranked = sorted((row for row in departments if row.now.people_past_due), key=lambda row: -row.now.people_past_due)
    if not ranked:
        return ""
    first, name = ranked[0].now.people_past_due, department_name(ranked[0])
    if first == everybody:
        if everybody == 1:
            return _("They are in %(department)s.") % {"department": name} if ranked[0].name else ""
        return _("All of them are in %(department)s.") % {"department": name} if ranked[0].name else ""
    if len(ranked) > 1 and ranked[1].now.people_past_due == first:
        return ""
    if not ranked[0].name:
        return _("%(n)s of them have no department.") % {"n": intcomma(first)}
    return _("%(department)s has %(n)s of them.") % {"department": name, "n": intcomma(first)}


def past_due_finding(days: Sequence[Day]) -> str:
    """Say where the 90 days went: from the peak to today, or that today is the peak, or that nothing happened."""
    peak = max(days, key=lambda day: (day.people, day.date))
    low = min(days, key=lambda day: (day.people, day.date))
    last = days[-1]
    if not peak.people:
        return _("No one has been past due in the last %(days)s days") % {"days": len(days)}
    if peak.people == low.people:
        return _("Past due has not moved in %(days)s days") % {"days": len(days)}
    if last.people == peak.people:
        return _("Past due is at its highest in %(days)s days") % {"days": len(days)}
    on = {"peak": intcomma(peak.people), "date": date_format(peak.date, "j M"), "now": intcomma(last.people)}
    if not last.people:
        return _("Past due peaked at %(peak)s on %(date)s and has cleared since") % on
    return _("Past due peaked at %(peak)s on %(date)s and stands at %(now)s") % on


def ageing_finding(rows: Sequence[AgeGroup]) -> str:
    """Say how many people have been past due for more than 30 days."""
    if not any(row.people for row in rows):
        return _("No one is past due")
    long_ago = sum(row.people for row in rows if row.age in {Age.TWO_MONTHS, Age.QUARTER, Age.OLDER})
    if not long_ago:
        return _("No one has been past due for more than 30 days")
    return ngettext(
        "%(n)s person has been past due for more than 30 days",
        "%(n)s people have been past due for more than 30 days",
        long_ago,
    ) % {"n": intcomma(long_ago)}


def departments_finding(rows: Sequence[DepartmentRow]) -> str:
    """Name the department with the most past due for its size, and those with none; of a single one say how many."""
    named = [row for row in rows if row.name]
    if len(rows) == 1 and named:
        only, late = rows[0], rows[0].now.people_past_due
        if not late:
            return _("Nobody in %(department)s is past due") % {"department": only.name}
        words = ngettext(
            "%(n)s of the %(all)s people in %(department)s is past due",
            "%(n)s of the %(all)s people in %(department)s are past due",
            late,
        )
        return words % {"n": intcomma(late), "all": intcomma(only.people), "department": only.name}
    if not rows:
        return _("There is no department to show")
    if not named:
        return _("No one has a department in KnowBe4")
    clear = sorted(
        (row for row in named if not row.now.people_past_due and row.people), key=lambda row: row.name.casefold()
    )
    worst = max(
        (row for row in named if row.people >= SMALL and row.now.people_past_due),
        key=lambda row: (row.share.percent or 0, row.now.people_past_due),
        default=None,
    )
    if worst is None:
        if len(clear) == len(named):
            return _("No department has anyone past due")
        return _("Only very small departments have anyone past due")
    most = _("%(department)s has the most past due for its size") % {"department": worst.name}
    if not clear:
        return most
    if len(clear) == 1:
        return _("%(most)s; %(department)s has none") % {"most": most, "department": clear[0].name}
    if len(clear) == 2:
        return _("%(most)s; %(first)s and %(second)s have none") % {
            "most": most,
            "first": clear[0].name,
            "second": clear[1].name,
        }
    return _("%(most)s; %(n)s departments have none") % {"most": most, "n": len(clear)}


def managers_finding(groups: Sequence[PastDueGroup]) -> str:
    """Say how the people past due are spread over managers, or who has a good part of them. `groups`: most first."""
    if not groups:
        return _("No manager has anyone past due")
    most, everybody = groups[0].people, sum(group.people for group in groups)
    if len(groups) == 1:
        return _("Everyone past due who has a manager reports to %(manager)s") % {"manager": groups[0].name}
    if most * 4 >= everybody and groups[1].people < most:
        return _("%(manager)s has %(n)s of the %(all)s people past due who have a manager") % {
            "manager": groups[0].name,
            "n": intcomma(most),
            "all": intcomma(everybody),
        }
    words = ngettext(
        "No manager has more than %(most)s person past due; the %(all)s are spread over %(teams)s teams",
        "No manager has more than %(most)s people past due; the %(all)s are spread over %(teams)s teams",
        most,
    )
    return words % {"most": intcomma(most), "all": intcomma(everybody), "teams": intcomma(len(groups))}


def campaigns_finding(rows: Sequence[CampaignRow]) -> str:
    """Say how many campaigns are active and which of them is furthest behind."""
    if not rows:
        return _("KnowBe4 has no training campaign")
    running = [row for row in rows if row.state == CampaignState.ACTIVE]
    active = len(running)
    if not active:
        return _("No campaign is active")
    fact = ngettext("%(n)s campaign is active", "%(n)s campaigns are active", active) % {"n": intcomma(active)}
    behind = max(running, key=lambda row: (row.totals.people_past_due, row.campaign.pk))
    if not behind.totals.people_past_due:
        return _("%(fact)s; none of them has anyone past due") % {"fact": fact}
    return _("%(fact)s; %(campaign)s has the most people past due") % {"fact": fact, "campaign": behind.campaign}


def deadlines_finding(rows: Sequence[CampaignRow], as_of: datetime) -> str:
    """Say what falls due next."""
    if not rows or rows[0].next_due_at is None:
        return _("Nothing open has a deadline ahead")
    return _("%(campaign)s falls due %(when)s") % {
        "campaign": rows[0].campaign,
        "when": ahead(rows[0].next_due_at, as_of),
    }


def due_soon_note(days: Sequence[Day]) -> str:
    """Name the day on which most of the coming work falls due."""
    busiest = max(days, key=lambda day: (day.people, -day.date.toordinal()))
    if not busiest.people:
        return _("Nothing falls due")
    if sum(1 for day in days if day.people) == 1:
        return _("All on %(date)s") % {"date": date_format(busiest.date, "j M")}
    return _("Most on %(date)s") % {"date": date_format(busiest.date, "j M")}


def big_deadlines(rows: Sequence[CampaignRow], days: Sequence[Day], zone: object) -> list[tuple[date, str]]:
    """Return campaign deadlines within the days, those after which past due rose most first."""
    rise = {day.date: after.people - day.people for day, after in pairwise(days)}
    by_day: dict[date, CampaignRow] = {}
    for row in rows:
        if row.is_rolling or row.campaign.end_at is None or row.state == CampaignState.CANCELLED:
            continue
        end = row.campaign.end_at.astimezone(zone).date()  # type: ignore[arg-type]
        if end in rise and (end not in by_day or row.totals.due > by_day[end].totals.due):
            by_day[end] = row
    steepest = sorted(by_day, key=lambda day: (-_rise(rise, day), day))
    return [(day, str(by_day[day].campaign)) for day in steepest if _rise(rise, day) > 0][:3]


def _rise(rise: dict[date, int], day: date) -> int:
    """Return how much past due rose at a deadline: on its day or the next, as ends at midnight show a day late."""
    before = date.fromordinal(day.toordinal() - 1)
    return max(rise.get(day, 0), rise.get(before, 0))


def runs_finding(runs: Sequence[Progress]) -> str:
    """Say how many of the runs shown came to nothing."""
    ended = [progress for progress in runs if not progress.is_running]
    if not ended:
        return _("The first sync is running") if runs else _("Nothing was synced yet")
    in_vain = sum(1 for progress in ended if progress.run.published_at is None)
    if not in_vain:
        return ngettext("The last run was published", "All of the last %(n)s runs were published", len(ended)) % {
            "n": len(ended)
        }
    if in_vain == len(ended):
        return ngettext(
            "The only run so far published nothing", "None of the last %(n)s runs was published", len(ended)
        ) % {"n": len(ended)}
    return ngettext(
        "%(n)s of the last %(all)s runs published nothing", "%(n)s of the last %(all)s runs published nothing", in_vain
    ) % {"n": in_vain, "all": len(ended)}
