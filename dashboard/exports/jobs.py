"""Lists made as files by workers: asked for by a page, at the moment its figures were computed for."""

from datetime import date, datetime
from typing import Any

from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.http import Http404, QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _

from dashboard.access import Scope
from dashboard.exports.table_request import Question, Table
from dashboard.exports.tables import TABLES
from dashboard.exports.writing import write_list
from dashboard.files.errors import GivenUpError, NoAccessError
from dashboard.files.jobs import Work, finish, make, note_rows
from dashboard.files.kept_scope import kept, scope_in
from dashboard.models import Export, User
from dashboard.queries.search import Search
from dashboard.row_security import within

# Asking --------------------------------------------------------------------------------------------------------


def parameters_of(question: Question, columns: list[str]) -> dict[str, Any]:
    """Return what was asked, for a worker to ask again: the same query at the same moment, whenever it gets to it."""
    return {
        "query": question.GET.urlencode(),
        "search": question.search.text,
        "is_lost": question.search.is_lost,
        "as_of": question.as_of.isoformat(),
        "past_day": question.past_day.isoformat() if question.past_day else None,
        "columns": columns,
    }


def request_export(
    question: Question, table: Table, columns: list[str], kind: Export.Format, *, user: User, rows: int
) -> Export:
    """Note that a reader asks for a file that a worker is to make; the caller queues the task."""
    return Export.objects.create(
        account=question.account,
        user=user,
        table=table.key,
        parameters=parameters_of(question, columns),
        format=kind,
        rows_total=rows,
        file_name=file_name(question, table, kind),
        requested_at=question.now,
    )


def file_name(question: Question, table: Table, kind: Export.Format | str) -> str:
    """Return what a file is called on the reader's disk: the list, the account and the day; letters and dashes only."""
    day = question.past_day or question.as_of.astimezone(question.zone).date()
    account = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in question.account.name)
    words = [table.key.replace("_", "-"), "-".join(filter(None, account.lower().split("-")))[:60], day.isoformat()]
    return f"{'_'.join(filter(None, words))}.{Export.Format(kind).extension}"


def remember_csv(user: User, kind: Export.Format) -> None:
    """Keep which CSV a reader took along; what is no CSV changes nothing."""
    if kind.is_csv and user.csv_format != kind:
        User.objects.filter(pk=user.pk).update(csv_format=kind)


def formats_for(user: Any) -> list[Export.Format]:
    """Return the formats in the order in which menus offer them: of the CSVs, the one the reader took last first."""
    last = getattr(user, "csv_format", Export.Format.CSV)
    return sorted(Export.Format, key=lambda kind: (not kind.is_csv, kind != last))


def exports_of(scope: Scope, user: Any) -> QuerySet[Export]:
    """Return the files a reader asked for in this account, the newest first; nobody sees another's.

    None while they view as somebody else.
    """
    if scope.account is None or scope.viewer is not None or not isinstance(user, User):
        return Export.objects.none()
    return Export.objects.filter(account=scope.account, user=user).order_by("-pk")


# Making --------------------------------------------------------------------------------------------------------


def make_export(export_id: int) -> None:
    """Make one file: see `dashboard.files.jobs.make`."""
    make(Export, export_id, _make)


def question_of(export: Export, now: datetime) -> tuple[Table, Question, list[str]]:
    """Return what an export asks, in the scope its reader has now. NoAccessError when they may not have it any more."""
    table, scope = TABLES.get(export.table), scope_in(export.account_id, export.user, now)
    if table is None or not table.allows(scope):
        raise NoAccessError(_("Your role does not show this list any more."))
    asked = export.parameters
    past_day = date.fromisoformat(asked["past_day"]) if asked.get("past_day") else None
    as_of = datetime.fromisoformat(asked["as_of"])
    search = Search(asked.get("search", ""), asked.get("is_lost", False))
    return table, Question(scope, QueryDict(asked["query"]), now, as_of, past_day, search), list(asked["columns"])


def _make(export: Export, work: Work) -> None:
    table, question, keys = question_of(export, timezone.now())
    with timezone.override(question.zone), within(question.scope):
        try:
            columns, answer = table.chosen(keys), table.ask(question)
        except (BadRequest, Http404) as error:
            raise GivenUpError(_("What was asked for is not there any more.")) from error
        rows = write_list(
            work.file,
            table,
            question,
            answer,
            columns,
            Export.Format(export.format),
            export.user,
            scratch=work.folder,
            progress=lambda count: note_rows(export, count),
        )
    finish(export, work, rows=rows, scope=kept(question.scope, has_log=table.is_of_log))
