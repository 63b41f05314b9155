"""The past of one row: as it was known at a moment, and as it was.

The two differ by what Rollcall learned later. A completion of 10:00 that the 10:40 sync brought was not *known* at
10:20, and yet the enrollment *was* completed then. Facts that carry their own date (started, completed, archived) are
true from that date, whenever they were learned, until a later sync saw them wiped (a reset) or replaced. Everything
else (a name, a department, a due date) is taken to have changed when a sync first saw it changed.
"""

from collections.abc import Iterable
from copy import copy
from datetime import datetime
from typing import Any, TypeVar, cast

from django.contrib.postgres.fields import ArrayField
from django.db import models

from sync.models.people import Person
from sync.models.runs import Change
from sync.models.training import Campaign, Enrollment

Row = TypeVar("Row", Person, Campaign, Enrollment)

SUBJECTS = {
    Person: Change.Subject.PERSON,
    Campaign: Change.Subject.CAMPAIGN,
    Enrollment: Change.Subject.ENROLLMENT,
}
DATED = {
    Person: {"archived_at", "joined_at"},
    Campaign: set[str](),
    Enrollment: {"started_at", "completed_at"},
}


def as_known(row: Row, at: datetime) -> Row | None:
    """Return an unsaved copy of the row with the values Rollcall held at `at`; None before it was first seen."""
    if row.first_seen_at > at:
        return None
    return _rebuild(row, _later_changes(row, at), dated=set())


def as_was(row: Row, at: datetime, later: Iterable[Change] | None = None) -> Row | None:
    """Return an unsaved copy of the row as it was at `at`, by all that is known today.

    `later` is what was seen after `at`, the newest first, where the caller has read it already.
    Before the first sync the earliest known values stand. None for an enrollment of a later date, or a row that
    KnowBe4 no longer returned at `at`.
    """
    if isinstance(row, Enrollment) and row.enrolled_at > at:
        return None
    was = _rebuild(row, _later_changes(row, at) if later is None else later, dated=DATED[type(row)])
    if was.removed_at is not None and was.removed_at <= at:
        return None
    for name in DATED[type(row)]:
        moment = getattr(was, name)
        if moment is not None and moment > at:
            setattr(was, name, None)
    return was


def changes_of(row: Row) -> models.QuerySet[Change]:
    """Return every recorded change of the row, oldest first."""
    return Change.objects.filter(account_id=row.account_id, subject=SUBJECTS[type(row)], subject_id=row.pk).order_by(
        "observed_at", "pk"
    )


def _later_changes(row: Row, at: datetime) -> Iterable[Change]:
    """Return what was seen after `at`, newest first."""
    return changes_of(row).filter(observed_at__gt=at).reverse()


def _rebuild(row: Row, changes: Iterable[Change], *, dated: set[str]) -> Row:
    """Undo the changes, newest first. A dated fact that was merely learned later stays: its own date tells when."""
    past = copy(row)
    for change in changes:
        if change.field in dated and change.old is None:
            continue
        setattr(past, change.field, parse(type(row), change.field, change.old))
    return past


def parse(model: type[models.Model], field: str, text: str | None) -> Any:
    """Return a change's text, as Postgres writes it, as the field's value."""
    if text is None:
        return None
    kind = cast("models.Field[Any, Any]", model._meta.get_field(field))
    if isinstance(kind, models.BooleanField):
        return text == "true"
    if isinstance(kind, ArrayField):
        return [int(entry) for entry in text.strip("{}").split(",") if entry]
    if isinstance(kind, models.ForeignKey):
        return int(text)
    return kind.to_python(text)
