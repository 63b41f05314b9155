"""Description in every export: whose numbers, as of when, from which sync, asked how, and what the words mean."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from dashboard.exports.table_request import Answer, Question, Table
from dashboard.figures.selection import Basis
from dashboard.metrics.registry import REGISTRY
from dashboard.models import User


@dataclass(frozen=True)
class About:
    """The circumstances of one export, as lines of a label and a value; moments are local times of the account."""

    title: str
    lines: Sequence[tuple[str, str | int | datetime | None]]
    definitions: Sequence[tuple[str, str]]


def about(table: Table, question: Question, answer: Answer, reader: User | None, *, rows: int) -> About:
    """Return what an export of a table says of itself; `rows` is how many it holds."""
    account, zone = question.account, question.zone
    run = account.published_run
    filters = [(label, value) for label, value in answer.filters if value]
    as_of, data_as_of = _local(question.as_of, zone), _local(account.data_as_of, zone)
    lines: list[tuple[str, str | int | datetime | None]] = [
        (_("Account"), account.name),
        (_("Scope"), str(question.scope.label)),
        *([(_("About"), answer.subject)] if answer.subject else []),
        (_("As of"), as_of),
        *([(_("End of day"), question.past_day.isoformat())] if question.past_day else []),
        (_("Time zone"), account.time_zone),
        (_("Departments and managers"), _("As then") if question.asked.basis == Basis.THEN else _("As now")),
        (_("Filters"), "; ".join(f"{label}: {value}" for label, value in filters) or _("None")),
        (_("Order"), answer.order),
        (_("Rows"), rows),
        (_("Sync run"), str(run.number) if run else None),
        (_("Data as of"), data_as_of),
        (_("Exported by"), f"{reader.get_full_name() or reader} ({reader.email})" if reader else None),
        (_("Exported"), _local(question.now, zone)),
    ]
    terms = [REGISTRY[name] for name in table.terms]
    return About(str(table.title), lines, [(str(term.title), str(term.sentence)) for term in terms])


def moments(question: Question) -> list[tuple[str, str]]:
    """Return what every row of a CSV file says of its data, by the heads of these columns; local times as elsewhere."""
    as_of, data_as_of = (_local(at, question.zone) for at in (question.as_of, question.account.data_as_of))
    return [
        (_("As of"), as_of.isoformat(" ") if as_of else ""),
        (_("Data as of"), data_as_of.isoformat(" ") if data_as_of else ""),
        (_("Time zone"), question.account.time_zone),
    ]


def _local(moment: datetime | None, zone: ZoneInfo) -> datetime | None:
    return moment.astimezone(zone).replace(tzinfo=None, microsecond=0) if moment else None
