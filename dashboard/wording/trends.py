"""The sentences of Trends, computed from the figures: each compares with something and names one thing to look at."""

from collections.abc import Sequence

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dashboard.figures.selection import By
from dashboard.formats import number, points
from dashboard.metrics import Cohort
from dashboard.queries.trends import Course, Period, Trend
from dashboard.rate import Rate
from dashboard.wording.trend_measures import MEASURES, Measure, Value, difference, settled, size, written

# Fewer enrollments than this due in a quarter make a department's rate say little.
SMALL = 5


def short_name(period: Period, by: By) -> str:
    """Return what a period is called on an axis: "Q3 26", "Nov 26"."""
    if by == By.MONTH:
        return date_format(period.start, "M y")
    return f"{period.quarter.split()[0]} {period.start:%y}"


def name(period: Period, by: By, *, beside: Period | None = None) -> str:
    """Return what a period is called in a sentence, without its year when that of the one `beside` it is the same."""
    is_plain = beside is not None and beside.start.year == period.start.year
    if by == By.MONTH:
        return date_format(period.start, "F" if is_plain else "F Y")
    return period.quarter.split()[0] if is_plain else period.quarter


def department_name(course: Course) -> str:
    """Return a department's name as shown."""
    return course.name or _("No department")


def chart_finding(trend: Trend, measure: Measure, by: By) -> str:
    """Say where a measure stands, and how that compares with the period before; of the running one, how it stands."""
    values = measure.values(trend.everybody)
    place = settled(trend, measure)
    here, at = trend.periods[place], trend.before + place
    fact = _standing(measure, values[at], name(here, by), is_now=measure.is_of_cohort is False)
    if values[at] is None:
        return fact
    compared = _against(measure, difference(values, at, at - 1), _before(trend, place, by))
    found = f"{fact}, {compared}" if compared else fact
    running = trend.periods[-1]
    if measure.is_of_cohort and running.is_running and place < len(trend.periods) - 1 and values[-1] is not None:
        return _("%(found)s; %(period)s stands at %(value)s so far") % {
            "found": found,
            "period": name(running, by, beside=here),
            "value": written(values[-1]),
        }
    return found


def _standing(measure: Measure, value: Value, period: str, *, is_now: bool) -> str:
    if value is None:
        return _("Nothing fell due in %(period)s") % {"period": period} if measure.is_of_cohort else _("Nobody counts")
    if isinstance(value, int):
        if not value:
            return _("No one is past due")
        return ngettext("%(n)s person is past due", "%(n)s people are past due", value) % {"n": number(value)}
    words = {"title": measure.label, "value": written(value), "period": period}
    return (
        _("%(value)s of people are compliant") % words if is_now else _("%(title)s was %(value)s in %(period)s") % words
    )


def _before(trend: Trend, place: int, by: By) -> str:
    """Return the name of the period before one shown; empty for the first."""
    return name(trend.periods[place - 1], by, beside=trend.periods[place]) if place else ""


def _against(measure: Measure, change: float | None, other: str) -> str:
    """Say how a value compares with that of another period; nothing when there is none."""
    if change is None or not other:
        return ""
    words = {"other": other, "change": points(change) if measure.is_rate else number(abs(int(change)))}
    if not change:
        return _("as in %(other)s") % words if measure.is_of_cohort else _("as at the end of %(other)s") % words
    if measure.is_of_cohort:
        return _("%(change)s over %(other)s") % words if change > 0 else _("%(change)s under %(other)s") % words
    if measure.is_rate:
        sentence = (
            _("%(change)s over the end of %(other)s") if change > 0 else _("%(change)s under the end of %(other)s")
        )
    else:
        sentence = _("%(change)s more than at the end of %(other)s")
        if change < 0:
            sentence = _("%(change)s fewer than at the end of %(other)s")
    return sentence % words


def lead(trend: Trend, by: By) -> tuple[list[tuple[str, int | None]], str]:
    """Return the first sentence in parts, a number with the place of the period behind it, and its context.

    It says where on-time completion went in a year, and since the period before.
    """
    measure = MEASURES["on_time"]
    values = measure.values(trend.everybody)
    place = settled(trend, measure)
    at, here = trend.before + place, trend.periods[place]
    if values[at] is None:
        return [(_("Nothing fell due in %(period)s.") % {"period": name(here, by)}, None)], ""
    year = difference(values, at, at - trend.before)
    last = difference(values, at, at - 1)
    parts: list[tuple[str, int | None]] = [
        (_("On-time completion was") + " ", None),
        (written(values[at]), place),
        (" " + _("in %(period)s") % {"period": name(here, by)}, None),
    ]
    if year is None:
        parts.append((f", {_against(measure, last, _before(trend, place, by))}." if last is not None else ".", None))
    else:
        parts += [(", " + _over_a_year(year), None), _then(year, last, _before(trend, place, by))]
    return parts, _because(trend, at, last)


def _over_a_year(change: float) -> str:
    if not change:
        return _("the same as a year before")
    words = {"change": points(change)}
    return _("up %(change)s in a year") % words if change > 0 else _("down %(change)s in a year") % words


