"""The sentences of a quarter's review, computed from its figures: what is so, what moved it, what comes next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dashboard.formats import number, percent, points
from dashboard.local_days import quarter_name
from dashboard.metrics import Cohort
from dashboard.queries.review import CampaignRow, ContentRow, Review
from dashboard.queries.trends import Course, Trend
from dashboard.rate import Rate
from dashboard.wording.trends import SMALL, department_name, mover

# How many departments "the lowest" are.
LOWEST = 3


@dataclass(frozen=True)
class Figure:
    """One of the four figures: its value, and how it changed since the quarter before."""

    title: str
    value: str
    note: str
    is_worse: bool


@dataclass(frozen=True)
class Gap:
    """Something the next quarter begins with; `name` says which list it belongs to."""

    name: str
    text: str


def quarter(found: Review) -> str:
    """Return the quarter's name: "Q3 2026"."""
    return found.quarter.quarter


def before_name(found: Review) -> str:
    """Return the name of the quarter before, without its year when it is the same."""
    before = found.trend.periods[-2]
    return before.quarter.split()[0] if before.start.year == found.quarter.start.year else before.quarter


def lead(found: Review) -> str:
    """Say how much was completed and how many people were past due at the end."""
    cohort, stood = found.trend.everybody.due[-1], found.trend.everybody.stood[-1]
    name = quarter(found)
    if not cohort.due:
        return _("No training fell due in %(quarter)s.") % {"quarter": name}
    words = {"rate": percent(cohort.completion_rate), "quarter": name}
    if found.quarter.is_running:
        done = _("%(rate)s of training due in %(quarter)s is completed so far.") % words
    else:
        done = _("%(rate)s of training due in %(quarter)s was completed by quarter end.") % words
    people = stood.people_past_due
    if found.quarter.is_running:
        late = ngettext("%(n)s person is past due.", "%(n)s people are past due.", people)
        none = _("No one is past due.")
    else:
        late = ngettext("%(n)s person was past due.", "%(n)s people were past due.", people)
        none = _("No one was past due.")
    return f"{done} {late % {'n': number(people)} if people else none}"


def figures(found: Review) -> list[Figure]:
    """Return the four figures of the quarter with their change since the one before, at its own end."""
    course, other = found.trend.everybody, before_name(found)
    (before, now), (stood_before, stood) = course.due[-2:], course.stood[-2:]
    return [
        _rate(_("Completion rate"), now.completion_rate, before.completion_rate, other),
        _rate(_("On-time rate"), now.on_time_rate, before.on_time_rate, other),
        _count(
            _("People past due"),
            stood.people_past_due,
            stood_before.people_past_due if stood_before.counted else None,
            other,
        ),
        _count(_("Completed late"), late(now), late(before) if before.due else None, other),
    ]


def late(cohort: Cohort) -> int:
    """Return how many enrollments of the quarter were completed after their due date, and by the quarter's end."""
    return cohort.completed_by_end - cohort.on_time


def _rate(title: str, now: Rate, before: Rate, other: str) -> Figure:
    change = now.points_since(before)
    if change is None:
        return Figure(
            title, percent(now), _("%(other)s: nothing due") % {"other": other} if now.denominator else "", False
        )
    words = {"other": other, "value": percent(before), "change": points(change)}
    if not change:
        return Figure(title, percent(now), _("As in %(other)s") % words, False)
    note = _("Up %(change)s on %(other)s, %(value)s") if change > 0 else _("Down %(change)s on %(other)s, %(value)s")
    return Figure(title, percent(now), note % words, change < 0)


def _count(title: str, now: int, before: int | None, other: str) -> Figure:
    if before is None:
        return Figure(title, number(now), _("%(other)s: nobody counted") % {"other": other}, False)
    words = {"other": other, "value": number(before), "change": number(abs(now - before))}
    if now == before:
        return Figure(title, number(now), _("As in %(other)s") % words, False)
    note = _("Up %(change)s on %(other)s, %(value)s") if now > before else _("Down %(change)s on %(other)s, %(value)s")
    return Figure(title, number(now), note % words, now > before)


def chart_finding(trend: Trend) -> str:
    """Say where on-time completion went in a year, and how low completion has been since the first quarter shown."""
    course, periods = trend.everybody, trend.periods
    due = course.due[trend.before :]
    change = due[-1].on_time_rate.points_since(course.due[-1 - trend.before].on_time_rate)
    known = [
        (cohort.completion_rate, place)
        for place, cohort in enumerate(due[:-1] if periods[-1].is_running else due)
        if cohort.due
    ]
    if not known:
        return _("No training fell due in the quarters shown")
    lowest = min((rate.percent or 0.0 for rate, _place in known), default=0.0)
    since = periods[known[0][1]].quarter
    words = {"lowest": percent(lowest), "since": since}
    steady = _("completion has not been under %(lowest)s since %(since)s") % words
    if change is None:
        return steady[:1].upper() + steady[1:]
    moved = {"change": points(change), "steady": steady}
    if not change:
        return _("On time is where it was a year before; %(steady)s") % moved
    if change > 0:
        return _("On time has risen %(change)s in a year; %(steady)s") % moved
    return _("On time has fallen %(change)s in a year; %(steady)s") % moved


