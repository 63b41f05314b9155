"""Merging staged rows into a mirror table: set-based, and an unchanged row is not written.

One statement finds what differs; everything after it works on that difference alone, so a sync that finds nothing new
writes nothing.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from sync.models import Change
from sync.models.empty_tables import set_aside

# Rows written to a table in one publish that make its statistics worth renewing at once.
MUCH_WRITTEN = 50

_MIRROR_ROW = re.compile(r"\bm\.")


@dataclass(frozen=True)
class Column:
    """A mirror column and the SQL that gives its new value.

    In `value`, `s` is the staged row and `m` the mirror row as it is (all null for a new one); no other row may go by
    the name `m`. A change of a column that is not `tracked` is written but leaves no `Change`: it moves too often to
    mean anything.
    """

    name: str
    value: str
    tracked: bool = True


@dataclass(frozen=True)
class Merge:
    """Merge of one staging source into one mirror table.

    `source` is the SQL after FROM that yields `s` and whatever `joins` adds; `key` pairs a mirror column with the SQL
    of its staged value.
    """

    model_table: str
    source: str
    key: tuple[tuple[str, str], ...]
    columns: tuple[Column, ...]
    joins: str = ""
    # Named queries that the source and the joins may use: "name AS (SELECT ...)".
    queries: tuple[str, ...] = ()
    subject: Change.Subject | None = None
    has_removed_at: bool = True
    # SQL over m: which mirror rows the staged source speaks for, so that their absence means they vanished.
    covers: str = "true"


@dataclass(frozen=True)
class Publication:
    """The publish under way: what every merge needs to know of it."""

    account_id: int
    run_id: int
    published_at: datetime
    # Nothing was published before: nothing can have vanished.
    is_first: bool = False
    # Tables that no account has rows in and that nobody else sees until the end: see `indexes`.
    reserved: frozenset[str] = frozenset()

    @property
    def parameters(self) -> dict[str, Any]:
        """Return the named parameters that every publish statement may use."""
        return {"account": self.account_id, "run": self.run_id, "now": self.published_at}


@dataclass(frozen=True)
class Counts:
    """Rows written by one merge."""

    inserted: int = 0
    changed: int = 0
    vanished: int = 0
    restored: int = 0


def merge(spec: Merge, publication: Publication, **parameters: Any) -> Counts:
    """Bring the mirror table to what is staged and return what was written. Runs inside publish's transaction."""
    values = {**publication.parameters, **parameters}
    with connection.cursor() as cursor:
        if is_filled(spec.model_table, publication):
            written = _merge_difference(cursor, spec, values)
        else:
            with set_aside(spec.model_table, publication.reserved):
                written = Counts(inserted=_insert_all(cursor, spec, values))
        if written.inserted + written.changed >= MUCH_WRITTEN:
            # The merges that follow join this table, and the first pages read it: without statistics both choose badly.
            cursor.execute(f"ANALYZE {spec.model_table}")
    return written


def is_filled(model_table: str, publication: Publication) -> bool:
    """Return whether the mirror table holds a row of the account, vanished ones included."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT EXISTS (SELECT FROM {model_table} WHERE account_id = %(account)s)", publication.parameters
        )
        return cursor.fetchone()[0]


def mark_vanished(spec: Merge, publication: Publication, **parameters: Any) -> int:
    """Set `removed_at` on mirror rows that the staged source should hold and does not; return how many.

    Call it only for lists that were read whole.
    """
    if publication.is_first:
        return 0
    values = {**publication.parameters, **parameters}
    match = " AND ".join(f"m.{name} = {value}" for name, value in spec.key)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH gone AS (
                UPDATE {spec.model_table} t SET removed_at = %(now)s
                FROM (
                    SELECT m.id FROM {spec.model_table} m
                    WHERE m.account_id = %(account)s AND m.removed_at IS NULL AND {spec.covers}
                      AND NOT EXISTS (SELECT FROM {spec.source} WHERE {match})
                ) absent
                WHERE t.id = absent.id RETURNING t.id
            ), noted AS (
                INSERT INTO sync_change (account_id, run_id, observed_at, subject, subject_id, field, old, new)
                SELECT %(account)s, %(run)s, %(now)s, {int(spec.subject or 0)}, id, 'removed_at', NULL,
                       (%(now)s::timestamptz)::text
                FROM gone WHERE {"true" if spec.subject else "false"}
            )
            SELECT count(*) FROM gone
            """,
            values,
        )
        return cursor.fetchone()[0]


