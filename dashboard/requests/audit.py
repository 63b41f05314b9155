"""Search of the audit log."""

from datetime import date

from django.core.exceptions import BadRequest

from dashboard.models import AuditEvent
from dashboard.queries.audit import Search
from dashboard.requests.fields import id_in, word_in
from dashboard.scoped_request import ScopedRequest

FIELDS = ("actor", "action", "subject", "subject_id", "day")


def search_of(request: ScopedRequest) -> Search:
    """Return what the address looks for. BadRequest for ids that are no numbers, unknown words, a day that is none."""
    subject = word_in(request, "subject", AuditEvent.Subject.values)
    return Search(
        actor=id_in(request, "actor"),
        action=word_in(request, "action", AuditEvent.Action.values),
        subject=subject,
        subject_id=id_in(request, "subject_id") if subject else None,
        day=_day(request),
    )


def _day(request: ScopedRequest) -> date | None:
    text = request.GET.get("day", "")
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise BadRequest("day is not a day like 2026-09-30") from None
    if not 2000 <= day.year < 9000:
        raise BadRequest("day is far from any day of the log")
    return day
