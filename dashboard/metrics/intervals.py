"""The counts said as intervals of time, for sums over any moment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Interval:
    """Interval in which an enrollment is in a count: from `begins` until `ends` (without it), where `where` holds.

    `begins` and `ends` name moments of a counted interval: e it begins, s started, c completed, d due, u it ends, i the
    earlier of c and d, a acknowledged. All are within the interval: what happened before it began happened as it began,
    what never happens lies at its end. `where` names a flag of the enrollment.
    """

    begins: str
    ends: str
    where: str = ""


# An enrollment counts from its enrollment until it is removed or its person leaves.
INTERVALS = {
    "counted": Interval("e", "u"),
    "completed": Interval("c", "u"),
    "completed_late": Interval("c", "u", "is_late"),
    "past_due": Interval("d", "c"),
    "in_progress": Interval("s", "i"),
    "due": Interval("d", "u"),
    "on_time": Interval("d", "u", "is_on_time"),
    # Extended in KnowBe4 to a date its API does not tell.
    "unknown_due": Interval("e", "u", "is_due_unknown"),
    "policies": Interval("e", "u", "is_policy"),
    # An acknowledgement has no date of its own: it is taken to have stood all along. Done is acknowledged, too.
    "acknowledged": Interval("a", "u", "is_policy"),
}
# In a cohort it counts from its enrollment until it is removed, or until its person leaves before it falls due.
COHORT_INTERVALS = {
    "enrolled": Interval("e", "u"),
    "due": Interval("d", "u"),
    "completed": Interval("c", "u"),
    "on_time": Interval("c", "u", "is_on_time"),
    "due_on_time": Interval("d", "u", "is_on_time"),
    "completed_in_month": Interval("c", "u", "is_in_month"),
    "completed_in_quarter": Interval("c", "u", "is_in_quarter"),
}
