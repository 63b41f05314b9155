"""Files made by workers: asked for by a page, made in the scope the reader has at that moment, kept for a day.

A file is written in a work folder and stored only when it is whole (`dashboard.files.storage`), so a worker that is
killed leaves none behind; the task comes again and starts over. Two workers never make the same one: whoever makes it
holds a lock of the database's, which ends with its connection.
"""

import errno
import logging
import os
from datetime import date, datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.http import Http404, QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from psycopg.errors import DiskFull

from config.database_errors import is_away
from dashboard.access import Scope
from dashboard.exports.about import about
from dashboard.exports.delimited import delimited
from dashboard.exports.table_request import Question, Table
from dashboard.exports.tables import TABLES
from dashboard.exports.workbook import write_workbook
from dashboard.files import storage
from dashboard.files.kept_scope import covers, kept
from dashboard.locks import advisory_lock
from dashboard.models import Export, User
from dashboard.queries.search import Search
from dashboard.row_security import within

logger = logging.getLogger(__name__)

KEPT_FOR = timedelta(hours=24)
# A file that so many workers began and none finished is given up.
MOST_BEGUN = 3
# After so long without a worker it is queued again: a queue may lose what it holds.
FORGOTTEN_AFTER = timedelta(minutes=5)
FOLDER = "exports"
State = Export.State


class GivenUpError(Exception):
    """The file cannot be made; the sentence says why."""


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
    """Return the files a reader asked for in this account, the newest first; nobody sees another's."""
    if scope.account is None or not isinstance(user, User):
        return Export.objects.none()
    return Export.objects.filter(account=scope.account, user=user).order_by("-pk")


def is_theirs(export: Export, scope: Scope) -> bool:
    """Return whether a reader may still have a file: its list is theirs, and all it was made of in their scope."""
    table = TABLES.get(export.table)
    return table is not None and table.allows(scope) and covers(scope, export.scope)


# Files ---------------------------------------------------------------------------------------------------------


def name_of(export: Export) -> str:
    """Return the name under which an export's file is stored, or would be."""
    return f"{FOLDER}/{export.key}.{Export.Format(export.format).extension}"


def rows_done(export: Export) -> int:
    """Return how many rows are written so far: what the worker last said."""
    if export.state != State.WORKING:
        return export.rows_done
    found = cache.get(_progress_key(export.pk), 0)
    return min(int(found), export.rows_total) if export.rows_total else int(found)


def _progress_key(pk: int) -> str:
    return f"export-rows-{pk}"


# Making --------------------------------------------------------------------------------------------------------


def make_export(export_id: int) -> None:
    """Make one file, unless another worker does or it is done; what cannot be made says why.

    Raises what the database raises when it went away: the task is to come again.
    """
    with advisory_lock(f"export {export_id}") as is_alone:
        if not is_alone:
            return
        export = Export.objects.select_related("account__published_run", "user").filter(pk=export_id).first()
        if export is None or not export.is_live:
            return
        storage.clear_work(_work_of(export))
        if export.begun >= MOST_BEGUN:
            _fail(export, _("It was begun several times and never finished. The worker's log may say why."))
            return
        export.begun += 1
        export.state = State.WORKING
        export.save(update_fields=["begun", "state"])
        try:
            _make(export)
        except GivenUpError as error:
            _fail(export, str(error))
        except OSError as error:
            if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
                logger.exception("export %s could not be written", export_id)
            _fail(export, _disk_words(error))
        except Exception as error:
            if getattr(error.__cause__, "sqlstate", None) == DiskFull.sqlstate:
                _fail(export, _("The database's disk is full. Ask again once there is room."))
                return
            if is_away(error):
                raise
            # Whatever it is: the log has it whole, and the page says so, rather than a file that is made for ever.
            logger.exception("export %s failed", export_id)
            _fail(export, _("Rollcall could not make this file. The worker's log says why."))


