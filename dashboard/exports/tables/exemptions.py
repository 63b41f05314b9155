"""The list of exemptions."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dashboard.exports.columns import Column, column
from dashboard.exports.table_request import Answer, Question, Table
from dashboard.models import Exemption
from dashboard.queries import exemptions as queries
from dashboard.queries.fields import ENROLLMENTS, PEOPLE, Kind
from dashboard.requests import exemptions as asked
from dashboard.requests.fields import id_in, word_in
from dashboard.requests.searches import searched

_AT_ONCE = 2_000


def _exemptions(question: Question) -> Answer:
    """Answer for the page of exemptions: one tab of it, narrowed as there. It tells of today, whatever the day."""
    request = question.request
    search, reason = searched(request), word_in(request, "reason", Exemption.Reason.values)
    campaign = id_in(request, "campaign")
    found = queries.exemptions(question.scope, at=question.now, search=search, reason=reason, campaign=campaign)
    tab = word_in(request, "state", [name for name, _label in asked.TABS])
    if not tab:
        standing = queries.counts(found, at=question.now)
        tab = asked.first_tab({**standing, asked.ALL: found.count()})
    rows = asked.of_tab(found, tab, question.now).select_related(
        "person__department__merged_into", "person__manager", "approved_by", "rejected_by", "ended_by"
    )

    def written() -> Iterator[tuple[Any, str]]:
        for exemption in rows.iterator(chunk_size=_AT_ONCE):
            yield exemption, exemption.state(question.now)

    filters = [
        (_("State"), str(dict(asked.TABS)[tab])),
        (_("Reason"), str(Exemption.Reason(reason).label) if reason else ""),
        (_("Campaign"), str(question.scope.campaigns().filter(pk=campaign).first() or "") if campaign else ""),
        (_("Search"), search.text),
    ]
    return Answer(
        rows.count(),
        rows=written,
        order=_("As on the page"),
        filters=[(label, value) for label, value in filters if value],
    )


def _department(exemption: Exemption) -> str:
    own = exemption.person.department if exemption.person else None
    home = own.merged_into or own if own else None
    return home.name if home else ""


def _last_day(exemption: Exemption) -> Any:
    """The last moment it excuses, so that its local day is the last day."""
    return None if exemption.stops_at is None else exemption.stops_at - timedelta(microseconds=1)


def _person(row: Any, name: str) -> Any:
    return getattr(row[0].person, name) if row[0].person else ""


def _of_person(name: str, *, is_default: bool = True) -> Column:
    return column(PEOPLE[name], of=lambda row: _person(row, name), is_default=is_default)


EXEMPTIONS = Table(
    "exemptions",
    gettext_lazy("Exemptions"),
    (
        Column("who", gettext_lazy("Person or group"), of=lambda row: str(row[0].person or row[0].group), width=30),
        _of_person("email"),
        _of_person("employee_number", is_default=False),
        column(PEOPLE["person_knowbe4_id"], of=lambda row: _person(row, "knowbe4_id")),
        column(PEOPLE["department"], of=lambda row: _department(row[0])),
        column(
            PEOPLE["manager"],
            is_default=False,
            of=lambda row: str(_person(row, "manager") or _person(row, "manager_name")),
        ),
        column(ENROLLMENTS["campaign"], of=lambda row: str(row[0].campaign) if row[0].campaign else _("All campaigns")),
        Column("reason", gettext_lazy("Reason"), of=lambda row: row[0].get_reason_display(), width=24),
        Column("note", gettext_lazy("Note"), of=lambda row: row[0].note, width=40),
        Column("state", gettext_lazy("State"), of=lambda row: str(Exemption.State(row[1]).label), width=14),
        Column("starts_at", gettext_lazy("From"), Kind.DAY, of=lambda row: row[0].starts_at),
        Column("ends_at", gettext_lazy("Last day"), Kind.DAY, of=lambda row: _last_day(row[0])),
        Column("requested_by", gettext_lazy("Asked for by"), of=lambda row: str(row[0].requested_by), width=26),
        Column("requested_at", gettext_lazy("Asked for"), Kind.MOMENT, of=lambda row: row[0].requested_at),
        Column("approved_by", gettext_lazy("Approved by"), of=lambda row: str(row[0].approved_by or ""), width=26),
        Column("approved_at", gettext_lazy("Approved"), Kind.MOMENT, of=lambda row: row[0].approved_at),
        Column(
            "rejected_by", gettext_lazy("Rejected by"), is_default=False, of=lambda row: str(row[0].rejected_by or "")
        ),
        Column(
            "rejected_at", gettext_lazy("Rejected"), Kind.MOMENT, is_default=False, of=lambda row: row[0].rejected_at
        ),
        Column("ended_by", gettext_lazy("Ended by"), is_default=False, of=lambda row: str(row[0].ended_by or "")),
        Column("ended_at", gettext_lazy("Ended"), Kind.MOMENT, is_default=False, of=lambda row: row[0].ended_at),
    ),
    _exemptions,
    page="exemptions",
    allows=lambda scope: scope.sees_everyone,
)
