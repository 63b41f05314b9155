"""The files as LibreOffice opens them where decimals have a comma and where they have a point.

A double click splits a CSV at the list separator of the region, whichever separator the file has: that is tried both
ways. What opens must hold no formula, every id whole, and, where the separator is the region's, one value a column.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import pytest
from django.test import Client
from django.urls import reverse

from sync.models import Account, Person
from tests.dashboard.exports.reading import body, fetch

NAMES = [
    "=1+1",
    ";=1+1",
    "x;=1+1;",
    'x;"=1+1";',
    "x,=1+1,",
    "x\n=1+1",
    "\u202e=1+1",
    "\u00ad=1+1",
    "\u2060;\u180e=1+1",
    "\uff1d1+1",
    "@SUM(1;1)",
    "-1+1",
    "+491701234567",
    "Roth, Anna; Ops",
    "00123",
    "山田 太郎",
]
IDS = [1_498_000_001, 1_099_511_627_779, 2**53 - 1]
COLUMNS = ["email", "employee_number", "risk_score", "person_knowbe4_id"]
# Of an empty rest of a row LibreOffice says that it is repeated sixteen thousand times.
_MOST_COLUMNS = 20
COMMA, SEMICOLON = 44, 59
_SETTINGS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Setup/L10N"><prop oor:name="ooSetupSystemLocale" oor:op="fuse">
<value>{language}</value></prop></item></oor:items>
"""
_TABLE, _OFFICE, _TEXT = (
    f"{{urn:oasis:names:tc:opendocument:xmlns:{name}:1.0}}" for name in ("table", "office", "text")
)


class Cell(NamedTuple):
    kind: str
    value: str
    formula: str | None


def cells_of(path: Path) -> list[list[Cell]]:
    """Return the cells of the first sheet, without the empty ones at the end of a row."""
    sheet = ElementTree.parse(path).getroot().find(f".//{_TABLE}table")  # noqa: S314 - LibreOffice wrote it
    assert sheet is not None
    rows = [list(_cells(row)) for row in sheet.iter(f"{_TABLE}table-row")]
    for row in rows:
        while row and not row[-1].kind:
            row.pop()
    return rows


def _cells(row: ElementTree.Element) -> Iterator[Cell]:
    for cell in row:
        kind = cell.get(f"{_OFFICE}value-type", "")
        text = "\n".join("".join(part.itertext()) for part in cell.iter(f"{_TEXT}p"))
        for _each in range(min(int(cell.get(f"{_TABLE}number-columns-repeated", 1)), _MOST_COLUMNS)):
            yield Cell(kind, cell.get(f"{_OFFICE}value", text), cell.get(f"{_TABLE}formula"))


def opened(folder: Path, language: str, *paths: Path, separator: int | None = None) -> list[list[list[Cell]]]:
    """Open files where a language is spoken, a CSV split at the separator, and return their cells."""
    profile, into = folder / f"profile-{language}", folder / f"{language}-{separator}"
    (profile / "user").mkdir(parents=True, exist_ok=True)
    (profile / "user" / "registrymodifications.xcu").write_text(_SETTINGS.format(language=language))
    split = [f"--infilter=CSV:{separator},34,76"] if separator else []
    into_fods = ["--headless", *split, "--convert-to", "fods", "--outdir", str(into)]
    command = ["soffice", f"-env:UserInstallation=file://{profile}", *into_fods, *map(str, paths)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return [cells_of(into / f"{path.stem}.fods") for path in paths]


@pytest.fixture
def files(as_alice: Client, company: Account, tmp_path: Path) -> dict[str, Path]:
    """Return the same people in each format."""
    people = list(Person.objects.filter(account=company).order_by("pk")[: len(NAMES)])
    for person, name in zip(people, NAMES, strict=True):
        person.employee_number, person.current_risk_score = name, 31.5
    for person, number in zip(people, IDS, strict=False):
        person.knowbe4_id = number
    Person.objects.bulk_update(people, ["employee_number", "current_risk_score", "knowbe4_id"])
    found = {}
    for kind in ("csv", "csv_semicolons", "xlsx"):
        found[kind] = tmp_path / f"{kind}.{kind.partition('_')[0]}"
        found[kind].write_bytes(body(fetch(as_alice, reverse("export", args=["people"]), kind, column=COLUMNS)))
    return found


@pytest.mark.parametrize(
    "language",
    [
        pytest.param("de-DE", marks=pytest.mark.slow),
        *(pytest.param(one, marks=pytest.mark.soak) for one in ("fr-FR", "en-US")),
    ],
)
def test_no_formula_ids_whole_and_one_value_a_column(files: dict[str, Path], tmp_path: Path, language: str) -> None:
    csvs = [files["csv"], files["csv_semicolons"]]
    commas, semicolons_at_commas = opened(tmp_path, language, *csvs, separator=COMMA)
    commas_at_semicolons, semicolons = opened(tmp_path, language, *csvs, separator=SEMICOLON)
    (sheet,) = opened(tmp_path, language, files["xlsx"])
    for found in (commas, semicolons, sheet, semicolons_at_commas, commas_at_semicolons):
        assert [cell for row in found for cell in row if cell.formula is not None] == []
    for found, ends in ((commas, 3), (semicolons, 3), (sheet, 0)):
        rows = [row for row in found[1:] if row]
        assert {len(row) for row in rows} == {len(COLUMNS) + ends}
        assert {str(number) for number in IDS} <= {row[3].value for row in rows}
        assert {row[3].kind for row in rows} == {"string" if found is sheet else "float"}
        names = {row[1].value for row in rows}
        assert {"山田 太郎", "Roth, Anna; Ops"} <= names
        assert ("=1+1" if found is sheet else "'=1+1") in names
    # A risk score is a number where the separator is the region's.
    for found in (sheet, commas if language == "en-US" else semicolons):
        assert {(row[2].kind, row[2].value) for row in found[1:] if row and row[2].kind} == {("float", "31.5")}
