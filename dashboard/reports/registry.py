"""Registry of reports: each by its name."""

from datetime import date

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dashboard.queries.review import latest_quarter, quarter_of
from dashboard.reports.board import board
from dashboard.reports.campaign import campaign
from dashboard.reports.department import department
from dashboard.reports.document import Document, Question
from dashboard.reports.person import person
from dashboard.reports.rendering import Rendered
from dashboard.reports.review import review


class Kind(models.TextChoices):
    """The reports. The value is the name in addresses and files."""

    BOARD = "board", _("Board report")
    REVIEW = "review", _("Quarterly review")
    DEPARTMENT = "department", _("Department report")
    CAMPAIGN = "campaign", _("Campaign report")
    PERSON = "person", _("Person record")

    @property
    def needs_subject(self) -> bool:
        """Whether it is about one department, campaign or person, which has to be named."""
        return self in {Kind.DEPARTMENT, Kind.CAMPAIGN, Kind.PERSON}


def describe(
    kind: Kind, question: Question, *, subject: int | None = None, quarter: date | None = None
) -> Document | None:
    """Return what a report says, not yet set; None when its subject is not in scope or the quarter has not begun.

    `subject` is the key of the department (0: none), campaign or person that it is about; ValueError without one
    where there must be. `quarter` is the first day of the review's, the last one that ended unless given.
    """
    if kind.needs_subject and subject is None:
        raise ValueError(f"A {kind.label} is about something: it needs a subject.")
    with timezone.override(question.zone):
        if kind == Kind.BOARD:
            return board(question)
        if kind == Kind.REVIEW:
            first = quarter or latest_quarter(question.scope, as_of=question.as_of).start
            period = quarter_of(question.scope, first, as_of=question.as_of)
            return review(question, period) if period is not None else None
        assert subject is not None  # noqa: S101 - looked at above
        if kind == Kind.DEPARTMENT:
            return department(question, subject)
        return campaign(question, subject) if kind == Kind.CAMPAIGN else person(question, subject)


def make(kind: Kind, question: Question, *, subject: int | None = None, quarter: date | None = None) -> Rendered | None:
    """Return a report as PDF: see `describe`. RenderingError when it cannot be set."""
    document = describe(kind, question, subject=subject, quarter=quarter)
    if document is None:
        return None
    with timezone.override(question.zone):
        return document.rendered()
