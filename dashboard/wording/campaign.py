"""Sentences of the pages about campaigns, computed from figures, and facts in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from dashboard.figures.counts import Group
from dashboard.formats import ahead, day, number, percent, points
from dashboard.metrics import CampaignState, Counts, Requirement, Totals
from dashboard.models import InferredTrigger, Trigger
from dashboard.queries.campaign import BurnDay, CampaignFigures
from dashboard.queries.campaigns import CampaignPlan, CampaignRow, next_deadline
from dashboard.rate import Rate
from dashboard.wording.findings import people_count
from sync.models import Enrollment
from sync.models.training import ContentType, DueSource

# Below this many enrollments a department's rate says nothing.
SMALL = 5
WEEK = 7
# After so many days the date of a deadline says more than how long it has been.
LONG_AGO = 60
HALF, THREE_QUARTERS = 50, 75

_COUNTED_CONTENT = {
    ContentType.MODULE: lambda n: ngettext("%(n)s module", "%(n)s modules", n),
    ContentType.VIDEO: lambda n: ngettext("%(n)s video", "%(n)s videos", n),
    ContentType.GAME: lambda n: ngettext("%(n)s game", "%(n)s games", n),
    ContentType.ASSESSMENT: lambda n: ngettext("%(n)s assessment", "%(n)s assessments", n),
    ContentType.POLICY: lambda n: ngettext("%(n)s policy", "%(n)s policies", n),
    ContentType.NEWSLETTER: lambda n: ngettext("%(n)s newsletter", "%(n)s newsletters", n),
    ContentType.POSTER: lambda n: ngettext("%(n)s poster", "%(n)s posters", n),
    ContentType.OTHER: lambda n: ngettext("%(n)s other item", "%(n)s other items", n),
}
_CADENCES = {
    "month": gettext_lazy("Campaigns of this name come each month"),
    "quarter": gettext_lazy("Campaigns of this name come each quarter"),
    "half_year": gettext_lazy("Campaigns of this name come each half-year"),
    "year": gettext_lazy("Campaigns of this name come each year"),
}


def state_words(plan: CampaignPlan) -> str:
    """Return a campaign's state; KnowBe4's own word where Rollcall does not know it."""
    if plan.state == CampaignState.OTHER and plan.campaign.reported_status:
        return plan.campaign.reported_status
    return str(plan.state.label)


def content_words(plan: CampaignPlan, *, is_short: bool = False) -> str:
    """Return how much a campaign asks for: "2 modules, 1 policy, 35 minutes"; in short "3 items" or "1 module"."""
    kinds: dict[str, int] = {}
    for item in plan.content:
        kinds[item.content_type] = kinds.get(item.content_type, 0) + 1
    if is_short and len(kinds) > 1:
        return ngettext("%(n)s item", "%(n)s items", len(plan.content)) % {"n": number(len(plan.content))}
    parts = [_COUNTED_CONTENT[ContentType(kind)](count) % {"n": number(count)} for kind, count in kinds.items()]
    if plan.minutes and not is_short:
        parts.append(ngettext("%(n)s minute", "%(n)s minutes", plan.minutes) % {"n": number(plan.minutes)})
    return ", ".join(parts)


def trigger_words(plan: CampaignPlan) -> str:
    """Return what makes a campaign enroll people, to stand without a label."""
    return _("Trigger unknown") if plan.trigger == Trigger.UNKNOWN else str(plan.trigger.label)


def audience_words(plan: CampaignPlan) -> str:
    """Return whom a campaign is for: everybody, its one group, or how many groups."""
    if plan.is_for_everybody:
        return _("All users")
    if len(plan.groups) == 1:
        return plan.groups[0]
    if not plan.groups:
        return _("No group")
    return ngettext("%(n)s group", "%(n)s groups", len(plan.groups)) % {"n": number(len(plan.groups))}


def split_of(counts: Counts) -> tuple[list[tuple[str, int]], str]:
    """Return the parts of a bar over a campaign's states, and the same in words."""
    parts = [
        ("done", counts.completed - counts.completed_late, _("%(n)s completed on time or without deadline")),
        ("late", counts.completed_late, _("%(n)s completed late")),
        ("progress", counts.in_progress, _("%(n)s in progress")),
        ("todo", counts.not_started, _("%(n)s not started")),
        ("due", counts.past_due, _("%(n)s past due")),
    ]
    label = ", ".join(words % {"n": number(count)} for _name, count, words in parts if count)
    return [(name, count) for name, count, _words in parts], label or _("Nothing counted")


