"""Counts at a moment and in a period, and the rates that follow."""

from operator import add, sub
from typing import NamedTuple

from dashboard.rate import Rate


class Counts(NamedTuple):
    """Numbers of enrollments, and of people, in each count at one moment. The meaning of each is in `INTERVALS`.

    People are distinct within what was asked for: they add up only over groups that share nobody. A tuple, for there
    are thousands in an answer by manager.
    """

    counted: int = 0
    completed: int = 0
    completed_late: int = 0
    past_due: int = 0
    in_progress: int = 0
    due: int = 0
    on_time: int = 0
    unknown_due: int = 0
    policies: int = 0
    acknowledged: int = 0
    people_counted: int = 0
    people_past_due: int = 0
    people_active: int = 0

    def __add__(self, other: "Counts") -> "Counts":  # type: ignore[override]  # sums, not a longer tuple
        return Counts._make(map(add, self, other))

    def __sub__(self, other: "Counts") -> "Counts":
        return Counts._make(map(sub, self, other))

    @property
    def not_started(self) -> int:
        """Counted enrollments in none of the other three states."""
        return self.counted - self.completed - self.past_due - self.in_progress

    @property
    def completion_rate(self) -> Rate:
        """Completed out of counted."""
        return Rate(self.completed, self.counted)

    @property
    def on_time_rate(self) -> Rate:
        """Completed by the due date out of those due; enrollments without a known due date are left out."""
        return Rate(self.on_time, self.due)

    @property
    def people_compliant_rate(self) -> Rate:
        """People with nothing past due out of people with something counted."""
        return Rate(self.people_counted - self.people_past_due, self.people_counted)

    @property
    def acknowledgement_rate(self) -> Rate:
        """Policies acknowledged or done out of policies counted."""
        return Rate(self.acknowledged, self.policies)

    @property
    def coverage(self) -> Rate:
        """Active people with something counted out of active people. Whoever is counted is active."""
        return Rate(self.people_counted, self.people_active)


COUNT_NAMES = Counts._fields
NO_COUNTS = Counts()


class Totals(NamedTuple):
    """Counts without what is exempt (net, the headline) and with it (gross); one object where nothing is."""

    net: Counts = NO_COUNTS
    gross: Counts = NO_COUNTS

    def __add__(self, other: "Totals") -> "Totals":  # type: ignore[override]  # sums, not a longer tuple
        gross = self.gross + other.gross
        is_plain = self.net is self.gross and other.net is other.gross
        return Totals(gross if is_plain else self.net + other.net, gross)

    def __sub__(self, other: "Totals") -> "Totals":
        return Totals(self.net - other.net, self.gross - other.gross)

    @property
    def exempt(self) -> int:
        """Counted enrollments under an approved exemption."""
        return self.gross.counted - self.net.counted


class Cohort(NamedTuple):
    """The counts of one cohort, as of the moment asked for."""

    due: int = 0
    due_so_far: int = 0
    completed: int = 0
    completed_by_end: int = 0
    on_time: int = 0
    on_time_so_far: int = 0

    def __add__(self, other: "Cohort") -> "Cohort":  # type: ignore[override]  # sums, not a longer tuple
        return Cohort._make(map(add, self, other))

    def __sub__(self, other: "Cohort") -> "Cohort":
        return Cohort._make(map(sub, self, other))

    @property
    def late(self) -> int:
        """Completed after the due date."""
        return self.completed - self.on_time

    @property
    def still_open(self) -> int:
        """Not completed yet."""
        return self.due - self.completed

    @property
    def completion_rate(self) -> Rate:
        """Completed by the period's end, or by now while it runs, out of those due in it."""
        return Rate(self.completed_by_end, self.due)

    @property
    def on_time_rate(self) -> Rate:
        """Completed by the due date out of those whose due date has passed."""
        return Rate(self.on_time_so_far, self.due_so_far)


NOTHING_DUE = Cohort()