def _disk_words(error: OSError) -> str:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return _("The disk that files are made on is full. Ask again once there is room.")
    return _("The file could not be written: %(why)s.") % {"why": os.strerror(error.errno or errno.EIO)}


def question_of(export: Export, now: datetime) -> tuple[Table, Question, list[str]]:
    """Return what an export asks, in the scope its reader has now. GivenUpError when they may not have it any more."""
    table = TABLES.get(export.table)
    scope = Scope.of(export.user, chosen=export.account_id, at=now)
    if scope.account is None or scope.account.pk != export.account_id:
        raise GivenUpError(_("You have no role in this account any more."))
    if table is None or not table.allows(scope):
        raise GivenUpError(_("Your role does not show this list any more."))
    asked = export.parameters
    past_day = date.fromisoformat(asked["past_day"]) if asked.get("past_day") else None
    as_of = datetime.fromisoformat(asked["as_of"])
    search = Search(asked.get("search", ""), asked.get("is_lost", False))
    return table, Question(scope, QueryDict(asked["query"]), now, as_of, past_day, search), list(asked["columns"])


def _make(export: Export) -> None:
    table, question, keys = question_of(export, timezone.now())
    zone = question.zone

    def note(rows: int) -> None:
        cache.set(_progress_key(export.pk), rows, timeout=3600)

    with timezone.override(zone), within(question.scope):
        try:
            columns, answer = table.chosen(keys), table.ask(question)
        except (BadRequest, Http404) as error:
            raise GivenUpError(_("What was asked for is not there any more.")) from error
        with storage.work_folder(_work_of(export)) as folder, storage.new_file(folder / "file") as file:
            kind = Export.Format(export.format)
            if kind.is_csv:
                rows = 0
                for chunk, count in delimited(question, answer, columns, kind):
                    file.write(chunk)
                    rows += count
                    note(rows)
            else:
                rows = write_workbook(
                    file,
                    answer,
                    columns,
                    zone,
                    lambda count: about(table, question, answer, export.user, rows=count),
                    scratch=folder,
                    progress=note,
                )
            made = storage.whole(file)
            storage.put(folder / "file", name_of(export))
    export.bytes, export.sha256 = made.bytes, made.sha256
    export.state, export.rows_done, export.rows_total = State.READY, rows, rows
    export.scope = kept(question.scope)
    export.ready_at = timezone.now()
    export.expires_at = export.ready_at + KEPT_FOR
    export.save()


def _work_of(export: Export) -> str:
    return f"export-{export.key}"


def _fail(export: Export, why: str) -> None:
    export.state, export.error = State.FAILED, why
    export.save(update_fields=["state", "error"])


# Keeping house -------------------------------------------------------------------------------------------------


def forget_expired(now: datetime) -> int:
    """Remove the files whose day is over, and old ones that belong to no export; return how many expired."""
    # Of a clock that was ahead when it was made.
    Export.objects.filter(state=State.READY, expires_at__gt=now + KEPT_FOR).update(expires_at=now + KEPT_FOR)
    expired = 0
    for export in Export.objects.filter(state=State.READY, expires_at__lte=now).order_by("pk"):
        storage.remove(name_of(export))
        export.state = State.EXPIRED
        export.save(update_fields=["state"])
        expired += 1
    known = {str(key) for key in Export.objects.filter(state__in=_WITH_FILES).values_list("key", flat=True)}
    storage.remove_strangers(FOLDER, known, before=now - KEPT_FOR)
    storage.remove_left_work(before=now - KEPT_FOR)
    return expired


_WITH_FILES = [State.WAITING, State.WORKING, State.READY]


def forgotten(now: datetime) -> list[int]:
    """Return the exports that no worker finished in minutes; queueing one again that is being made does no harm."""
    waiting = Export.objects.filter(state__in=[State.WAITING, State.WORKING])
    # Asked for in the future: by a clock that was ahead.
    waiting = waiting.exclude(requested_at__gt=now - FORGOTTEN_AFTER, requested_at__lte=now)
    return list(waiting.order_by("pk").values_list("pk", flat=True))