def trigger_reason(plan: CampaignPlan) -> str:
    """Return why a campaign is taken to have its trigger: an administrator's choice, or the rule that told it."""
    if plan.is_trigger_chosen:
        return _("Chosen by an administrator")
    if plan.inferred is None:
        return _("Not looked at yet")
    rule, evidence = plan.inferred.rule, plan.inferred.evidence
    rules: Mapping[str, str] = {
        InferredTrigger.Rule.NAME: _("Its name says “%(evidence)s”"),
        InferredTrigger.Rule.GROUP_NAME: _("Its group is called “%(evidence)s”"),
        InferredTrigger.Rule.FAILED_TEST: _("%(evidence)s people looked at had just failed a phishing test"),
        InferredTrigger.Rule.START_DATE: _("%(evidence)s people looked at had just started work"),
        InferredTrigger.Rule.AUTO_ENROLL: _("New members of %(evidence)s are enrolled automatically"),
        InferredTrigger.Rule.NONE: _("Neither its name, its groups nor its people tell"),
    }
    if rule == InferredTrigger.Rule.RECURRING:
        return str(_CADENCES.get(evidence, InferredTrigger.Rule.RECURRING.label))
    return rules[rule] % {"evidence": evidence}


def due_rule(plan: CampaignPlan) -> str:
    """Return what gives a campaign's people their due date."""
    if plan.deadline is not None:
        return _("The campaign’s end, the same for everybody")
    if plan.is_rolling:
        return _("%(duration)s from each person’s enrollment") % {"duration": plan.campaign.relative_duration}
    return _("None: nobody can be past due, unless KnowBe4 says so")


def due_source_words(row: Enrollment) -> str:
    """Return which rule gave an enrollment its due date."""
    return str(DueSource(row.due_source).label)


def campaigns_lead(rows: Sequence[CampaignRow], as_of: datetime) -> tuple[str, CampaignRow | None, str]:
    """Return how many campaigns are active, the one whose deadline comes next, and when that is."""
    active = sum(1 for row in rows if row.plan.state == CampaignState.ACTIVE)
    if not rows:
        return _("KnowBe4 has no training campaign."), None, ""
    if not active:
        return (
            ngettext("The only campaign is not active.", "None of %(n)s campaigns is active.", len(rows))
            % {"n": number(len(rows))},
            None,
            "",
        )
    fact = ngettext("%(active)s of %(n)s campaign is active.", "%(active)s of %(n)s campaigns are active.", len(rows))
    following = next_deadline(rows, as_of)
    if following is None or following.plan.deadline is None:
        return fact % {"active": number(active), "n": number(len(rows))}, None, ""
    return (
        fact % {"active": number(active), "n": number(len(rows))},
        following,
        ahead(following.plan.deadline, as_of),
    )


@dataclass(frozen=True)
class Lead:
    """A campaign's first sentences: how far it is against its deadline, who is past due, and where it is heading."""

    fact: str
    past_due: str = ""
    context: str = ""


def campaign_lead(plan: CampaignPlan, figures: CampaignFigures, *, as_of: datetime, zone: Any) -> Lead:
    """Say how many have completed a campaign, against its deadline, and whether the rest will."""
    counts = figures.totals.net
    if not plan.is_counted:
        return Lead(_not_counted(plan), context=_("Its enrollments are listed below as KnowBe4 has them."))
    if not counts.counted:
        return Lead(*_nobody(plan, figures.totals, as_of))
    past_due = ""
    if counts.past_due:
        people = counts.people_past_due or counts.past_due
        past_due = ngettext("%(n)s person is past due.", "%(n)s people are past due.", people) % {"n": intcomma(people)}
    if counts.completed == counts.counted:
        return Lead(_("Everyone has completed it%(when)s.") % {"when": _when(plan, as_of, zone)})
    if not counts.completed:
        return Lead(_("No one has completed it yet."), past_due, _just_started(plan, figures.days, as_of, zone))
    fact = _("%(rate)s have completed it%(when)s.") % {
        "rate": percent(counts.completion_rate),
        "when": _when(plan, as_of, zone),
    }
    return Lead(fact, past_due, _forecast(plan, figures.days, counts, as_of))


def _not_counted(plan: CampaignPlan) -> str:
    if plan.requirement == Requirement.OPTIONAL:
        return _("This campaign is optional, so no figure counts it.")
    if plan.requirement == Requirement.EXCLUDED:
        return _("This campaign is excluded, so no figure counts it.")
    return _("This campaign was cancelled in KnowBe4, so no figure counts it.")


