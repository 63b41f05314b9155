"""Every number that can be asked for by name: what it is called, what it means, and how it follows from the counts.

The rules are in `dashboard.metrics`; here they get their names. Passports, the report command and the API read this.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

from dashboard.metrics import Counts, Rate
from dashboard.queries.cohorts import Cohort

Value = Rate | int


class Unit(StrEnum):
    """What a number is in."""

    PERCENT = "percent"
    ENROLLMENTS = "enrollments"
    PEOPLE = "people"
    DAYS = "days"


class Base(StrEnum):
    """What a number is of: its denominator, or what a count is a part of."""

    ENROLLMENTS = "enrollments counted"
    DUE = "enrollments counted whose due date has passed"
    POLICIES = "enrollments counted of policies"
    FINISHED = "enrollments counted and completed"
    PEOPLE = "people with at least one enrollment counted"
    ACTIVE_PEOPLE = "active people"
    FAILED = "active people who failed a phishing test, 14 days elapsed"


OF_PEOPLE = frozenset({Base.PEOPLE, Base.ACTIVE_PEOPLE, Base.FAILED})


@dataclass(frozen=True)
class Metric:
    """One number. `of` and `of_cohort` take it from counts; None where counts cannot tell it."""

    name: str
    title: str
    sentence: str
    unit: Unit
    numerator: str
    base: Base
    of: Callable[[Counts], Value] | None = None
    of_cohort: Callable[[Cohort], Value] | None = None

    @property
    def denominator(self) -> str | None:
        """What the number is divided by; None for a count."""
        return self.base.value if self.unit == Unit.PERCENT else None


class UnknownMetricError(ValueError):
    """A name that no metric has; the sentence says which names come close."""


REGISTRY = {
    metric.name: metric
    for metric in (
        Metric(
            "completion_rate",
            "Completion rate",
            "Enrollments completed, out of all that count. In a quarter's row: completed by its end, or by now while "
            "it runs, out of those due in it.",
            Unit.PERCENT,
            "completed",
            Base.ENROLLMENTS,
            lambda counts: counts.completion_rate,
            lambda cohort: cohort.completion_rate,
        ),
        Metric(
            "on_time_rate",
            "On-time rate",
            "Enrollments completed no later than their due date, out of those whose due date has passed. Enrollments "
            "without a known due date are left out.",
            Unit.PERCENT,
            "completed by the due date",
            Base.DUE,
            lambda counts: counts.on_time_rate,
            lambda cohort: cohort.on_time_rate,
        ),
        Metric(
            "people_compliant",
            "People compliant",
            "People with nothing past due, out of people with at least one enrollment that counts.",
            Unit.PERCENT,
            "people with nothing past due",
            Base.PEOPLE,
            lambda counts: counts.people_compliant_rate,
        ),
        Metric(
            "policy_acknowledgement_rate",
            "Policy acknowledgement rate",
            "Enrollments of policies that were acknowledged or completed, out of all those that count.",
            Unit.PERCENT,
            "acknowledged or completed",
            Base.POLICIES,
            lambda counts: counts.acknowledgement_rate,
        ),
        Metric(
            "coverage",
            "Coverage",
            "Active people with at least one enrollment that counts, out of all active people.",
            Unit.PERCENT,
            "active people with at least one enrollment counted",
            Base.ACTIVE_PEOPLE,
            lambda counts: counts.coverage,
        ),
        Metric(
            "training_after_failure",
            "Training after failure",
            "People enrolled in remedial training within 14 days of each phishing test they failed, out of people who "
            "failed one at least 14 days ago.",
            Unit.PERCENT,
            "people with remedial training within 14 days of each failure",
            Base.FAILED,
        ),
        Metric(
            "days_to_complete",
            "Days to complete, median",
            "Days from enrollment to completion that half of the finishers did not exceed.",
            Unit.DAYS,
            "median days",
            Base.FINISHED,
        ),
        Metric(
            "days_to_complete_90",
            "Days to complete, 90th percentile",
            "Days from enrollment to completion that nine in ten finishers did not exceed.",
            Unit.DAYS,
            "90th percentile of days",
            Base.FINISHED,
        ),
        Metric(
            "past_due",
            "Past due",
            "Enrollments whose due date has passed and that are not completed.",
            Unit.ENROLLMENTS,
            "past due",
            Base.ENROLLMENTS,
            lambda counts: counts.past_due,
        ),
        Metric(
            "people_past_due",
            "People past due",
            "People with at least one enrollment past due, each counted once.",
            Unit.PEOPLE,
            "people with something past due",
            Base.PEOPLE,
            lambda counts: counts.people_past_due,
        ),
        Metric(
            "counted",
            "Counted",
            "Enrollments that count: of required campaigns that are not cancelled, not removed, of active people.",
            Unit.ENROLLMENTS,
            "counted",
            Base.ENROLLMENTS,
            lambda counts: counts.counted,
        ),
        Metric(
            "completed",
            "Completed",
            "Enrollments completed, late ones too. In a quarter's row: completed by its end, or by now while it runs.",
            Unit.ENROLLMENTS,
            "completed",
            Base.ENROLLMENTS,
            lambda counts: counts.completed,
            lambda cohort: cohort.completed_by_end,
        ),
        Metric(
            "completed_late",
            "Completed late",
            "Enrollments completed after their due date.",
            Unit.ENROLLMENTS,
            "completed late",
            Base.ENROLLMENTS,
            lambda counts: counts.completed_late,
            lambda cohort: cohort.late,
        ),
        Metric(
            "in_progress",
            "In progress",
            "Enrollments started, not completed and not past due.",
            Unit.ENROLLMENTS,
            "in progress",
            Base.ENROLLMENTS,
            lambda counts: counts.in_progress,
        ),
        Metric(
            "not_started",
            "Not started",
            "Enrollments not started, not completed and not past due.",
            Unit.ENROLLMENTS,
            "not started",
            Base.ENROLLMENTS,
            lambda counts: counts.not_started,
        ),
        Metric(
            "still_open",
            "Still open",
            "Enrollments not completed.",
            Unit.ENROLLMENTS,
            "not completed",
            Base.ENROLLMENTS,
            lambda counts: counts.counted - counts.completed,
            lambda cohort: cohort.still_open,
        ),
        Metric(
            "due",
            "Due",
            "Enrollments whose due date has passed. In a quarter's row: all whose due date falls in it.",
            Unit.ENROLLMENTS,
            "due",
            Base.ENROLLMENTS,
            lambda counts: counts.due,
            lambda cohort: cohort.due,
        ),
        Metric(
            "on_time",
            "On time",
            "Enrollments completed no later than their due date. As of a moment, of those whose due date has passed.",
            Unit.ENROLLMENTS,
            "completed by the due date",
            Base.ENROLLMENTS,
            lambda counts: counts.on_time,
            lambda cohort: cohort.on_time,
        ),
        Metric(
            "unknown_due",
            "Due date unknown",
            "Enrollments extended in KnowBe4 to a date that its API does not tell.",
            Unit.ENROLLMENTS,
            "due date unknown",
            Base.ENROLLMENTS,
            lambda counts: counts.unknown_due,
        ),
        Metric(
            "people_counted",
            "People counted",
            "People with at least one enrollment that counts.",
            Unit.PEOPLE,
            "people with at least one enrollment counted",
            Base.PEOPLE,
            lambda counts: counts.people_counted,
        ),
        Metric(
            "people_active",
            "Active people",
            "People who are active and have joined, whatever they are enrolled in.",
            Unit.PEOPLE,
            "active people",
            Base.ACTIVE_PEOPLE,
            lambda counts: counts.people_active,
        ),
    )
}
ALL = "all"


def find(names: Iterable[str]) -> list[Metric]:
    """Return the metrics of these names, in their order, each once; "all" is every one. UnknownMetricError otherwise.

    Blanks and hyphens may stand for underscores: "on-time rate" is on_time_rate.
    """
    found: dict[str, Metric] = {}
    for text in names:
        name = text.strip().casefold().replace("-", "_").replace(" ", "_")
        if name == ALL:
            found |= REGISTRY
        elif name in REGISTRY:
            found[name] = REGISTRY[name]
        else:
            close = get_close_matches(name, REGISTRY, n=3) or list(REGISTRY)
            raise UnknownMetricError(f"There is no metric {text!r}. Did you mean: {', '.join(close)}?")
    return list(found.values())
