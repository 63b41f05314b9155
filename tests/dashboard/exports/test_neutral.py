"""Formulas are made harmless, names and numbers left alone; the same in Python and in the database."""

import pytest
from django.db import connection

from dashboard.exports.csv_injection import neutral, neutral_sql

FORMULAS = [
    "=1+1",
    "=cmd|' /C calc'!A0",
    "+491701234567",
    "-2+3",
    "-A1",
    "--",
    "@SUM(A1)",
    "\t=1",
    "\tname",
    "\rname",
    "  =1+1",
    "\u00a0=1",
    "\u3000@x",
    "\ufeff=1",
    "\n=1",
    "\uff1d1",
    "\uff0b1",
    "-1.2.3",
    "-12;3",
]
HARMLESS = [
    "",
    "-",
    " - ",
    "-5",
    "-1.5",
    "-1,5",
    " -12 ",
    "Anna-Lena Roth",
    "O'Neill",
    "1+1",
    "a=b",
    "#N/A",
    "–",
    "山田",
    "éa",
    "'=1",
    "(=1)",
    "a\n=1",
    "😀",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_formulas_get_an_apostrophe(text: str) -> None:
    assert neutral(text) == f"'{text}"


@pytest.mark.parametrize("text", HARMLESS)
def test_everything_else_stays(text: str) -> None:
    assert neutral(text) == text


@pytest.mark.django_db
def test_the_database_says_the_same() -> None:
    letters = [
        chr(code)
        for code in [*range(1, 0x300), *range(0x2000, 0x2070), *range(0x3000, 0x3010), *range(0xFF00, 0xFF30), 0xFEFF]
    ]
    texts = [
        *FORMULAS,
        *HARMLESS,
        *letters,
        *(f"{letter}=1" for letter in letters),
        *(f"-{letter}" for letter in letters),
    ]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT text, {neutral_sql('text')} FROM unnest(%s::text[]) AS texts (text)", [texts])  # noqa: S608
        found = dict(cursor.fetchall())
    assert {text: found[text] or "" for text in texts} == {text: neutral(text) for text in texts}
