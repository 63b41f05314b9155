"""One sheet of a workbook: its head by XlsxWriter, its rows written as XML at once.

A list may have a million rows of a dozen cells, and XlsxWriter's own calls cost several times what the bytes do. So
rows go straight to the file in which its constant memory keeps them. What is repeated, such as names of departments
and due dates, is written out once and remembered.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from dashboard.exports.columns import YES_NO, Column
from dashboard.exports.copying import EPOCH
from dashboard.exports.csv_injection import is_dangerous
from dashboard.queries.fields import Kind

# What a cell holds at most.
MOST_LETTERS = 32_767
_EPOCH = date.fromisoformat(EPOCH).toordinal()
_WIDTHS = {
    **{Kind.DAY: 12, Kind.MOMENT: 18, Kind.INTEGER: 11, Kind.NUMBER: 11, Kind.RATE: 12, Kind.ID: 18},
    **{Kind.CHOICE: 15, Kind.BOOLEAN: 15},
}
_FORMATS = {
    Kind.DAY: "yyyy-mm-dd",
    Kind.MOMENT: "yyyy-mm-dd hh:mm",
    Kind.INTEGER: "#,##0",
    Kind.NUMBER: "#,##0.0",
    # As pages write it: never 0 % for what is more than nothing.
    Kind.RATE: '[=0]0.0%;[<0.001]"<0.1%";0.0%',
}
# Values a column remembers the cells of.
_REMEMBERED = 2_048
_MARKUP = re.compile(r"[&<>\x00-\x1f\ufffe\uffff]|_x[0-9a-fA-F]{4}_")
# What XML cannot hold is written as Office does, and what looks so already is told apart from it.
_LOOKS_SO = re.compile("(_x[0-9a-fA-F]{4}_)")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]")


class Styles:
    """The formats of a workbook, made once each."""

    def __init__(self, book: Any, columns: Iterable[Column]) -> None:
        self.head: Format = book.add_format({"bold": True, "bottom": 1, "valign": "top", "text_wrap": True})
        self.marked: Format = book.add_format({"quote_prefix": True})
        self.of = {
            column.kind: book.add_format({"num_format": _FORMATS[column.kind]}) if column.kind in _FORMATS else None
            for column in columns
        }


class Sheet:
    """A sheet of rows below their heads. `place` is how many rows it has, the heads among them."""

    def __init__(self, book: Any, name: str, columns: Sequence[Column], styles: Styles, zone: ZoneInfo) -> None:
        self.sheet: Worksheet = book.add_worksheet(name)
        self.columns, self.place = columns, 1
        for place, column in enumerate(columns):
            self.sheet.set_column(place, place, column.width or _WIDTHS.get(column.kind, 18))
        self.sheet.freeze_panes(1, 0)
        for place, column in enumerate(columns):
            self.sheet.write_string(0, place, str(column.heading), styles.head)
        self.sheet._write_single_row(1)
        self._put = self.sheet.row_data_fh.write
        self._cells = [
            (f'<c r="{xl_col_to_name(place)}', lru_cache(_REMEMBERED)(_cell_of(column, styles, zone)))
            for place, column in enumerate(columns)
        ]

    def write(self, row: Sequence[Any]) -> None:
        """Write one row of raw values."""
        self.place += 1
        number = self.place
        written = [f'<row r="{number}">']
        for (start, cell_of), value in zip(self._cells, row, strict=True):
            if value is not None and value != "":
                cell = cell_of(value)
                if cell is not None:
                    written.append(f"{start}{number}{cell}")
        written.append("</row>")
        self._put("".join(written))

    def finish(self) -> None:
        """Put filters on what is written."""
        self.sheet.previous_row = self.place
        self.sheet.dim_rowmax = max(self.sheet.dim_rowmax or 0, self.place - 1)
        # Ids and numbers of employees are texts on purpose: no mark on each that it could be a number.
        cells = f"A1:{xl_col_to_name(max(len(self.columns) - 1, 0))}{self.place}"
        self.sheet.ignore_errors({"number_stored_as_text": cells})
        self.sheet.autofilter(0, 0, max(self.place - 1, 1), len(self.columns) - 1)


def _cell_of(column: Column, styles: Styles, zone: ZoneInfo) -> Callable[[Any], str | None]:
    """Return what writes a value of this column as the rest of a cell, after its place; None for an empty one."""
    form = styles.of[column.kind]
    style = f' s="{form._get_xf_index()}"' if form is not None else ""
    if column.kind in {Kind.INTEGER, Kind.NUMBER}:
        return lambda value: f'"{style}><v>{value}</v></c>'
    if column.kind == Kind.DAY:
        return lambda value: f'"{style}><v>{_day(value, zone)}</v></c>'
    if column.kind == Kind.MOMENT:
        return lambda value: f'"{style}><v>{_moment(value, zone)}</v></c>'
    if column.kind == Kind.RATE:

        def rate(value: Any) -> str | None:
            found: Decimal | None = column.cell(value, zone)
            return f'"{style}><v>{float(found):.16g}</v></c>' if found is not None else None

        return rate
    words = {value: str(word) for value, word in column.words.items()}
    if column.kind == Kind.BOOLEAN:
        # As rows have them, and as the database writes them.
        words = {value: str(YES_NO[value in (True, "t")]) for value in (True, False, "t", "f")}
    marked = f' s="{styles.marked._get_xf_index()}"'

    def text(value: Any) -> str:
        written = words.get(value) or str(value)
        if len(written) > MOST_LETTERS // 2:
            written = _cut(written)
        space = ' xml:space="preserve"' if written[0].isspace() or written[-1].isspace() else ""
        mark = marked if is_dangerous(written) else ""
        if _MARKUP.search(written):
            written = escaped(written)
        return f'"{mark} t="inlineStr"><is><t{space}>{written}</t></is></c>'

    return text


def _cut(text: str) -> str:
    """Return a text no longer than a cell may hold, which counts letters beyond the first 65,536 twice."""
    units = text.encode("utf-16-le")
    if len(units) // 2 <= MOST_LETTERS:
        return text
    return units[: 2 * (MOST_LETTERS - 1)].decode("utf-16-le", "ignore") + "…"


def escaped(text: str) -> str:
    """Return a text as XML has it, with what XML cannot hold as Office writes it: `_x0007_`."""
    text = _CONTROL.sub(lambda found: f"_x{ord(found[0]):04X}_", _LOOKS_SO.sub(r"_x005F\1", text))
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _day(value: date | datetime | str, zone: ZoneInfo) -> int | str:
    """Return a day as spreadsheets count them; of a moment, its local one. What the database counted stays."""
    if isinstance(value, str):
        return value
    return (value.astimezone(zone) if isinstance(value, datetime) else value).toordinal() - _EPOCH


def _moment(value: datetime | str, zone: ZoneInfo) -> str:
    """Return a moment's local time as spreadsheets count it, to the second. What the database counted stays."""
    if isinstance(value, str):
        return value
    local = value.astimezone(zone)
    seconds = local.hour * 3600 + local.minute * 60 + local.second
    return f"{local.toordinal() - _EPOCH + seconds / 86_400:.16g}"
