"""The audit log as it is searched: who did what, about what, and when."""

from collections.abc import Iterator
from itertools import islice

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dashboard.exports.columns import Column
from dashboard.exports.table_request import Answer, Question, Table
from dashboard.models import AuditEvent
from dashboard.queries.audit import Search, actors, found, sought
from dashboard.queries.fields import Kind
from dashboard.requests.audit import search_of
from dashboard.wording.audit import AuditLine, about, audit_lines

_AT_ONCE = 2_000


def _events(question: Question) -> Answer:
    """Answer for the page of the log, up to the moment of asking: that it was taken along is not in it yet."""
    search = search_of(question.request)
    events = found(question.scope, search).filter(at__lte=question.now)

    def written() -> Iterator[AuditLine]:
        each = events.iterator(chunk_size=_AT_ONCE)
        while part := list(islice(each, _AT_ONCE)):
            yield from audit_lines(question.scope, part)

    return Answer(
        events.count(), rows=written, order=_("By time, the newest first"), filters=_filters(question, search)
    )


def _filters(question: Question, search: Search) -> list[tuple[str, str]]:
    actor, only = "", ""
    if search.actor is not None:
        actor = next((user.email for user in actors(question.scope) if user.pk == search.actor), str(search.actor))
    if search.subject_id is not None:
        only = about(search.subject, search.subject_id, sought(question.scope, search))
    found_in = [
        (_("Who"), actor),
        (_("Did what"), str(AuditEvent.Action(search.action).label) if search.action else ""),
        (_("About"), str(AuditEvent.Subject(search.subject).label) if search.subject else ""),
        (_("Only"), only),
        (_("Day"), search.day.isoformat() if search.day else ""),
    ]
    return [(label, value) for label, value in found_in if value]


AUDIT_LOG = Table(
    "audit_log",
    gettext_lazy("Audit log"),
    (
        Column("at", gettext_lazy("When"), Kind.MOMENT, of=lambda line: line.event.at, width=20),
        Column("who", gettext_lazy("Who"), of=lambda line: line.who, width=34),
        Column("action", gettext_lazy("What"), of=lambda line: str(line.event.action_label), width=26),
        Column("about", gettext_lazy("About"), of=lambda line: line.about, width=34),
        Column("details", gettext_lazy("Details"), of=lambda line: "; ".join(line.details), width=60),
        Column("through", gettext_lazy("By way of"), of=lambda line: str(line.event.through_label), width=12),
        Column("network", gettext_lazy("From network"), of=lambda line: line.event.network, width=20),
        Column("subject", gettext_lazy("Kind"), is_default=False, of=lambda line: str(line.event.subject_label)),
        Column(
            "subject_id",
            gettext_lazy("In Rollcall"),
            Kind.ID,
            is_default=False,
            of=lambda line: line.event.subject_id,
        ),
        Column("event_id", gettext_lazy("Event"), Kind.ID, is_default=False, of=lambda line: line.event.pk),
    ),
    _events,
    page="audit_log",
    allows=lambda scope: scope.may_read_audit,
)