def _insert_all(cursor: Any, spec: Merge, values: dict[str, Any]) -> int:
    """Fill an empty mirror straight from staging: there is nothing to compare with."""
    key_names = [name for name, _ in spec.key]
    names = ["account_id", *key_names, *(column.name for column in spec.columns), "first_seen_at"]
    selected = [
        "%(account)s",
        *(value for _, value in spec.key),
        *(column.value for column in spec.columns),
        "%(now)s",
    ]
    statement = f"""
        {_with(spec)}
        INSERT INTO {spec.model_table} ({", ".join(names)})
        SELECT {", ".join(selected)}
        FROM {spec.source}
        {spec.joins}
    """
    # There is no m. Nulls that Postgres knows for such when it plans are folded out of every expression: a quarter of
    # the time of a million rows.
    cursor.execute(_MIRROR_ROW.sub(f"(NULL::{spec.model_table}).", statement), values)
    return cursor.rowcount


def _merge_difference(cursor: Any, spec: Merge, values: dict[str, Any]) -> Counts:
    columns = list(spec.columns)
    if spec.has_removed_at:
        columns.append(Column("removed_at", "NULL::timestamptz"))
    match = " AND ".join(f"m.{name} = {value}" for name, value in spec.key)
    new = ", ".join(f"{column.value} AS new_{column.name}" for column in columns)
    old = ", ".join(f"m.{column.name} AS old_{column.name}" for column in columns)
    keys = ", ".join(f"{value} AS key_{name}" for name, value in spec.key)
    new_row = ", ".join(f"new_{column.name}" for column in columns)
    old_row = ", ".join(f"old_{column.name}" for column in columns)
    cursor.execute("DROP TABLE IF EXISTS difference")
    cursor.execute(
        f"""
        CREATE TEMPORARY TABLE difference ON COMMIT DROP AS
        {_with(spec)}
        SELECT * FROM (
            SELECT m.id AS mirror_id, {keys}, {old}, {new}
            FROM {spec.source}
            LEFT JOIN {spec.model_table} m ON m.account_id = %(account)s AND {match}
            {spec.joins}
        ) compared
        WHERE mirror_id IS NULL OR ({old_row}) IS DISTINCT FROM ({new_row})
        """,
        values,
    )
    if not cursor.rowcount:
        return Counts()
    restored = 0
    if spec.has_removed_at:
        cursor.execute("SELECT count(*) FROM difference WHERE mirror_id IS NOT NULL AND old_removed_at IS NOT NULL")
        restored = cursor.fetchone()[0]
    if spec.subject:
        fields = ", ".join(
            f"('{_field(column.name)}', old_{column.name}::text, new_{column.name}::text)"
            for column in columns
            if column.tracked
        )
        cursor.execute(
            f"""
            INSERT INTO sync_change (account_id, run_id, observed_at, subject, subject_id, field, old, new)
            SELECT %(account)s, %(run)s, %(now)s, {int(spec.subject)}, mirror_id, field, old, new
            FROM difference, LATERAL (VALUES {fields}) AS v (field, old, new)
            WHERE mirror_id IS NOT NULL AND old IS DISTINCT FROM new
            """,
            values,
        )
    assignments = ", ".join(f"{column.name} = new_{column.name}" for column in columns)
    cursor.execute(f"UPDATE {spec.model_table} t SET {assignments} FROM difference WHERE t.id = mirror_id")
    changed = cursor.rowcount
    key_names = ", ".join(name for name, _ in spec.key)
    key_values = ", ".join(f"key_{name}" for name, _ in spec.key)
    names = ", ".join(column.name for column in columns)
    cursor.execute(
        f"""
        INSERT INTO {spec.model_table} (account_id, {key_names}, {names}, first_seen_at)
        SELECT %(account)s, {key_values}, {new_row}, %(now)s FROM difference WHERE mirror_id IS NULL
        """,
        values,
    )
    return Counts(inserted=cursor.rowcount, changed=changed - restored, restored=restored)


def _with(spec: Merge) -> str:
    return f"WITH {', '.join(spec.queries)}" if spec.queries else ""


def _field(name: str) -> str:
    """Return the field's name as history tells it: the mirror's own column name."""
    return name.removesuffix("_id") if name in {"department_id", "manager_id"} else name