def departments_finding(found: Review, ranked: Sequence[Course]) -> str:
    """Name the departments with the lowest completion."""
    low = [
        course
        for course in ranked
        if course.due[-1].due >= SMALL and (course.due[-1].completion_rate.percent or 0) < 100
    ]
    if not low:
        return _("Every department completed all of its training") if ranked else _("No department had training due")
    first = low[0]
    words = {"department": department_name(first), "rate": percent(first.due[-1].completion_rate)}
    if len(low) == 1:
        return _("%(department)s completed least, %(rate)s; every other department completed all") % words
    others = [department_name(course) for course in low[1:LOWEST]]
    words["others"] = others[0] if len(others) == 1 else _("%(one)s and %(two)s") % {"one": others[0], "two": others[1]}
    return _("%(department)s completed least, %(rate)s, before %(others)s") % words


def campaigns_finding(rows: Sequence[CampaignRow]) -> str:
    """Name the campaign that left the most people past due."""
    if not rows:
        return _("No campaign ran in the quarter")
    worst = rows[0]
    if not worst.counts.people_past_due:
        return ngettext(
            "The only campaign left no one past due", "None of the %(n)s campaigns left anyone past due", len(rows)
        ) % {"n": len(rows)}
    return _("%(campaign)s left the most people past due, %(n)s") % {
        "campaign": worst.campaign,
        "n": number(worst.counts.people_past_due),
    }


def content_finding(rows: Sequence[ContentRow]) -> str:
    """Say how many items were used, and how many of them are retired or were not rotated."""
    if not rows:
        return _("KnowBe4 names no content for these campaigns")
    used = ngettext("%(n)s item was used", "%(n)s items were used", len(rows)) % {"n": len(rows)}
    retired, stale = sum(row.is_retired for row in rows), sum(row.is_stale for row in rows)
    parts = []
    if retired:
        parts.append(ngettext("%(n)s is retired", "%(n)s are retired", retired) % {"n": retired})
    if stale:
        parts.append(
            ngettext("%(n)s was not rotated for two quarters", "%(n)s were not rotated for two quarters", stale)
            % {"n": stale}
        )
    return f"{used}; {', '.join(parts)}" if parts else _("%(used)s, all of them current and rotated") % {"used": used}


def movement(found: Review) -> list[str]:
    """Say what moved the figures since the quarter before: which departments, and which campaigns."""
    course, other, sentences = found.trend.everybody, before_name(found), []
    before, now = course.due[-2:]
    change = now.on_time_rate.points_since(before.on_time_rate)
    if change:
        words = {"change": points(change), "other": other}
        sentences.append(
            _("On-time completion rose %(change)s on %(other)s.") % words
            if change > 0
            else _("On-time completion fell %(change)s on %(other)s.") % words
        )
        sentences += _without(found, change)
        for is_down in (change < 0, change > 0):
            moved = mover(found.trend.departments, len(course.due) - 1, is_down=is_down)
            if moved:
                words = {"department": department_name(moved[0]), "change": points(moved[1])}
                sentences.append(
                    _("%(department)s fell most, by %(change)s.") % words
                    if is_down
                    else _("%(department)s gained most, %(change)s.") % words
                )
    stood_before, stood = course.stood[-2:]
    grown = stood.people_past_due - stood_before.people_past_due
    most = max(found.trend.departments, key=lambda each: _grown(each) * (1 if grown > 0 else -1), default=None)
    if grown and most is not None and _grown(most) * grown > 0:
        words = {"n": number(abs(grown)), "department": department_name(most), "most": number(abs(_grown(most)))}
        sentences.append(
            _("%(n)s more people were past due at its end; %(department)s added %(most)s.") % words
            if grown > 0
            else _("%(n)s fewer people were past due at its end; %(department)s cleared %(most)s.") % words
        )
    behind = [row for row in found.campaigns if row.counts.people_past_due]
    if behind and stood.people_past_due:
        sentences.append(
            _("%(campaign)s alone accounts for %(n)s of the %(all)s people past due.")
            % {
                "campaign": behind[0].campaign,
                "n": number(behind[0].counts.people_past_due),
                "all": number(stood.people_past_due),
            }
        )
    return sentences or [_("Nothing moved since %(other)s.") % {"other": other}]


def _grown(course: Course) -> int:
    return course.stood[-1].people_past_due - course.stood[-2].people_past_due


