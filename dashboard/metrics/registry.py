"""Every number that can be asked for by name: what it is called, what it means, and how it follows from the counts.

The rules are in `dashboard.metrics`; here they get their names. Passports, the report command and the API read this.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from dashboard.metrics.counts import Cohort, Counts
from dashboard.rate import Rate

Value = Rate | int


class Unit(StrEnum):
    """Unit of a number."""

    PERCENT = "percent"
    ENROLLMENTS = "enrollments"
    PEOPLE = "people"
    DAYS = "days"


class Base(StrEnum):
    """Base of a number: its denominator, or what a count is a part of; in English, `label` in the reader's."""

    ENROLLMENTS = gettext_noop("enrollments counted")
    DUE = gettext_noop("enrollments counted whose due date has passed")
    POLICIES = gettext_noop("enrollments counted of policies")
    FINISHED = gettext_noop("enrollments counted and completed")
    PEOPLE = gettext_noop("people with at least one enrollment counted")
    ACTIVE_PEOPLE = gettext_noop("active people")
    FAILED = gettext_noop("active people who failed a phishing test, 14 days elapsed")

    @property
    def label(self) -> str:
        """It in the reader's language."""
        return _(self.value)


OF_PEOPLE = frozenset({Base.PEOPLE, Base.ACTIVE_PEOPLE, Base.FAILED})


@dataclass(frozen=True)
class Metric:
    """One number. `of` and `of_cohort` take it from counts; None where counts cannot tell it.

    Its words are kept in English and read in the reader's language.
    """

    name: str
    english_title: str
    english_sentence: str
    unit: Unit
    english_numerator: str
    base: Base
    of: Callable[[Counts], Value] | None = None
    of_cohort: Callable[[Cohort], Value] | None = None

    @property
    def title(self) -> str:
        """Title of the number."""
        return _(self.english_title)

    @property
    def sentence(self) -> str:
        """Meaning of the number, as a sentence."""
        return _(self.english_sentence)

    @property
    def numerator(self) -> str:
        """Numerator, in words."""
        return _(self.english_numerator)

    @property
    def denominator(self) -> str | None:
        """Denominator, in words; None for a count."""
        return self.base.label if self.unit == Unit.PERCENT else None


class UnknownMetricError(ValueError):
    """A name that no metric has; the sentence says which names come close."""


