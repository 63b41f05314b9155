"""The bytes themselves, as other people's programs read them; hostile names and all."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from dashboard.access import Scope
from dashboard.exports import workbook
from dashboard.exports.about import About
from dashboard.exports.columns import Column, Kind, percent_text, share
from dashboard.exports.table_request import Answer
from dashboard.exports.workbook import write_workbook
from dashboard.models import User
from dashboard.rate import Rate
from sync.models import Account, Person
from tests.dashboard.exports.reading import body, fetch, rows_of_csv, sheets_of

HOSTILE = [
    '=HYPERLINK("http://x.example","y")',
    "-",
    "+1",
    "two\nlines",
    "two\r\nlines",
    'quo"te',
    "com,ma",
    "<r><t>markup</t></r>",
    "_x0041_",
    "bell\x07",
    "עברית",
    "山田 太郎",
    "😀",
    " blanks ",
    "-17",
    "http://example.example",
    "00123",
]


@pytest.fixture
def named(company: Account) -> list[str]:
    """Give people of the company names that mean harm, and return them."""
    people = list(Person.objects.filter(account=company).order_by("pk")[: len(HOSTILE)])
    for person, name in zip(people, HOSTILE, strict=True):
        person.employee_number = name
        person.save(update_fields=["employee_number"])
    return HOSTILE


def written(name: str) -> str:
    """Return a hostile name as CSV has it."""
    return f"'{name}" if name[0] in "=+" else name


def test_hostile_names_come_back_from_csv(as_alice: Client, named: list[str]) -> None:
    content = body(fetch(as_alice, reverse("export", args=["people"]), "csv", column=["employee_number"]))
    found = {row[0] for row in rows_of_csv(content)[1:]}
    assert {written(name) for name in named} <= found
    assert content.replace(b"\r\n", b"").count(b"\n") == 1  # only the one inside a name
    assert content.endswith(b"\r\n")


def test_hostile_names_come_back_from_xlsx(as_alice: Client, named: list[str]) -> None:
    content = body(fetch(as_alice, reverse("export", args=["people"]), "xlsx", column=["employee_number"]))
    found = {row[0] for row in next(iter(sheets_of(content).values()))[1:]}
    for wanted in named:
        # A reader turns line ends into line feeds, and writes control letters as Office does.
        assert {
            wanted,
            wanted.replace("\r\n", "\n"),
            wanted.replace("\x07", "_x0007_"),
            wanted.replace("_x0041_", "_x005F_x0041_"),
            wanted.replace("\r", "_x000D_"),
        } & found, wanted
    book = openpyxl.load_workbook(BytesIO(content))
    for row in book.worksheets[0].iter_rows():
        assert all(cell.data_type != "f" for cell in row)
        assert all(cell.hyperlink is None for cell in row)


def test_the_workbook_has_its_head_in_view_and_filters(as_alice: Client, company: Account) -> None:
    content = body(fetch(as_alice, reverse("export", args=["campaigns"]), "xlsx"))
    sheet = openpyxl.load_workbook(BytesIO(content)).worksheets[0]
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref.startswith("A1:")
    heads = {cell.value: cell.column for cell in sheet[1]}
    rates = [sheet.cell(row, heads["Completion rate"]) for row in range(2, sheet.max_row + 1)]
    assert any("%" in cell.number_format for cell in rates)
    assert sheet.cell(2, heads["Deadline"]).is_date


@pytest.mark.parametrize(
    ("numerator", "denominator", "text"),
    [(9996, 10000, "99.9"), (1, 1, "100.0"), (0, 7, "0.0"), (4, 10000, "0.04"), (2, 3, "66.6"), (1, 3000, "0.033")],
)
def test_rates_are_rounded_down(numerator: int, denominator: int, text: str) -> None:
    found = share(Rate(numerator, denominator))
    assert found is not None
    assert percent_text(found) == text
    assert share(Rate(numerator, 0)) is None


def test_rows_beyond_a_sheet_go_to_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, account: Account) -> None:
    monkeypatch.setattr(workbook, "MOST_ROWS", 11)
    rows = [str(number) for number in range(25)]
    columns = [Column("number", "Number", Kind.TEXT, of=lambda row: row)]
    path = tmp_path / "many.xlsx"
    answer = Answer(25, rows=lambda: rows)
    counted = write_workbook(
        path, answer, columns, account.zone, lambda n: About("Many", [("Rows", n)], []), scratch=tmp_path
    )
    sheets = sheets_of(path.read_bytes())
    assert counted == 25
    assert [len(sheet) for sheet in sheets.values()][:3] == [11, 11, 6]
    assert [row[0] for sheet in list(sheets.values())[:3] for row in sheet[1:]] == rows
    assert list(tmp_path.iterdir()) == [path]


def test_whoever_hangs_up_frees_everything(as_alice: Client, company: Account) -> None:
    response = fetch(as_alice, reverse("export", args=["enrollments"]), "csv")
    pieces: Iterator[bytes] = iter(response.streaming_content)
    assert next(pieces).startswith(b"\xef\xbb\xbf")
    next(pieces)
    for close in response._resource_closers:  # what a server does when nobody listens any more
        close()
    with connection.cursor() as cursor:  # the connection can be used at once
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)


def test_nobody_gets_nobody(client: Client, charlie: User, company: Account) -> None:
    client.force_login(charlie)
    assert client.post(reverse("export", args=["people"]), {"format": "csv"}).status_code == 403
    assert Scope.of(charlie).account is None
