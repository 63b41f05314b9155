"""XLSX: typed dates and numbers, the head in view, filters on, and a sheet that says what the numbers are.

Rows go to disk as they come (XlsxWriter's constant memory). Texts stay texts: nothing is taken for a formula, an
address or a number, and what could be is marked with the apostrophe that spreadsheets keep out of sight.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any
from zoneinfo import ZoneInfo

import xlsxwriter
from django.utils.translation import gettext as _
from xlsxwriter.exceptions import FileCreateError
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from dashboard.exports.about import About
from dashboard.exports.asking import Answer
from dashboard.exports.columns import Column, Kind
from dashboard.exports.neutral import is_dangerous

# What a sheet and a cell of it hold at most; further rows go to further sheets.
MOST_ROWS, MOST_LETTERS = 1_048_576, 32_767
_EPOCH = date(1899, 12, 30).toordinal()
_WIDTHS = {Kind.DAY: 12, Kind.MOMENT: 18, Kind.INTEGER: 11, Kind.NUMBER: 11, Kind.RATE: 12, Kind.STATE: 15}
_FORMATS = {
    Kind.DAY: "yyyy-mm-dd",
    Kind.MOMENT: "yyyy-mm-dd hh:mm",
    Kind.INTEGER: "#,##0",
    Kind.NUMBER: "#,##0.0",
    # As pages write it: never 0 % for what is more than nothing.
    Kind.RATE: '[=0]0.0%;[<0.001]"<0.1%";0.0%',
}
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
    styles, title = _Styles(book, columns), about(0).title
    sheets = [_Sheet(book, _sheet_name(title, 1), columns, styles, zone)]
    written = 0
    for row in _rows(answer, columns):
        if sheets[-1].place == MOST_ROWS:
            sheets.append(_Sheet(book, _sheet_name(title, len(sheets) + 1), columns, styles, zone))
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


def _rows(answer: Answer, columns: Sequence[Column]) -> Iterator[Sequence[Any]]:
    if answer.statement is not None:
        yield from answer.statement.rows([column.key for column in columns])
        return
    for row in answer.rows():
        yield [column.of(row) if column.of else None for column in columns]


class _Styles:
    """The formats of a workbook, made once each."""

    def __init__(self, book: Any, columns: Iterable[Column]) -> None:
        self.head: Format = book.add_format({"bold": True, "bottom": 1, "valign": "top", "text_wrap": True})
        self.marked: Format = book.add_format({"quote_prefix": True})
        self.of = {
            column.kind: book.add_format({"num_format": _FORMATS[column.kind]}) if column.kind in _FORMATS else None
            for column in columns
        }


class _Sheet:
    """A sheet of rows below their heads."""

    def __init__(self, book: Any, name: str, columns: Sequence[Column], styles: _Styles, zone: ZoneInfo) -> None:
        self.sheet: Worksheet = book.add_worksheet(name)
        self.columns, self.place = columns, 1
        self.marked = styles.marked
        for place, column in enumerate(columns):
            self.sheet.set_column(place, place, column.width or _WIDTHS.get(column.kind, 18))
        self.sheet.freeze_panes(1, 0)
        for place, column in enumerate(columns):
            self.sheet.write_string(0, place, str(column.heading), styles.head)
        self.writers = [
            self._writer(place, column, styles.of[column.kind], zone) for place, column in enumerate(columns)
        ]

    def write(self, row: Sequence[Any]) -> None:
        """Write one row of raw values."""
        place = self.place
        for writer, value in zip(self.writers, row, strict=True):
            if value is not None and value != "":
                writer(place, value)
        self.place += 1

    def finish(self) -> None:
        """Put filters on what is written."""
        self.sheet.autofilter(0, 0, max(self.place - 1, 1), len(self.columns) - 1)

    def _writer(self, place: int, column: Column, style: Format | None, zone: ZoneInfo) -> Callable[[int, Any], None]:
        """Return what writes a value of this column into a row. Made once: a hundred thousand rows ask for it."""
        number, text = self.sheet._write_number, self.sheet._write_string
        if column.kind in {Kind.INTEGER, Kind.NUMBER}:
            return lambda row, value: _done(number(row, place, value, style))
        if column.kind == Kind.DAY:
            return lambda row, value: _done(number(row, place, _day(value, zone), style))
        if column.kind == Kind.MOMENT:
            return lambda row, value: _done(number(row, place, _moment(value, zone), style))
        if column.kind == Kind.RATE:

            def write_rate(row: int, value: Any) -> None:
                found: Decimal | None = column.cell(value, zone)
                if found is not None:
                    number(row, place, float(found), style)

            return write_rate
        words = {value: str(word) for value, word in column.words.items()}
        marked = self.marked

        def write_text(row: int, value: Any) -> None:
            written = words.get(value) or str(value)
            if len(written) > MOST_LETTERS:
                written = written[: MOST_LETTERS - 1] + "…"
            if written.startswith("<r>") and written.endswith("</r>"):
                written += " "  # XlsxWriter would take it for its own markup, and write it as it is
            text(row, place, written, marked if is_dangerous(written) else None)

        return write_text


def _done(_code: int) -> None:
    """Pass over what XlsxWriter returns: rows and letters are within its bounds."""


def _day(value: date | datetime, zone: ZoneInfo) -> int:
    """Return a day as spreadsheets count them; of a moment, its local one."""
    return (value.astimezone(zone) if isinstance(value, datetime) else value).toordinal() - _EPOCH


def _moment(value: datetime, zone: ZoneInfo) -> float:
    """Return a moment's local time as spreadsheets count it, to the second."""
    local = value.astimezone(zone)
    return local.toordinal() - _EPOCH + (local.hour * 3600 + local.minute * 60 + local.second) / 86_400


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