REGISTRY = {
    metric.name: metric
    for metric in (
        Metric(
            "completion_rate",
            gettext_noop("Completion rate"),
            gettext_noop(
                "Enrollments completed, out of all that count. In a quarter's row: completed by its end, or by "
                "now while it runs, out of those due in it."
            ),
            Unit.PERCENT,
            gettext_noop("completed"),
            Base.ENROLLMENTS,
            lambda counts: counts.completion_rate,
            lambda cohort: cohort.completion_rate,
        ),
        Metric(
            "on_time_rate",
            gettext_noop("On-time rate"),
            gettext_noop(
                "Enrollments completed no later than their due date, out of those whose due date has passed. "
                "Enrollments without a known due date are left out."
            ),
            Unit.PERCENT,
            gettext_noop("completed by the due date"),
            Base.DUE,
            lambda counts: counts.on_time_rate,
            lambda cohort: cohort.on_time_rate,
        ),
        Metric(
            "people_compliant",
            gettext_noop("People compliant"),
            gettext_noop("People with nothing past due, out of people with at least one enrollment that counts."),
            Unit.PERCENT,
            gettext_noop("people with nothing past due"),
            Base.PEOPLE,
            lambda counts: counts.people_compliant_rate,
        ),
        Metric(
            "policy_acknowledgement_rate",
            gettext_noop("Policy acknowledgement rate"),
            gettext_noop("Enrollments of policies that were acknowledged or completed, out of all those that count."),
            Unit.PERCENT,
            gettext_noop("acknowledged or completed"),
            Base.POLICIES,
            lambda counts: counts.acknowledgement_rate,
        ),
        Metric(
            "coverage",
            gettext_noop("Coverage"),
            gettext_noop("Active people with at least one enrollment that counts, out of all active people."),
            Unit.PERCENT,
            gettext_noop("active people with at least one enrollment counted"),
            Base.ACTIVE_PEOPLE,
            lambda counts: counts.coverage,
        ),
        Metric(
            "training_after_failure",
            gettext_noop("Training after failure"),
            gettext_noop(
                "People enrolled in remedial training within 14 days of each phishing test they failed, out of "
                "people who failed one at least 14 days ago."
            ),
            Unit.PERCENT,
            gettext_noop("people with remedial training within 14 days of each failure"),
            Base.FAILED,
        ),
        Metric(
            "days_to_complete",
            gettext_noop("Days to complete, median"),
            gettext_noop("Days from enrollment to completion that half of the finishers did not exceed."),
            Unit.DAYS,
            gettext_noop("median days"),
            Base.FINISHED,
        ),
        Metric(
            "days_to_complete_90",
            gettext_noop("Days to complete, 90th percentile"),
            gettext_noop("Days from enrollment to completion that nine in ten finishers did not exceed."),
            Unit.DAYS,
            gettext_noop("90th percentile of days"),
            Base.FINISHED,
        ),
        Metric(
            "past_due",
            gettext_noop("Past due"),
            gettext_noop("Enrollments whose due date has passed and that are not completed."),
            Unit.ENROLLMENTS,
            gettext_noop("past due"),
            Base.ENROLLMENTS,
            lambda counts: counts.past_due,
        ),
        Metric(
            "people_past_due",
            gettext_noop("People past due"),
            gettext_noop("People with at least one enrollment past due, each counted once."),
            Unit.PEOPLE,
            gettext_noop("people with something past due"),
            Base.PEOPLE,
            lambda counts: counts.people_past_due,
        ),
        Metric(
            "counted",
            gettext_noop("Counted"),
            gettext_noop(
                "Enrollments that count: of required campaigns that are not cancelled, not removed, of active people."
            ),
            Unit.ENROLLMENTS,
            gettext_noop("counted"),
            Base.ENROLLMENTS,
            lambda counts: counts.counted,
        ),
        Metric(
            "completed",
            gettext_noop("Completed"),
            gettext_noop(
                "Enrollments completed, late ones too. In a quarter's row: completed by its end, or by now "
                "while it runs."
            ),
            Unit.ENROLLMENTS,
            gettext_noop("completed"),
            Base.ENROLLMENTS,
            lambda counts: counts.completed,
            lambda cohort: cohort.completed_by_end,
        ),
        Metric(
            "completed_late",
            gettext_noop("Completed late"),
            gettext_noop("Enrollments completed after their due date."),
            Unit.ENROLLMENTS,
            gettext_noop("completed late"),
            Base.ENROLLMENTS,
            lambda counts: counts.completed_late,
            lambda cohort: cohort.late,
        ),
        Metric(
            "in_progress",
            gettext_noop("In progress"),
            gettext_noop("Enrollments started, not completed and not past due."),
            Unit.ENROLLMENTS,
            gettext_noop("in progress"),
            Base.ENROLLMENTS,
            lambda counts: counts.in_progress,
        ),
        Metric(
            "not_started",
            gettext_noop("Not started"),
            gettext_noop("Enrollments not started, not completed and not past due."),
            Unit.ENROLLMENTS,
            gettext_noop("not started"),
            Base.ENROLLMENTS,
            lambda counts: counts.not_started,
        ),
        Metric(
            "still_open",
            gettext_noop("Still open"),
            gettext_noop("Enrollments not completed."),
            Unit.ENROLLMENTS,
            gettext_noop("not completed"),
            Base.ENROLLMENTS,
            lambda counts: counts.counted - counts.completed,
            lambda cohort: cohort.still_open,
        ),
        Metric(
            "due",
            gettext_noop("Due"),
            gettext_noop("Enrollments whose due date has passed. In a quarter's row: all whose due date falls in it."),
            Unit.ENROLLMENTS,
            gettext_noop("due"),
            Base.ENROLLMENTS,
            lambda counts: counts.due,
            lambda cohort: cohort.due,
        ),
        Metric(
            "on_time",
            gettext_noop("On time"),
            gettext_noop(
                "Enrollments completed no later than their due date. As of a moment, of those whose due date "
                "has passed."
            ),
            Unit.ENROLLMENTS,
            gettext_noop("completed by the due date"),
            Base.ENROLLMENTS,
            lambda counts: counts.on_time,
            lambda cohort: cohort.on_time,
        ),
        Metric(
            "unknown_due",
            gettext_noop("Due date unknown"),
            gettext_noop("Enrollments extended in KnowBe4 to a date that its API does not tell."),
            Unit.ENROLLMENTS,
            gettext_noop("due date unknown"),
            Base.ENROLLMENTS,
            lambda counts: counts.unknown_due,
        ),
        Metric(
            "people_counted",
            gettext_noop("People counted"),
            gettext_noop("People with at least one enrollment that counts."),
            Unit.PEOPLE,
            gettext_noop("people with at least one enrollment counted"),
            Base.PEOPLE,
            lambda counts: counts.people_counted,
        ),
        Metric(
            "people_active",
            gettext_noop("Active people"),
            gettext_noop("People who are active and have joined, whatever they are enrolled in."),
            Unit.PEOPLE,
            gettext_noop("active people"),
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
