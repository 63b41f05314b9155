"""Copied rows, read back by Postgres itself."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.db import connection

from sync.pipeline.copying import copy_lines, copy_rows, csv_lines
from sync.pipeline.tables import TABLES

TYPES = ("bigint", "text", "timestamptz", "boolean", "float8", "jsonb")
NOON = datetime(2026, 3, 29, 12, 0, 0, 500_000, tzinfo=UTC)


def in_text_format(cursor, columns, rows):
    with cursor.copy("COPY copied FROM STDIN") as copy:
        copy.write(copy_lines(rows, [kind for _, kind in columns]))


def in_csv(cursor, columns, rows):
    copy_rows(cursor, '"copied"', columns, rows)


@pytest.fixture(params=[in_text_format, in_csv])
def read_back(request, db):
    """Return a function that copies rows into a table and returns what it holds then, in each of the ways."""

    def copy_and_read(rows):
        columns = [(f"c{number}", kind) for number, kind in enumerate(TYPES)]
        with connection.cursor() as cursor:
            definitions = ", ".join(f"{name} {kind}" for name, kind in columns)
            cursor.execute(f"CREATE TEMPORARY TABLE copied ({definitions}) ON COMMIT DROP")
            request.param(cursor, columns, rows)
            cursor.execute("SELECT * FROM copied ORDER BY c0")
            return cursor.fetchall()

    return copy_and_read


def test_every_value_survives(read_back):
    rows = [
        (1, "plain", NOON, True, 0.1, [1, "a"]),
        (2, "tab\t, line\n, return\r, back\\slash, \\N", None, None, None, None),
        (3, "", NOON.astimezone(timezone(timedelta(hours=-7))), False, -1e-9, {"k": 'quote " and \\ and \n'}),
        (4, "Łucja 𝔘 é 李 \u2028", NOON, True, 1e300, []),
        (5, 'null, "quoted" and \\"escaped\\"', NOON, True, 0.0, None),
        (6, "null", NOON, True, 0.0, "\\u0041 \\n \t"),
        (7, "]\n[1,\x01\x0b\x0c\x08\x1f\x7f", NOON, True, 0.0, "]\n["),
        (8, "\\u0041\\n\\\\", NOON, True, 0.0, {}),
        (9, "\n\\.\n", NOON, True, 0.0, {}),
        (-(2**63), "\\.", NOON, False, 0.0, "text"),
    ]
    expected = {row[0]: row for row in rows}
    found = read_back(rows)
    assert len(found) == len(rows)
    for row in found:
        assert row[:5] == expected[row[0]][:5]
        assert json.loads(row[5] or "null") == expected[row[0]][5]


def test_a_nul_character_is_left_out(read_back):
    assert read_back([(1, "a\x00b\x00\n", None, None, None, None)])[0][1] == "ab\n"


def test_no_rows_are_copied(read_back):
    assert read_back([]) == []


@pytest.mark.parametrize("write", [copy_lines, csv_lines])
def test_no_rows_are_no_lines(write):
    assert write([], TYPES) == b""


@pytest.mark.parametrize("write", [copy_lines, csv_lines])
@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_staging_column_can_be_written(table, write):
    blank = {"text": "", "jsonb": []}
    row = tuple(blank.get(kind) for _, kind in table.columns)
    assert write([row], table.types).endswith(b"\n")