def _without(found: Review, change: float) -> list[str]:
    """Name the department that moved the on-time rate most: what it would be without."""
    course = found.trend.everybody
    now = course.due[-1].on_time_rate
    moved = []
    for each in found.trend.departments:
        without = (course.due[-1] - each.due[-1]).on_time_rate
        earlier = (course.due[-2] - each.due[-2]).on_time_rate
        there = without.points_since(earlier)
        if there is not None:
            moved.append((change - there, each, without))
    if not moved:
        return []
    pull, each, without = (max if change > 0 else min)(moved, key=lambda item: item[0])
    if pull * change <= 0 or percent(without) == percent(now):
        return []
    return [
        _("Without %(department)s the on-time rate would be %(rate)s.")
        % {"department": department_name(each), "rate": percent(without)}
    ]


def gaps(found: Review) -> list[Gap]:
    """Return what the next quarter begins with: what is open, and what is missing."""
    course, next_name, listed = found.trend.everybody, quarter_name(found.following[0]), []
    people = course.stood[-1].people_past_due
    if people:
        listed.append(
            Gap(
                "past_due",
                ngettext(
                    "%(n)s person carries training past due into %(next)s.",
                    "%(n)s people carry training past due into %(next)s.",
                    people,
                )
                % {"n": number(people), "next": next_name},
            )
        )
    under = [
        each
        for each in found.trend.departments
        if each.due[-1].due >= SMALL and (each.due[-1].completion_rate.percent or 0) < float(found.target)
    ]
    if under:
        listed.append(
            Gap(
                "target",
                ngettext(
                    "%(n)s department ended under the target of %(target)s.",
                    "%(n)s departments ended under the target of %(target)s.",
                    len(under),
                )
                % {"n": number(len(under)), "target": percent(found.target)},
            )
        )
    planned = len(found.next_campaigns)
    if planned:
        text = ngettext("%(n)s campaign falls due in %(next)s", "%(n)s campaigns fall due in %(next)s", planned)
        names = ", ".join(str(campaign) for campaign in found.next_campaigns[:LOWEST])
        listed.append(Gap("planned", f"{text % {'n': number(planned), 'next': next_name}}: {names}."))
    else:
        listed.append(Gap("planned", _("No campaign has its deadline in %(next)s yet.") % {"next": next_name}))
    listed += _content_gaps(found, next_name)
    ending = [each for each in found.exemptions if each.stops_at and each.stops_at.date() < found.following[1]]
    if ending:
        listed.append(
            Gap(
                "exemptions",
                ngettext("%(n)s exemption ends in %(next)s.", "%(n)s exemptions end in %(next)s.", len(ending))
                % {"n": number(len(ending)), "next": next_name},
            )
        )
    unknown = course.stood[-1].unknown_due
    if unknown:
        listed.append(
            Gap(
                "unknown_due",
                ngettext(
                    "%(n)s enrollment was extended in KnowBe4 to a date its API does not tell.",
                    "%(n)s enrollments were extended in KnowBe4 to dates its API does not tell.",
                    unknown,
                )
                % {"n": number(unknown)},
            )
        )
    return listed


def _content_gaps(found: Review, next_name: str) -> list[Gap]:
    listed = []
    retired = [row for row in found.content if row.is_retired]
    if retired:
        listed.append(Gap("retired", _("Replace what is retired: %(names)s.") % {"names": _names(retired)}))
    retiring = [row for row in found.content if row.retires_at and row.retires_at.date() < found.following[1]]
    if retiring:
        words = {"names": _names(retiring), "next": next_name}
        listed.append(Gap("retiring", _("Retires before %(next)s ends: %(names)s.") % words))
    stale = [row for row in found.content if row.is_stale and not row.is_retired]
    if stale:
        listed.append(
            Gap("stale", _("Rotate what has been used for three quarters: %(names)s.") % {"names": _names(stale)})
        )
    return listed


def _names(rows: Sequence[ContentRow]) -> str:
    named = ", ".join(row.content.name for row in rows[:LOWEST])
    more = len(rows) - LOWEST
    return (
        ngettext("%(named)s and %(n)s more", "%(named)s and %(n)s more", more) % {"named": named, "n": more}
        if more > 0
        else named
    )


def exemptions_finding(found: Review) -> str:
    """Say how many exemptions were in force at the quarter's end."""
    count = len(found.exemptions)
    if not count:
        return _("No exemption was in force on %(day)s") % {"day": _day(found)}
    return ngettext("%(n)s exemption was in force on %(day)s", "%(n)s exemptions were in force on %(day)s", count) % {
        "n": number(count),
        "day": _day(found),
    }


def _day(found: Review) -> str:
    return date_format(found.quarter.end - timedelta(days=1), "j M Y")
