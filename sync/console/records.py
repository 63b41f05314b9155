"""From records to rows: what each line says of one enrollment, or why it cannot be used."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from sync.console import words
from sync.console.columns import DATES, Columns, Field
from sync.console.moments import Moment, MomentReader, NotADateError, Order, Votes, decide
from sync.console.source import Record, Source

T = TypeVar("T")

SAMPLES = 3
DUE_DATES = (Field.DUE_AT, Field.EXTENDED_DUE_AT)
_LONGEST = {Field.EMAIL: 500, Field.EMPLOYEE_NUMBER: 200, Field.CAMPAIGN: 1000, Field.CONTENT: 1000}
_BIGGEST_ID = 2**63 - 1


class ConsoleRow(NamedTuple):
    """One enrollment as the console tells it.

    Texts are trimmed, a blank is "" or None; times are UTC, the time spent is in seconds.
    """

    line: int
    enrollment_id: int | None
    email: str
    employee_number: str
    first_name: str
    last_name: str
    campaign: str
    content: str
    content_type: str
    is_policy: bool
    status: str
    enrolled_at: datetime | None
    enrolled_precision: str
    started_at: datetime | None
    completed_at: datetime | None
    due_at: datetime | None
    due_precision: str
    extended_at: datetime | None
    time_spent: int
    score: float | None
    policy_acknowledged: bool
    department: str
    manager_name: str
    manager_email: str
    job_title: str
    location: str
    division: str
    is_archived: bool


@dataclass(frozen=True)
class BadRow:
    """A line that cannot be used: why, and its beginning as it came."""

    line: int
    reason: str
    raw: str


class _BadCellError(Exception):
    """A cell makes its row useless; the message says how."""


class _Progress(NamedTuple):
    """Progress of the enrollment."""

    status: str = ""
    started_at: datetime | None = None
    completed_at: datetime | None = None
    time_spent: int = 0
    score: float | None = None
    policy_acknowledged: bool = False


@dataclass
class Survey:
    """Result of one reading of the whole file: rows, a few samples of each column, what its dates prove."""

    headers: list[str]
    rows: int = 0
    samples: list[list[str]] = field(default_factory=list)
    votes: dict[int, Votes] = field(default_factory=dict)

    def order(self, column: int) -> Order | None:
        """Return the order of a date column, None when the file does not prove it."""
        return decide(self.votes[column], self.votes.values())

    def open_dates(self, columns: Columns) -> list[Field]:
        """Return the mapped date columns whose order must be asked for."""
        return [
            name
            for name in DATES
            if name in columns and self.votes[columns[name]].is_open and self.order(columns[name]) is None
        ]


def survey(source: Source, columns: Columns) -> Survey:
    """Read the file once. FileUnreadableError for broken quoting."""
    found = Survey(source.headers())
    width = len(found.headers)
    found.samples = [[] for _ in range(width)]
    found.votes = {columns[name]: Votes() for name in DATES if name in columns}
    for record in source.records():
        found.rows += 1
        cells = record.cells
        for index, votes in found.votes.items():
            if index < len(cells):
                votes.count(cells[index])
        if found.rows <= 200:
            for index, cell in enumerate(cells[:width]):
                seen = found.samples[index]
                text = cell.strip()[:80]
                if text and len(seen) < SAMPLES and text not in seen:
                    seen.append(text)
    return found


class RowReader:
    """Turns records into rows, by a mapping of columns."""

    def __init__(
        self,
        headers: Sequence[str],
        columns: Columns,
        *,
        zone: ZoneInfo,
        orders: Mapping[Field, Order | None],
        is_whole: bool,
    ) -> None:
        self.headers = headers
        self.columns = columns
        self.is_whole = is_whole
        self._dates = {name: MomentReader(zone, orders.get(name)) for name in DATES if name in columns}
        spent = columns.get(Field.TIME_SPENT)
        self._unit = 1 if spent is None else words.unit_of(headers[spent])

    def rows(self, records: Iterator[Record]) -> Iterator[ConsoleRow | BadRow]:
        """Yield a row or the reason against it for every record."""
        for record in records:
            try:
                yield self._row(record)
            except _BadCellError as error:
                yield BadRow(record.line, str(error), " · ".join(record.cells)[:300])

    def _row(self, record: Record) -> ConsoleRow:
        cells = record.cells
        if len(cells) < len(self.headers) or any(cell.strip() for cell in cells[len(self.headers) :]):
            raise _BadCellError(f"It has {len(cells)} columns where the first line names {len(self.headers)}.")

        def text(name: Field) -> str:
            index = self.columns.get(name)
            value = "" if index is None else cells[index].strip()
            if len(value) > _LONGEST.get(name, 500):
                raise _BadCellError(f"The {name.label.lower()} has {len(value):,} characters.")
            return value

        enrollment_id = self._enrollment_id(text(Field.ENROLLMENT_ID))
        email, employee_number = text(Field.EMAIL), text(Field.EMPLOYEE_NUMBER)
        campaign, content = " ".join(text(Field.CAMPAIGN).split()), " ".join(text(Field.CONTENT).split())
        if enrollment_id is None or self.is_whole:
            if not email and not employee_number:
                raise _BadCellError("It names no person: email and employee number are blank.")
            if not campaign and (self.is_whole or not content):
                raise _BadCellError("It names no campaign.")
            if not content and self.is_whole:
                raise _BadCellError("It names no content.")
        due, extended = self._moment(Field.DUE_AT, cells), self._moment(Field.EXTENDED_DUE_AT, cells)
        enrolled = self._moment(Field.ENROLLED_AT, cells)
        content_type = text(Field.CONTENT_TYPE)[:100]
        started, completed = None, None
        if self.is_whole:
            if enrolled is None:
                raise _BadCellError("It has no enrollment date.")
            started, completed = self._moment(Field.STARTED_AT, cells), self._moment(Field.COMPLETED_AT, cells)
        return ConsoleRow(
            line=record.line,
            enrollment_id=enrollment_id,
            email=email,
            employee_number=employee_number,
            first_name=text(Field.FIRST_NAME),
            last_name=text(Field.LAST_NAME),
            campaign=campaign,
            content=content,
            content_type=content_type,
            is_policy=words.is_policy(content_type),
            **self._progress(text, started, completed)._asdict(),
            enrolled_at=enrolled.at if enrolled else None,
            enrolled_precision=enrolled.precision if enrolled else "",
            due_at=due.at if due else None,
            due_precision=due.precision if due else "",
            extended_at=extended.at if extended else None,
            department=text(Field.DEPARTMENT),
            manager_name=text(Field.MANAGER_NAME),
            manager_email=text(Field.MANAGER_EMAIL),
            job_title=text(Field.JOB_TITLE),
            location=text(Field.LOCATION),
            division=text(Field.DIVISION),
            is_archived=words.is_archived(text(Field.PERSON_STATUS)),
        )

    def _enrollment_id(self, text: str) -> int | None:
        if not text:
            return None
        if not (text.isascii() and text.isdecimal()) or int(text[:20]) > _BIGGEST_ID or len(text) > 19:
            raise _BadCellError(f"The enrollment ID “{text[:40]}” is not a number.")
        return int(text)

    def _moment(self, name: Field, cells: list[str]) -> Moment | None:
        reader = self._dates.get(name)
        if reader is None:
            return None
        cell = cells[self.columns[name]]
        try:
            return reader.end(cell) if name in DUE_DATES else reader.start(cell)
        except NotADateError as error:
            raise _BadCellError(f"The {name.label.lower()} {error}.") from None

    def _progress(self, text: Callable[[Field], str], started: Moment | None, completed: Moment | None) -> _Progress:
        """Return what only a file that is all there is must tell; an extension's file may hold anything there."""
        if not self.is_whole:
            return _Progress()
        status = words.status(text(Field.STATUS))
        if not status:
            raise _BadCellError("It has no status.")
        return _Progress(
            status,
            started.at if started else None,
            completed.at if completed else None,
            _cell(Field.TIME_SPENT, text, lambda cell: words.seconds(cell, unit=self._unit)) or 0,
            _cell(Field.SCORE, text, words.score),
            _cell(Field.POLICY_ACKNOWLEDGED, text, words.is_yes) or False,
        )


def _cell(name: Field, text: Callable[[Field], str], read: Callable[[str], T]) -> T:
    try:
        return read(text(name))
    except ValueError:
        raise _BadCellError(f"The {name.label.lower()} “{text(name)[:40]}” cannot be understood.") from None