def _nobody(plan: CampaignPlan, totals: Totals, as_of: datetime) -> tuple[str, str, str]:
    start = plan.campaign.start_at
    if totals.exempt:
        exempt = ngettext("Its only enrollment is exempt.", "All its %(n)s enrollments are exempt.", totals.exempt)
        return exempt % {"n": intcomma(totals.exempt)}, "", ""
    if start is not None and start > as_of:
        return (
            _("It starts %(when)s, on %(day)s.") % {"when": ahead(start, as_of), "day": day(start)},
            "",
            _("Nobody is enrolled before that."),
        )
    if start is None:
        return _("It has no start date yet."), "", _("Nobody is enrolled before it starts.")
    return _("Nobody active is enrolled in it."), "", _("Enrollments of people who left are in no figure.")


def _days_between(first: datetime, last: datetime, zone: Any) -> int:
    return (last.astimezone(zone).date() - first.astimezone(zone).date()).days


def _when(plan: CampaignPlan, as_of: datetime, zone: Any) -> str:
    """Return where the moment lies against the deadline, to follow a statement."""
    if plan.is_rolling:
        return _("; each person has %(duration)s") % {"duration": plan.campaign.relative_duration}
    if plan.deadline is None:
        return _("; it has no deadline")
    days = _days_between(as_of, plan.deadline, zone)
    if days == 0:
        return _(", on the day of the deadline")
    if days > 0:
        return ngettext(", %(n)s day before the deadline", ", %(n)s days before the deadline", days) % {
            "n": intcomma(days)
        }
    if -days > LONG_AGO:
        return _("; the deadline was %(day)s") % {"day": day(plan.deadline)}
    return ngettext(", %(n)s day after the deadline", ", %(n)s days after the deadline", -days) % {"n": intcomma(-days)}


def _just_started(plan: CampaignPlan, days: Sequence[BurnDay], as_of: datetime, zone: Any) -> str:
    """Explain that nobody has completed a campaign: it has only just begun, or it has not."""
    if not days:
        return ""
    ran = (days[-1].date - days[0].date).days
    if ran == 0:
        begun = _("It enrolled its first people today, so there is nothing to see yet")
    else:
        begun = ngettext(
            "It enrolled its first people %(n)s day ago", "It enrolled its first people %(n)s days ago", ran
        ) % {"n": intcomma(ran)}
    if plan.deadline is None or plan.deadline <= as_of:
        return f"{begun}."
    left = _days_between(as_of, plan.deadline, zone)
    return ngettext("%(begun)s; %(n)s day is left.", "%(begun)s; %(n)s days are left.", left) % {
        "begun": begun,
        "n": intcomma(left),
    }


def _forecast(plan: CampaignPlan, days: Sequence[BurnDay], counts: Counts, as_of: datetime) -> str:
    """Say what the pace of the last week makes of the days that are left; nothing once the deadline has passed."""
    if plan.deadline is None or plan.deadline <= as_of or len(days) < 2:
        return ""
    before = days[-min(len(days), WEEK + 1)]
    gained = counts.completed - before.completed
    if gained <= 0:
        return _("No one has completed it in the last %(n)s days.") % {"n": (days[-1].date - before.date).days}
    pace = gained / (days[-1].date - before.date).days
    by_then = min(counts.counted, counts.completed + int(pace * ((plan.deadline - as_of) / timedelta(days=1))))
    if by_then == counts.counted:
        return _("At the pace of the last week, everyone will have by then.")
    return _("At the pace of the last week, about %(rate)s will have by then.") % {
        "rate": f"{by_then * 100 // counts.counted}%"
    }


def reached(days: Sequence[BurnDay], share: int) -> date | None:
    """Return the day from whose end on at least `share` percent had completed, for good; None if that is not so."""
    found = None
    for row in reversed(days):
        if row.completed * 100 < share * row.counted:
            break
        found = row.date
    return found


def on_day(days: Sequence[BurnDay], wanted: date) -> BurnDay | None:
    """Return one of the days."""
    if not days or not days[0].date <= wanted <= days[-1].date:
        return None
    return days[(wanted - days[0].date).days]


def short(day_: date, today: date) -> str:
    """Write a day of this year without it."""
    return date_format(day_, "j M" if day_.year == today.year else "j M Y")


