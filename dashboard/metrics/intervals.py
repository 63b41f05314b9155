"""The counts said as intervals of time, for sums over any moment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Span:
    """When an enrollment is in a count: from `begins` until `ends` (without it), where `where` holds.

    `begins` and `ends` name moments of a counted stretch: e it begins, s started, c completed, d due, u it ends, i the
    earlier of c and d, a acknowledged. All are within the stretch: what happened before it began happened as it began,
    what never happens lies at its end. `where` names a flag of the enrollment.
    """

    begins: str
    ends: str
    where: str = ""


# An enrollment counts from its enrollment until it is removed or its person leaves.
SPANS = {
    "counted": Span("e", "u"),
    "completed": Span("c", "u"),
    "completed_late": Span("c", "u", "is_late"),
    "past_due": Span("d", "c"),
    "in_progress": Span("s", "i"),
    "due": Span("d", "u"),
    "on_time": Span("d", "u", "is_on_time"),
    # Extended in KnowBe4 to a date its API does not tell.
    "unknown_due": Span("e", "u", "is_due_unknown"),
    "policies": Span("e", "u", "is_policy"),
    # An acknowledgement has no date of its own: it is taken to have stood all along. Done is acknowledged, too.
    "acknowledged": Span("a", "u", "is_policy"),
}
# In a cohort it counts from its enrollment until it is removed, or until its person leaves before it falls due.
COHORT_SPANS = {
    "enrolled": Span("e", "u"),
    "due": Span("d", "u"),
    "completed": Span("c", "u"),
    "on_time": Span("c", "u", "is_on_time"),
    "due_on_time": Span("d", "u", "is_on_time"),
    "completed_in_month": Span("c", "u", "is_in_month"),
    "completed_in_quarter": Span("c", "u", "is_in_quarter"),
}
