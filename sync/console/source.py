"""From bytes to records: encoding, delimiter, and the line each record begins on."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
ENCODINGS = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "utf-16": "UTF-16", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16"}
MOST_COLUMNS = 500
# Enough records to tell a delimiter by.
_SAMPLE = 64 * 1024
_SAMPLE_RECORDS = 30
_FOREIGN = (
    (b"PK\x03\x04", "This is a spreadsheet or an archive, not a CSV: save the sheet as CSV and upload that."),
    (b"\xd0\xcf\x11\xe0", "This is an old Excel workbook, not a CSV: save the sheet as CSV and upload that."),
    (b"%PDF", "This is a PDF, not a CSV: in the console choose Generate CSV."),
    (b"\x1f\x8b", "This file is compressed: unpack it and upload the CSV."),
)


class FileUnreadableError(Exception):
    """The file is no CSV that can be read; the message is a sentence for whoever uploaded it."""


@dataclass(frozen=True)
class Record:
    """One record: the line it begins on (the file's first is 1) and its cells, as text."""

    line: int
    cells: list[str]


@dataclass(frozen=True)
class Source:
    """A decoded file. Cells are text and nothing else: one that begins with = + - or @ is never a formula here."""

    raw: bytes
    encoding: str
    delimiter: str

    @property
    def encoding_name(self) -> str:
        """The encoding as people know it."""
        return ENCODINGS.get(self.encoding, "Windows-1252")

    @property
    def delimiter_name(self) -> str:
        """The delimiter as a word."""
        return DELIMITERS[self.delimiter]

    def headers(self) -> list[str]:
        """Return the first record, trimmed, without the empty cells at its end."""
        first = next(self._all(), None)
        cells = [cell.strip() for cell in first.cells] if first else []
        while cells and not cells[-1]:
            cells.pop()
        return cells

    def records(self) -> Iterator[Record]:
        """Yield every record after the headers; blank lines are left out. FileUnreadableError for broken quoting."""
        records = self._all()
        next(records, None)
        return records

    def _all(self) -> Iterator[Record]:
        with io.TextIOWrapper(io.BytesIO(self.raw), encoding=self.encoding, newline="") as text:
            reader = csv.reader(text, delimiter=self.delimiter, strict=True)
            line = 0
            while True:
                begins = line + 1
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error:
                    raise FileUnreadableError(
                        f"From line {begins} on the file cannot be read: a quotation mark there is not closed, or is "
                        "followed by something else than a delimiter."
                    ) from None
                line = reader.line_num
                if begins == 1 and _named_delimiter(cells, self.delimiter):
                    continue
                if any(cell and not cell.isspace() for cell in cells):
                    yield Record(begins, cells)


def open_source(raw: bytes) -> Source:
    """Return the file ready to be read: UTF-8 with or without a mark, UTF-16 or Windows-1252, whatever the delimiter.

    FileUnreadableError for an empty file, another kind of file, or one without a line of column names.
    """
    for beginning, message in _FOREIGN:
        if raw.startswith(beginning):
            raise FileUnreadableError(message)
    encoding = _encoding(raw)
    sample = raw[:_SAMPLE].decode(encoding, errors="ignore")
    if not sample.strip():
        raise FileUnreadableError("The file is empty.")
    source = Source(raw, encoding, _delimiter(sample, whole=len(raw) <= _SAMPLE))
    headers = source.headers()
    if len(headers) < 2:
        raise FileUnreadableError(
            "The first line names fewer than two columns: this is not the console's training CSV."
        )
    if len(headers) > MOST_COLUMNS:
        raise FileUnreadableError(f"The first line names {len(headers):,} columns: this is not the console's CSV.")
    return source


def _encoding(raw: bytes) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        candidates = ["utf-16"]
    elif raw.startswith(b"\xef\xbb\xbf"):
        candidates = ["utf-8-sig"]
    elif b"\x00" in raw[:4096]:
        # UTF-16 without a mark: the zero half of each Latin letter tells which half comes first.
        candidates = ["utf-16-be" if raw[0] == 0 else "utf-16-le"]
    else:
        # The order matters: nearly every byte is some Windows-1252 letter, few accidents are UTF-8.
        candidates = ["utf-8", "cp1252"]
    for encoding in candidates:
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" in text:
            break
        return encoding
    raise FileUnreadableError("The file is not text in UTF-8, UTF-16 or Windows-1252.")


def _delimiter(sample: str, *, whole: bool) -> str:
    """Return the delimiter that cuts the first records into most columns, evenly; Excel's "sep=" line decides."""
    first_line = sample.splitlines()[0].strip().lower()
    if first_line.startswith("sep=") and first_line[4:5] in DELIMITERS:
        return first_line[4:5]
    if sample[:4].lower() == "sep=" and sample[4:5] == "\t":
        return "\t"

    def evenness(delimiter: str) -> float:
        widths = []
        try:
            for cells in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter):
                if cells:
                    widths.append(len(cells))
                if len(widths) > _SAMPLE_RECORDS:
                    break
        except csv.Error:
            return 0.0
        if not whole and len(widths) > 1:
            # The sample may end inside a record.
            widths.pop()
        if not widths or widths[0] < 2:
            return 0.0
        return widths[0] * sum(width == widths[0] for width in widths) / len(widths)

    return max(DELIMITERS, key=evenness)


def _named_delimiter(cells: list[str], delimiter: str) -> bool:
    """Return whether this is Excel's first line, "sep=;", which is no record."""
    return cells in ([f"sep={delimiter}"], ["sep=", ""])
