"""The state of an enrollment at a moment."""

from datetime import datetime

from django.db.models import Case, CharField, TextChoices, Value, When
from django.utils.translation import gettext_lazy as _

from dashboard.metrics.rules import completed, in_progress, past_due


class State(TextChoices):
    """State of an enrollment at a moment: exactly one holds, the first whose rule matches."""

    COMPLETED = "completed", _("Completed")
    PAST_DUE = "past_due", _("Past due")
    IN_PROGRESS = "in_progress", _("In progress")
    NOT_STARTED = "not_started", _("Not started")

    @property
    def mark(self) -> str:
        """The name of its mark and color on pages and in reports."""
        return _MARKS[self]


_MARKS = {State.COMPLETED: "done", State.PAST_DUE: "due", State.IN_PROGRESS: "progress", State.NOT_STARTED: "todo"}


def state(as_of: datetime) -> Case:
    """Return an enrollment's state at `as_of`, as an expression on `Enrollment`."""
    return Case(
        When(completed(as_of), then=Value(State.COMPLETED.value)),
        When(past_due(as_of), then=Value(State.PAST_DUE.value)),
        When(in_progress(as_of), then=Value(State.IN_PROGRESS.value)),
        default=Value(State.NOT_STARTED.value),
        output_field=CharField(),
    )
