"""Measures of Trends: four, each a number of a period's cohort or of how everybody stood at its end."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from dashboard.formats import number, percent
from dashboard.metrics import Cohort, Counts
from dashboard.queries.trends import Course, Trend
from dashboard.rate import Rate

Value = Rate | int | None


@dataclass(frozen=True)
class Measure:
    """One measure; `metric` is its name in the registry. `share` warms a department's cell: more is better."""

    slug: str
    metric: str
    label: Any
    title: Any
    of: Callable[[Cohort, Counts], Value]
    share: Callable[[Cohort, Counts], Rate]
    is_of_cohort: bool
    tone: str = "done"

    @property
    def is_rate(self) -> bool:
        """Whether it is in percent; else it counts people."""
        return self.slug != "past_due"

    def is_known(self, course: Course, place: int) -> bool:
        """Return whether anything counts in the course's period at that place."""
        return bool(course.due[place].due if self.is_of_cohort else course.stood[place].counted)

    def value(self, course: Course, place: int) -> Value:
        """Return the value of the course's period at that place; None where there is none."""
        return self.of(course.due[place], course.stood[place]) if self.is_known(course, place) else None

    def values(self, course: Course) -> list[Value]:
        """Return the value of each of the course's periods, those of the year before too."""
        return [self.value(course, place) for place in range(len(course.due))]


MEASURES = {
    measure.slug: measure
    for measure in (
        Measure(
            "completion",
            "completion_rate",
            _("Completion"),
            _("Completion rate"),
            lambda due, _stood: due.completion_rate,
            lambda due, _stood: due.completion_rate,
            is_of_cohort=True,
        ),
        Measure(
            "on_time",
            "on_time_rate",
            _("On time"),
            _("On-time rate"),
            lambda due, _stood: due.on_time_rate,
            lambda due, _stood: due.on_time_rate,
            is_of_cohort=True,
        ),
        Measure(
            "past_due",
            "people_past_due",
            _("Past due"),
            _("People past due"),
            lambda _due, stood: stood.people_past_due,
            lambda _due, stood: stood.people_compliant_rate,
            is_of_cohort=False,
            tone="due",
        ),
        Measure(
            "compliant",
            "people_compliant",
            _("People compliant"),
            _("People compliant"),
            lambda _due, stood: stood.people_compliant_rate,
            lambda _due, stood: stood.people_compliant_rate,
            is_of_cohort=False,
        ),
    )
}


def settled(trend: Trend, measure: Measure) -> int:
    """Return the place, among the periods shown, of the last one that can be judged.

    A cohort's period can once it has ended; how people stand can be told at any moment.
    """
    last = len(trend.periods) - 1
    return last - 1 if measure.is_of_cohort and trend.periods[last].is_running and last else last


def written(value: Value) -> str:
    """Write a rate with its sign, a count with separators, nothing as a dash."""
    return percent(value) if isinstance(value, Rate) else number(value)


def size(value: Value) -> float | None:
    """Return where a value lies on a chart's axis."""
    return value.percent if isinstance(value, Rate) else value


def difference(values: Sequence[Value], place: int, other: int) -> float | None:
    """Return how much a value differs from another: in points, or in people; None when either is missing."""
    if not (0 <= place < len(values) and 0 <= other < len(values)):
        return None
    here, there = size(values[place]), size(values[other])
    return None if here is None or there is None else here - there