def _then(year: float, last: float | None, other: str) -> tuple[str, int | None]:
    """Return the end of the sentence: whether the last step went on in the direction of the year."""
    if last is None or not other:
        return ".", None
    words = {"change": points(last), "other": other}
    if not last:
        return _(", and where it was in %(other)s.") % words, None
    if (last > 0) == (year > 0):
        up, down = _(" and %(change)s over %(other)s."), _(" and %(change)s under %(other)s.")
    else:
        up, down = _(", but %(change)s over %(other)s."), _(", but %(change)s under %(other)s.")
    return (up if last > 0 else down) % words, None


def _because(trend: Trend, at: int, change: float | None) -> str:
    """Name the department without which the change would have had another sign, or else the one that moved most."""
    if not change or len(trend.departments) < 2:
        return ""
    turning: tuple[float, Course] | None = None
    for course in trend.departments:
        without = _change(trend.everybody.due[at] - course.due[at], trend.everybody.due[at - 1] - course.due[at - 1])
        if without is not None and without * change < 0 and (turning is None or abs(without) > abs(turning[0])):
            turning = without, course
    if turning:
        words = {"department": department_name(turning[1])}
        return (
            _("Without %(department)s it would have gone up.") % words
            if change < 0
            else _("Without %(department)s it would have gone down.") % words
        )
    found = mover(trend.departments, at, is_down=change < 0)
    if found is None:
        return ""
    words = {"department": department_name(found[0]), "change": points(found[1])}
    if change < 0:
        return _("%(department)s fell most, by %(change)s.") % words
    return _("%(department)s gained most, %(change)s.") % words


def _change(now: Cohort, before: Cohort) -> float | None:
    return now.on_time_rate.points_since(before.on_time_rate)


def mover(courses: Sequence[Course], at: int, *, is_down: bool) -> tuple[Course, float] | None:
    """Return the department whose on-time rate fell (or rose) most since the period before; small ones do not count."""
    moved = [
        (change, course)
        for course in courses
        if course.due[at].due_so_far >= SMALL and course.due[at - 1].due_so_far >= SMALL
        if (change := _change(course.due[at], course.due[at - 1])) is not None
    ]
    if not moved:
        return None
    change, course = min(moved, key=lambda pair: pair[0]) if is_down else max(moved, key=lambda pair: pair[0])
    return (course, change) if (change < 0) == is_down and change else None


def heat_finding(trend: Trend, measure: Measure, by: By) -> str:
    """Name the department whose measure is worst now, and the one that moved most for the worse since."""
    place = settled(trend, measure)
    at, here = trend.before + place, trend.periods[place]
    known = [course for course in trend.departments if _weight(measure, course, at) >= SMALL]
    ranked = [(course, value) for course in known if (value := measure.value(course, at)) is not None]
    if not ranked:
        return _("No department has enough to compare in %(period)s") % {"period": name(here, by)}
    is_low_bad = measure.is_rate
    worst, value = (min if is_low_bad else max)(ranked, key=lambda pair: size(pair[1]) or 0)
    words = {"department": department_name(worst), "value": written(value), "period": name(here, by)}
    if is_low_bad and isinstance(value, Rate) and size(value) == 100:
        return _("Every department stands at 100%% in %(period)s") % words
    if not is_low_bad and not value:
        return _("No department has anyone past due")
    if measure.is_of_cohort:
        fact = _("%(department)s was lowest in %(period)s, at %(value)s") % words
    else:
        fact = (
            _("%(department)s is lowest, at %(value)s") % words
            if is_low_bad
            else _("%(department)s has the most people past due, %(value)s") % words
        )
    changes = [
        (change, course)
        for course, value in ranked
        if at and (change := difference((value, measure.value(course, at - 1)), 0, 1)) is not None
    ]
    if not changes or not place:
        return fact
    change, course = (min if is_low_bad else max)(changes, key=lambda pair: pair[0])
    if not change or (change < 0) != is_low_bad:
        return fact
    moved = {
        "fact": fact,
        "department": department_name(course),
        "change": points(change) if measure.is_rate else number(abs(int(change))),
        "other": _before(trend, place, by),
    }
    if course is worst:
        return (
            _("%(fact)s, down %(change)s since %(other)s") % moved
            if is_low_bad
            else _("%(fact)s, %(change)s more than in %(other)s") % moved
        )
    return (
        _("%(fact)s; %(department)s fell most, by %(change)s") % moved
        if is_low_bad
        else _("%(fact)s; %(department)s added most, %(change)s") % moved
    )


def _weight(measure: Measure, course: Course, at: int) -> int:
    return course.due[at].due if measure.is_of_cohort else course.stood[at].people_counted


def change_words(measure: Measure, change: float | None) -> str:
    """Write a department's change: "Down 15.6 points", "Up 3", nothing as a dash."""
    if change is None:
        return "–"
    if not change:
        return _("No change")
    words = {"change": points(change) if measure.is_rate else number(abs(int(change)))}
    return _("Up %(change)s") % words if change > 0 else _("Down %(change)s") % words
