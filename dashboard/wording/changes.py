"""Changes in words: what a kind of change is called, and what a recorded value reads like."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import models
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from dashboard.formats import NOTHING, number, took
from dashboard.queries.sync_changes import NEW, PAST_DUE, REFERENCES, Group, Kind, Names
from sync.models import Campaign, Change, ContentItem, Enrollment, Person, PhishingTest
from sync.models import Group as PeopleGroup
from sync.models.history import parse
from sync.models.people import PersonStatus
from sync.models.training import DueSource

Subject = Change.Subject

MODELS: dict[int, type[models.Model]] = {
    Subject.PERSON: Person,
    Subject.CAMPAIGN: Campaign,
    Subject.ENROLLMENT: Enrollment,
    Subject.CONTENT: ContentItem,
    Subject.GROUP: PeopleGroup,
    Subject.PHISHING_TEST: PhishingTest,
}

# Names of fields where the column's own words would not do.
FIELDS: dict[str, Any] = {
    "archived_at": gettext_lazy("archive date"),
    "auto_enroll": gettext_lazy("automatic enrollment"),
    "campaign_id": gettext_lazy("campaign"),
    "completed_at": gettext_lazy("completed"),
    "content_id": gettext_lazy("content"),
    "content_ids": gettext_lazy("content"),
    "current_risk_score": gettext_lazy("risk score"),
    "department_name": gettext_lazy("department"),
    "due_after": gettext_lazy("earliest due date possible"),
    "due_at": gettext_lazy("due date"),
    "due_source": gettext_lazy("source of the due date"),
    "end_at": gettext_lazy("end date"),
    "enrolled_at": gettext_lazy("enrolled"),
    "extended_due_at": gettext_lazy("extended due date"),
    "group_ids": gettext_lazy("groups"),
    "is_completion_observed": gettext_lazy("completion date taken from the sync"),
    "is_retired": gettext_lazy("retired"),
    "joined_at": gettext_lazy("joined"),
    "manager": gettext_lazy("manager"),
    "original_due_at": gettext_lazy("first due date"),
    "person_id": gettext_lazy("person"),
    "phish_prone_percentage": gettext_lazy("phish-prone percentage"),
    "removed_at": gettext_lazy("no longer returned"),
    "reported_status": gettext_lazy("KnowBe4's status"),
    "start_at": gettext_lazy("start date"),
    "started_at": gettext_lazy("started"),
}
# What a reader looks for first; then what is left; then what moves in every sync and means little.
FIRST = (
    (Subject.ENROLLMENT, "completed"),
    (Subject.ENROLLMENT, "started"),
    (Subject.ENROLLMENT, PAST_DUE),
    (Subject.ENROLLMENT, NEW),
    (Subject.PERSON, NEW),
    (Subject.CAMPAIGN, NEW),
    (Subject.ENROLLMENT, "due_at"),
    (Subject.ENROLLMENT, "removed"),
    (Subject.PERSON, "removed"),
    (Subject.CAMPAIGN, "removed"),
    (Subject.ENROLLMENT, "reopened"),
    (Subject.ENROLLMENT, "reset"),
    (Subject.PERSON, "status"),
    (Subject.PERSON, "department_name"),
    (Subject.PERSON, "manager"),
)
QUIET = frozenset(
    {
        "current_risk_score",
        "phish_prone_percentage",
        "time_spent",
        "reported_status",
        "due_source",
        "due_after",
        "extended_due_at",
        "policy_acknowledged",
        "is_completion_observed",
        "archived_at",
        "manager_email",
        "manager_name",
    }
)
TILES = 6
UNIT_IS_PERSON = frozenset({Subject.PERSON, Subject.ENROLLMENT})


@dataclass(frozen=True)
class Told:
    """A group of changes with its words, for a tile or a link."""

    group: Group
    words: str


def field_words(field: str) -> str:
    """Return a field's name in words: "due date"; an unknown one with its underscores opened."""
    return str(FIELDS.get(field, field.replace("_", " ")))


def subject_words(subject: int, count: int) -> str:
    """Return the subject's word for so many of them."""
    return {
        Subject.PERSON: ngettext("person", "people", count),
        Subject.CAMPAIGN: ngettext("campaign", "campaigns", count),
        Subject.ENROLLMENT: ngettext("enrollment", "enrollments", count),
        Subject.CONTENT: ngettext("content item", "content items", count),
        Subject.GROUP: ngettext("group", "groups", count),
        Subject.PHISHING_TEST: ngettext("phishing test", "phishing tests", count),
    }[Subject(subject)]


