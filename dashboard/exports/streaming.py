"""Small files, made while the browser waits: CSV row by row as the database gives it, XLSX as soon as it is whole."""

from collections.abc import Iterator, Sequence
from io import BytesIO
from uuid import uuid4

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone, translation

from dashboard.exports.columns import Column
from dashboard.exports.delimited import delimited
from dashboard.exports.jobs import file_name
from dashboard.exports.table_request import Answer, Question, Table
from dashboard.exports.writing import write_list
from dashboard.files import storage
from dashboard.files.downloads import as_download
from dashboard.models import Export, User
from dashboard.row_security import within

# Larger ones are made by a worker: a browser is not to wait for long, nor a web process to be kept.
MOST_ROWS = {Export.Format.CSV: 200_000, Export.Format.SEMICOLONS: 200_000, Export.Format.XLSX: 20_000}


def is_large(rows: int, kind: Export.Format) -> bool:
    """Return whether a file with so many rows is for a worker to make."""
    return rows > MOST_ROWS[kind]


def streamed(
    question: Question, table: Table, answer: Answer, columns: Sequence[Column], kind: Export.Format, reader: User
) -> HttpResponseBase:
    """Answer with the file. OSError when a workbook finds no room on the disk."""
    response: HttpResponseBase
    if kind.is_csv:
        response = StreamingHttpResponse(_pieces(question, table, columns, kind, translation.get_language()))
    else:
        made = BytesIO()
        with storage.work_folder(f"streamed-{uuid4()}") as folder:
            write_list(made, table, question, answer, columns, kind, reader, scratch=folder)
        response = HttpResponse(made.getbuffer())
    as_download(response, file_name(question, table, kind))
    return response


def _pieces(
    question: Question, table: Table, columns: Sequence[Column], kind: Export.Format, language: str | None
) -> Iterator[bytes]:
    """Yield the file. The view is over by now: the transaction, scope, zone and language are entered anew.

    Whoever hangs up closes this generator, and with it the query and the transaction.
    """
    with within(question.scope), translation.override(language), timezone.override(question.zone):
        for piece, _rows in delimited(question, table.ask(question), columns, kind):
            yield piece
