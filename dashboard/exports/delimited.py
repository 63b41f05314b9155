"""CSV as RFC 4180 has it, with a byte order mark so that spreadsheets read its letters right.

With semicolons it is for regional settings whose decimals have a comma: there a double click opens it with one value a
column, and its decimals have a comma as well. Every row ends with the moment and the zone of its data: a file is split,
joined and renamed on its way, and a line above the heads would be no CSV any more.
"""

import csv
from collections.abc import Iterator, Sequence
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

from dashboard.exports.about import moments
from dashboard.exports.columns import Column
from dashboard.exports.copying import CHUNK, COMMAS, SEMICOLONS, Dialect, copied
from dashboard.exports.csv_injection import neutralize
from dashboard.exports.table_request import Answer, Question
from dashboard.models import Export

BOM = b"\xef\xbb\xbf"
# A row at a time would be a write to the browser for each.
_ROWS = 500


def delimited(
    question: Question, answer: Answer, columns: Sequence[Column], kind: Export.Format
) -> Iterator[tuple[bytes, int]]:
    """Yield the file in pieces, each with how many rows it has; inside a transaction in the reader's scope."""
    head, zone = StringIO(), question.zone
    dialect = SEMICOLONS if kind == Export.Format.SEMICOLONS else COMMAS
    heads, ends = zip(*moments(question), strict=True)
    _writer(head, dialect).writerow(map(neutralize, [*(str(column.heading) for column in columns), *heads]))
    yield BOM + head.getvalue().encode(), 0
    if answer.select_query is not None:
        yield from copied(answer.select_query, columns, zone, dialect, ends)
    else:
        yield from _written(answer, columns, zone, dialect, ends)


def _written(
    answer: Answer, columns: Sequence[Column], zone: ZoneInfo, dialect: Dialect, ends: Sequence[str]
) -> Iterator[tuple[bytes, int]]:
    part, count = StringIO(), 0
    writer = _writer(part, dialect)
    for row in answer.rows():
        values = ((column, column.of(row) if column.of else None) for column in columns)
        writer.writerow([*(column.text(value, zone, dialect.decimal) for column, value in values), *ends])
        count += 1
        if count == _ROWS or part.tell() >= CHUNK:
            yield part.getvalue().encode(), count
            part, count = StringIO(), 0
            writer = _writer(part, dialect)
    if count:
        yield part.getvalue().encode(), count


def _writer(to: StringIO, dialect: Dialect) -> Any:
    return csv.writer(to, delimiter=dialect.separator, lineterminator="\r\n")
