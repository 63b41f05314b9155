"""XLSX: typed dates and numbers, the head in view, filters on, and a sheet that says what the numbers are.

Rows go to disk as they come (XlsxWriter's constant memory). Texts stay texts: nothing is taken for a formula, an
address or a number, and what could be is marked with the apostrophe that spreadsheets keep out of sight.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any
from zoneinfo import ZoneInfo

import xlsxwriter
from django.utils.translation import gettext as _
from xlsxwriter.exceptions import FileCreateError
from xlsxwriter.worksheet import Worksheet

from dashboard.exports.about import About
from dashboard.exports.columns import Column
from dashboard.exports.copying import counted
from dashboard.exports.sheet import Sheet, Styles
from dashboard.exports.table_request import Answer

# What a sheet holds at most; further rows go to further sheets.
MOST_ROWS = 1_048_576
# How often it is told how far it is.
_ROWS_BETWEEN = 1_000

Progress = Callable[[int], None]


def write_workbook(
    to: IO[bytes] | Path,
    answer: Answer,
    columns: Sequence[Column],
    zone: ZoneInfo,
    about: Callable[[int], About],
    *,
    scratch: Path,
    progress: Progress = lambda rows: None,
) -> int:
    """Write the workbook and return how many rows it holds; inside a transaction in the reader's scope.

    `about` is asked once the rows are counted. Files in between lie in `scratch` and are gone afterwards; OSError when
    the disk is full.
    """
    with TemporaryDirectory(dir=scratch, prefix="workbook-") as room:
        return _write(to, answer, columns, zone, about, room, progress)


def _write(
    to: IO[bytes] | Path,
    answer: Answer,
    columns: Sequence[Column],
    zone: ZoneInfo,
    about: Callable[[int], About],
    room: str,
    progress: Progress,
) -> int:
    options = {
        "constant_memory": True,
        "tmpdir": room,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    book = xlsxwriter.Workbook(str(to) if isinstance(to, Path) else to, options)
    styles, title = Styles(book, columns), about(0).title
    sheets = [Sheet(book, _sheet_name(title, 1), columns, styles, zone)]
    written = 0
    for row in _rows(answer, columns, zone):
        if sheets[-1].place == MOST_ROWS:
            sheets.append(Sheet(book, _sheet_name(title, len(sheets) + 1), columns, styles, zone))
        sheets[-1].write(row)
        written += 1
        if written % _ROWS_BETWEEN == 0:
            progress(written)
    for sheet in sheets:
        sheet.finish()
    _write_about(book, about(written))
    try:
        book.close()
    except FileCreateError as error:  # it wraps what the disk said
        raise error.args[0] if error.args and isinstance(error.args[0], OSError) else error from None
    progress(written)
    return written


def _rows(answer: Answer, columns: Sequence[Column], zone: ZoneInfo) -> Iterator[Sequence[Any]]:
    if answer.select_query is not None:
        yield from counted(answer.select_query, columns, zone)
        return
    for row in answer.rows():
        yield [column.of(row) if column.of else None for column in columns]


def _sheet_name(title: str, number: int) -> str:
    """Return a name that a sheet may have: 31 letters, none of []:*?/\\ ."""
    plain = "".join(" " if letter in "[]:*?/\\'" else letter for letter in title)[:27].strip()
    return plain if number == 1 else f"{plain} {number}"


def _write_about(book: Any, about: About) -> None:
    sheet: Worksheet = book.add_worksheet(_("About"))
    title, bold, moment = (
        book.add_format({"bold": True, "font_size": 14}),
        book.add_format({"bold": True, "valign": "top"}),
        book.add_format({"num_format": "yyyy-mm-dd hh:mm", "align": "left"}),
    )
    plain = book.add_format({"text_wrap": True, "valign": "top"})
    whole = book.add_format({"num_format": "#,##0", "align": "left"})
    sheet.set_column(0, 0, 26)
    sheet.set_column(1, 1, 90)
    sheet.write_string(0, 0, about.title, title)
    place = 2
    for label, value in about.lines:
        sheet.write_string(place, 0, label, bold)
        if isinstance(value, datetime):
            sheet.write_datetime(place, 1, value, moment)
        elif isinstance(value, int):
            sheet.write_number(place, 1, value, whole)
        elif value:
            sheet.write_string(place, 1, value, plain)
        place += 1
    if about.definitions:
        place += 1
        sheet.write_string(place, 0, _("What the words mean"), bold)
        for name, sentence in about.definitions:
            place += 1
            sheet.write_string(place, 0, name, bold)
            sheet.write_string(place, 1, sentence, plain)
