"""Formulas are made harmless, names and numbers left alone; the same in Python and in the database."""

import csv
import json
import re
import unicodedata
from io import StringIO

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from dashboard.exports.csv_injection import is_dangerous, neutralize, neutralize_json, neutralize_sql

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
    "\uff1d1",
    "\uff0b1",
    "\ufe661",
    "-1.2.3",
    "-12;3",
    *(f"{unseen}=1" for unseen in "\u00ad\u200e\u202e\u2060\u180e\u200b\u2066\u034f\u115f\u3164\u2800\ufe0f"),
    "\x1b=1",
    "\U000e0041=1",
    "\u2212A1",
]
# Of one file, opened where another separator is usual.
SPLIT = {
    ";=1+1": "';'=1+1",
    "a;=1+1": "a;'=1+1",
    "a,=1+1": "a,'=1+1",
    "a\t=1+1": "a\t'=1+1",
    "a|@x": "a|'@x",
    "a\n=1": "a\n'=1",
    "a\r\n+1": "a\r\n'+1",
    "\n=1": "'\n'=1",
    "a; \u202e\uff1d1": "a;' \u202e\uff1d1",
    'a;"=1+1";b': 'a;\'"=1+1";b',
    "a;-5;=1;--": "a;-5;'=1;'--",
}
HARMLESS = [
    "",
    "-",
    " - ",
    "-5",
    "-1.5",
    "-1,5",
    " -12 ",
    "\u22125",
    "Anna-Lena Roth",
    "Roth, Anna-Lena; Ops",
    "5;-3;-2,5",
    "a;-",
    "O'Neill",
    "1+1",
    "a=b",
    "#N/A",
    "–",
    "山田",
    "éa",
    "'=1",
    "(=1)",
    "a;'=1",
    "😀",
    "עברית",
]
# What spreadsheets pass over, separators, signs in all their forms, and what is none of these.
PIECES = [
    *"=+-@;,|\t\n\r\"' ab1.",
    *"\u00a0\u00ad\u061c\u180e\u200b\u200e\u202e\u2028\u2060\u2066\u2800\u3000\u3164\ufeff\ufe0f\U000e0041",
    *"\u207a\u2212\ufe66\uff1d\uff0b\uff0d\uff20éא山",
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=8).map("".join)


def cell_begins_with(text: str) -> str:
    """Return the first sign that a spreadsheet sees of a cell: without forms, after all that has no ink."""
    for letter in text:
        plain = unicodedata.normalize("NFKC", letter)[:1].replace("\u2212", "-")
        is_seen = not plain.isspace() and unicodedata.category(letter) not in {"Cf", "Cc", "Mn"}
        if is_seen and letter not in '"\u2800\u3164':
            return plain
    return ""


@pytest.mark.parametrize("text", FORMULAS)
def test_formulas_get_an_apostrophe(text: str) -> None:
    assert neutralize(text).startswith(f"'{text[:1]}")
    assert is_dangerous(text)


@pytest.mark.parametrize(("text", "written"), SPLIT.items())
def test_parts_after_a_separator_get_one_too(text: str, written: str) -> None:
    assert neutralize(text) == written


@pytest.mark.parametrize("text", HARMLESS)
def test_everything_else_stays(text: str) -> None:
    assert neutralize(text) == text
    assert not is_dangerous(text)


def test_every_form_of_a_sign_is_known() -> None:
    forms = [chr(code) for code in range(0x110000) if unicodedata.normalize("NFKC", chr(code))[:1] in {*"=+-@"}]
    assert len(forms) > 15
    assert [letter for letter in forms if not is_dangerous(f"{letter}A1")] == []


def test_everything_unseen_is_passed_over() -> None:
    unseen = [
        letter
        for letter in map(chr, range(1, 0x110000))
        if unicodedata.category(letter) in {"Cf", "Cc", "Zs", "Zl", "Zp"} and ord(letter) < 0x10000
    ]
    assert [letter for letter in unseen if not is_dangerous(f"{letter}=1")] == []


@given(
    cells=st.lists(TEXTS, min_size=1, max_size=4), separator=st.sampled_from(",;\t"), read_with=st.sampled_from(",;\t|")
)
def test_no_cell_is_a_formula_however_the_file_is_split(cells: list[str], separator: str, read_with: str) -> None:
    """Split a line at every separator of the reader's, quoted or not: no part begins as a formula does."""
    line = StringIO()
    csv.writer(line, delimiter=separator, quoting=csv.QUOTE_MINIMAL).writerow([neutralize(text) for text in cells])
    for row in line.getvalue().splitlines():
        for part in row.split(read_with):
            first = cell_begins_with(part)
            assert first not in {*"=+@"}, (part, line.getvalue())
            # A dash alone and numbers below zero stay; whatever follows them, it is no sum and no name.
            assert first != "-" or re.match(r"[\s\"]*[-\u2212]([\d.,]|[;,\t|\"\s]|$)", part), (part, line.getvalue())


@given(text=TEXTS)
def test_only_apostrophes_are_added(text: str) -> None:
    written = neutralize(text)
    assert written.replace("'", "") == text.replace("'", "")
    assert neutralize(written) == written
    assert is_dangerous(text) == (written != text)


@given(texts=st.lists(TEXTS, min_size=1, max_size=3))
def test_json_reads_the_same(texts: list[str]) -> None:
    told = {"name": texts[0], "more": texts}
    written = neutralize_json(json.dumps(told, ensure_ascii=False))
    assert json.loads(written) == told
    assert neutralize(written) == written


@pytest.mark.django_db
def test_the_database_says_the_same() -> None:
    letters = [
        chr(code)
        for code in [
            *(*range(1, 0x700), *range(0x1100, 0x1200), *range(0x1680, 0x1820), *range(0x2000, 0x2300)),
            *(*range(0x2A00, 0x2B00), *range(0x3000, 0x3200), *range(0xFB00, 0x10000), 0xE0001, 0xE0041, 0xE1000),
        ]
    ]
    texts = {
        *FORMULAS,
        *SPLIT,
        *HARMLESS,
        *letters,
        *(f"{letter}=1" for letter in letters),
        *(f"a;{letter}1;" for letter in letters),
        *(f"-{letter}" for letter in letters),
        *(f"{one}{two}=1" for one in PIECES for two in PIECES),
        *(f"a{one}-1{two}" for one in PIECES for two in PIECES),
    } - {"\x00=1"}
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT text, {neutralize_sql('text')} FROM unnest(%s::text[]) AS texts (text)", [[*texts]])  # noqa: S608
        found = dict(cursor.fetchall())
    assert {text: found[text] or "" for text in texts} == {text: neutralize(text) for text in texts}