def kind_words(kind: Kind, count: int) -> str:
    """Return what follows the count: "completed", "new enrollments", "due date changes"."""
    subject = subject_words(kind.subject, count)
    if kind.field == NEW:
        return _("new %(subject)s") % {"subject": subject}
    if kind.field == "removed":
        return _("%(subject)s no longer returned") % {"subject": subject}
    if kind.field == "restored":
        return _("%(subject)s returned again") % {"subject": subject}
    named = {
        "completed": _("completed"),
        "started": _("started"),
        "reopened": _("no longer completed"),
        "reset": _("start withdrawn"),
        PAST_DUE: _("newly past due"),
    }
    if kind.subject == Subject.ENROLLMENT and kind.field in named:
        return named[kind.field]
    what = ngettext("%(field)s change", "%(field)s changes", count) % {"field": field_words(kind.field)}
    if kind.subject in UNIT_IS_PERSON:
        return what
    return _("%(subject)s: %(what)s") % {"subject": subject, "what": what}


def noun(told: "Told") -> str:
    """Return the group as something a sync brings: "14 completions", "2 newly past-due enrollments"."""
    rows, kind = told.group.rows, told.group.kind
    if kind.subject == Subject.ENROLLMENT:
        words = {
            "completed": ngettext("%(n)s completion", "%(n)s completions", rows),
            "started": ngettext("%(n)s start", "%(n)s starts", rows),
            PAST_DUE: ngettext("%(n)s newly past-due enrollment", "%(n)s newly past-due enrollments", rows),
            "due_at": ngettext("%(n)s new due date", "%(n)s new due dates", rows),
        }.get(kind.field)
        if words:
            return words % {"n": number(rows)}
    if kind.field in {NEW, "removed", "restored"}:
        return f"{number(rows)} {told.words}"
    return f"{number(rows)} {told.words}"


def told(groups: Sequence[Group]) -> tuple[list[Told], list[Told]]:
    """Return the groups worth a tile, most telling first, and the rest."""
    loud = [group for group in groups if group.kind.field not in QUIET]
    loud.sort(key=lambda group: (_rank(group.kind), -group.rows, group.kind.subject, group.kind.field))
    quiet = [group for group in groups if group.kind.field in QUIET]
    words = [Told(group, kind_words(group.kind, group.rows)) for group in [*loud, *quiet]]
    return words[: min(TILES, len(loud))], words[min(TILES, len(loud)) :]


def _rank(kind: Kind) -> int:
    key = (kind.subject, kind.field)
    return FIRST.index(key) if key in FIRST else len(FIRST)


@dataclass(frozen=True)
class Line:
    """One row of a list of changes: whose, which field, what it was and what it is.

    `span` is how many rows the name stands for: those of the same subject follow each other; 0 below the first.
    """

    title: str
    detail: str
    what: str
    old: str
    new: str
    span: int = 1


def lines(changes: Sequence[Change], names: Names) -> list[Line]:
    """Write recorded changes as lines."""
    written = []
    of_row = Counter((change.subject, change.subject_id) for change in changes)
    for change in changes:
        subject = Subject(change.subject)
        span = of_row.pop((change.subject, change.subject_id), 0)
        name = names.get((subject.name.lower(), change.subject_id))
        written.append(
            Line(
                title=name.title if name and name.title else f"{subject.label} {change.subject_id}",
                detail=name.detail if name else "",
                what=field_words(change.field),
                old=value_words(change, change.old, names),
                new=value_words(change, change.new, names),
                span=span,
            )
        )
    return written


CHOICES: dict[str, type[models.TextChoices]] = {"due_source": DueSource, "status": PersonStatus}


def value_words(change: Change, text: str | None, names: Names) -> str:
    """Return a recorded value as a reader would write it; nothing is "–", what cannot be read stays as it is."""
    if text is None or text == "":
        return NOTHING
    refers_to = REFERENCES.get((Subject(change.subject), change.field))
    if refers_to and text.isdecimal():
        name = names.get((refers_to, int(text)))
        return name.title if name and name.title else text
    choices = CHOICES.get(change.field)
    if choices is not None and text in choices.values:
        return str(choices(text).label)
    try:
        return _value(parse(MODELS[change.subject], change.field, text), change.field)
    except (FieldDoesNotExist, ValidationError, ValueError, TypeError):
        return text


def _value(value: Any, field: str) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, datetime):
        return date_format(timezone.localtime(value), "j M Y, H:i")
    if isinstance(value, date):
        return date_format(value, "j M Y")
    if isinstance(value, list):
        return ngettext("%(n)s item", "%(n)s items", len(value)) % {"n": number(len(value))}
    if field == "time_spent":
        return took(timedelta(seconds=value))
    if isinstance(value, float):
        return f"{value:,.1f}"
    return str(value)
