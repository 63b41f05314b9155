"""CSV as RFC 4180 has it, with a byte order mark so that spreadsheets read its letters right."""

import csv
from collections.abc import Iterator, Sequence
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

from dashboard.exports.columns import Column
from dashboard.exports.copying import CHUNK, copied
from dashboard.exports.csv_injection import neutral
from dashboard.exports.table_request import Answer

BOM = b"\xef\xbb\xbf"
# A row at a time would be a write to the browser for each.
_ROWS = 500


def delimited(answer: Answer, columns: Sequence[Column], zone: ZoneInfo) -> Iterator[tuple[bytes, int]]:
    """Yield the file in pieces, each with how many rows it has; inside a transaction in the reader's scope."""
    head = StringIO()
    _writer(head).writerow([neutral(str(column.heading)) for column in columns])
    yield BOM + head.getvalue().encode(), 0
    if answer.statement is not None:
        yield from copied(answer.statement, columns, zone)
    else:
        yield from _written(answer, columns, zone)


def _written(answer: Answer, columns: Sequence[Column], zone: ZoneInfo) -> Iterator[tuple[bytes, int]]:
    part, count = StringIO(), 0
    writer = _writer(part)
    for row in answer.rows():
        writer.writerow([column.text(column.of(row) if column.of else None, zone) for column in columns])
        count += 1
        if count == _ROWS or part.tell() >= CHUNK:
            yield part.getvalue().encode(), count
            part, count = StringIO(), 0
            writer = _writer(part)
    if count:
        yield part.getvalue().encode(), count


def _writer(to: StringIO) -> Any:
    return csv.writer(to, lineterminator="\r\n")
