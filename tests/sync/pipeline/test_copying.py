"""COPY lines, read back by Postgres itself."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.db import connection

from sync.pipeline.copying import copy_lines
from sync.pipeline.tables import TABLES

TYPES = ("bigint", "text", "timestamptz", "boolean", "float8", "jsonb")
NOON = datetime(2026, 3, 29, 12, 0, 0, 500_000, tzinfo=UTC)


def read_back(rows):
    columns = ", ".join(f"c{number} {kind}" for number, kind in enumerate(TYPES))
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE copied ({columns}) ON COMMIT DROP")
        with cursor.copy("COPY copied FROM STDIN") as copy:
            copy.write(copy_lines(rows, TYPES))
        cursor.execute("SELECT * FROM copied ORDER BY c0")
        return cursor.fetchall()


@pytest.mark.django_db
def test_every_value_survives():
    rows = [
        (1, "plain", NOON, True, 0.1, [1, "a"]),
        (2, "tab\t, line\n, return\r, back\\slash, \\N", None, None, None, None),
        (3, "", NOON.astimezone(timezone(timedelta(hours=-7))), False, -1e-9, {"k": 'quote " and \\ and \n'}),
        (4, "Łucja 𝔘 é 李 \u2028", NOON, True, 1e300, []),
        (-(2**63), "\\.", NOON, False, 0.0, "text"),
    ]
    expected = {row[0]: row for row in rows}
    for row in read_back(rows):
        assert row[:5] == expected[row[0]][:5]
        assert json.loads(row[5] or "null") == expected[row[0]][5]


@pytest.mark.django_db
def test_a_nul_character_is_left_out():
    assert read_back([(1, "a\x00b", None, None, None, None)])[0][1] == "ab"


def test_no_rows_are_no_lines():
    assert copy_lines([], TYPES) == b""


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_staging_column_can_be_written(table):
    blank = {"text": "", "jsonb": []}
    row = tuple(blank.get(kind) for _, kind in table.columns)
    assert copy_lines([row], table.types).endswith(b"\n")
