"""An event of the audit log in words: what it was about, and what its details say."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dashboard.access import Scope
from dashboard.formats import number
from dashboard.models import AuditEvent
from dashboard.queries.audit import Key, names

Subject = AuditEvent.Subject
# As decisions write a moment into an event, with its zone.
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?[+-]\d\d:\d\d$")
_PAGES = {
    Subject.PERSON.value: "person",
    Subject.CAMPAIGN.value: "campaign",
    Subject.DEPARTMENT.value: "settings_department",
    Subject.EXEMPTION.value: "exemption",
    Subject.RUN.value: "sync_run",
    Subject.CONSOLE_IMPORT.value: "console_import",
}
# What is shown only to those whose scope it is, by name: without one it is no link.
_NAMED = frozenset({Subject.PERSON.value, Subject.CAMPAIGN.value, Subject.DEPARTMENT.value})
_LABELS: dict[str, Any] = {
    "rows": gettext_lazy("rows"),
    "as_of": gettext_lazy("as of"),
    "asked": gettext_lazy("filters"),
    "filters": gettext_lazy("filters"),
    "format": gettext_lazy("format"),
    "columns": gettext_lazy("columns"),
    "field": gettext_lazy("setting"),
    "old": gettext_lazy("before"),
    "new": gettext_lazy("after"),
    "full": gettext_lazy("everything read"),
    "bytes": gettext_lazy("bytes"),
    "fields": gettext_lazy("fields"),
    "syncs": gettext_lazy("scheduled syncs"),
    "role": gettext_lazy("role"),
    "departments": gettext_lazy("departments"),
    "as": gettext_lazy("as user"),
    "borrower": gettext_lazy("lent to user"),
    "starts_at": gettext_lazy("from"),
    "ends_at": gettext_lazy("until"),
}


@dataclass(frozen=True)
class AuditLine:
    """One row of the log. `about` is what it is about, `address` its page ("": none), `details` in words."""

    event: AuditEvent
    about: str
    address: str
    details: tuple[str, ...]

    @property
    def who(self) -> str:
        """Acting user, by the address they had then."""
        if self.event.actor_email:
            return self.event.actor_email
        if self.event.through == AuditEvent.Through.COMMAND:
            return _("Whoever runs this server")
        is_schedule = self.event.through == AuditEvent.Through.SCHEDULE
        return _("Rollcall, on schedule") if is_schedule else _("Nobody signed in")

    @property
    def way(self) -> str:
        """Address and way of the act, as far as it is not the ordinary one."""
        is_page = self.event.through == AuditEvent.Through.PAGE
        return " · ".join(filter(None, ("" if is_page else self.event.through_label, self.event.network)))


def audit_lines(scope: Scope, events: Iterable[AuditEvent]) -> list[AuditLine]:
    """Write events as lines; the names they need are read for all of them together."""
    events = list(events)
    known = names(scope, events)
    return [_line(event, known) for event in events]


def about(event_subject: str, subject_id: int, known: Mapping[Key, str]) -> str:
    """Return the name of what an event is about; without one its kind and number."""
    kind = str(Subject(event_subject).label) if event_subject in Subject.values else event_subject
    return known.get((event_subject, subject_id)) or f"{kind} {subject_id}"


def _line(event: AuditEvent, known: Mapping[Key, str]) -> AuditLine:
    if event.subject_id is None:
        return AuditLine(event, event.subject_label, "", _details(event.details))
    name = known.get((event.subject, event.subject_id), "")
    address = ""
    if event.subject in _PAGES and (name or event.subject not in _NAMED):
        try:
            address = reverse(_PAGES[event.subject], args=[event.subject_id])
        except NoReverseMatch:
            address = ""
    return AuditLine(event, about(event.subject, event.subject_id, known), address, _details(event.details))


def _details(details: Any) -> tuple[str, ...]:
    """Return each detail as "label: value"; what is empty is left out."""
    if not isinstance(details, dict):
        return ()
    return tuple(
        f"{_LABELS.get(name, name.replace('_', ' '))}: {_value(value)}"
        for name, value in details.items()
        if value not in (None, "", [], {})
    )


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int):
        return str(number(value))
    if isinstance(value, list):
        return ", ".join(map(_value, value))
    if isinstance(value, dict):
        return ", ".join(f"{name} {_value(item)}" for name, item in value.items())
    if isinstance(value, str) and _MOMENT.match(value):
        return date_format(timezone.localtime(datetime.fromisoformat(value)), "j M Y, H:i T")
    return str(value).replace("_", " ") if str(value).isidentifier() else str(value)