def burn_finding(days: Sequence[BurnDay], deadline: date | None) -> str:
    """Say when half and three quarters had finished, and how many had by the deadline."""
    today = days[-1].date
    half, most = reached(days, HALF), reached(days, THREE_QUARTERS)
    at_deadline = on_day(days, deadline) if deadline and deadline < today else None
    if half is None:
        return _before_half(days, at_deadline)
    if half == days[0].date:
        fact = _("Half had finished on the first day")
    else:
        fact = _("Half had finished by %(day)s") % {"day": short(half, today)}
    if at_deadline is not None:
        return _("%(fact)s; %(rate)s had by the deadline") % {"fact": fact, "rate": percent(at_deadline.rate)}
    if most is not None and most != half:
        return _("%(fact)s, three quarters by %(day)s") % {"fact": fact, "day": short(most, today)}
    if most is None:
        return _("%(fact)s; three quarters have not yet") % {"fact": fact}
    return fact


def _before_half(days: Sequence[BurnDay], at_deadline: BurnDay | None) -> str:
    """Say how far it has come where half have not finished: by the deadline, or within the last week."""
    ran = (days[-1].date - days[0].date).days
    if at_deadline is not None:
        return _("%(rate)s had finished by the deadline") % {"rate": percent(at_deadline.rate)}
    gained = days[-1].rate.points_since(days[-min(len(days), WEEK + 1)].rate)
    if ran < WEEK or gained is None:
        return ngettext("%(rate)s have finished after %(n)s day", "%(rate)s have finished after %(n)s days", ran) % {
            "rate": percent(days[-1].rate),
            "n": intcomma(ran),
        }
    if gained <= 0:
        return _("The share has not grown in the last week")
    return _("The last week added %(points)s") % {"points": points(gained)}


def status_finding(counts: Counts) -> str:
    """Say how many have not begun while nothing is due yet; after that, how many completions came late."""
    if not counts.due and not counts.completed_late and counts.not_started:
        return _("%(rate)s have not started") % {"rate": percent(Rate(counts.not_started, counts.counted))}
    if not counts.completed:
        started = Rate(counts.in_progress, counts.counted)
        return _("%(rate)s have started") % {"rate": percent(started)} if counts.in_progress else _("No one has begun")
    if not counts.completed_late:
        return _("No completion came after its deadline")
    share = counts.completed / counts.completed_late
    if counts.completed_late == counts.completed:
        return _("Every completion came after the deadline")
    if share < 2:
        return _("%(rate)s of completions came after the deadline") % {
            "rate": percent(Rate(counts.completed_late, counts.completed))
        }
    return _("One in %(n)s completions came after the deadline") % {"n": intcomma(round(share))}


def departments_finding(groups: Sequence[Group]) -> str:
    """Name the department with the lowest completion rate, and how many have no one past due."""
    named = [group for group in groups if group.name and group.totals.net.counted]
    if not named:
        return _("No one in it has a department in KnowBe4")
    clear = sum(1 for group in named if not group.totals.net.past_due)
    ranked = [group for group in named if group.totals.net.counted >= SMALL] or named
    lowest = min(ranked, key=lambda group: (group.totals.net.completion_rate.percent or 0, group.name.casefold()))
    rate = lowest.totals.net.completion_rate
    if rate.numerator == rate.denominator:
        return _("Every department has completed it")
    fact = _("%(department)s is lowest at %(rate)s") % {"department": lowest.name, "rate": percent(rate)}
    if clear == len(named):
        return _("%(fact)s; no department has anyone past due") % {"fact": fact}
    if not clear:
        return _("%(fact)s; every department has someone past due") % {"fact": fact}
    return ngettext(
        "%(fact)s; %(n)s department has no one past due", "%(fact)s; %(n)s departments have no one past due", clear
    ) % {"fact": fact, "n": intcomma(clear)}


def enrolled_words(totals: Totals) -> str:
    """Return how many people are counted, or enrollments where people are not known."""
    counts = totals.net
    if counts.people_counted and counts.people_counted != counts.counted:
        return _("%(enrollments)s enrollments of %(people)s") % {
            "enrollments": intcomma(counts.counted),
            "people": people_count(counts.people_counted),
        }
    return people_count(counts.counted)


def ran_words(plan: CampaignPlan) -> str:
    """Return from when to when a campaign runs."""
    start, end = plan.campaign.start_at, plan.deadline
    if start is None:
        return _("No start date")
    if end is None:
        return _("From %(start)s, open-ended") % {"start": day(start)}
    first = localtime(start).date()
    return _("%(start)s to %(end)s") % {"start": short(first, localtime(end).date()), "end": day(end)}
