"""Tables that nobody filled yet: indexes are built and references checked at once after the rows, not row by row.

All of it is part of the caller's transaction: should that not come to its end, indexes and constraints are as they
were. Publish fills the mirror so, and what is derived from it is filled the same way.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction

# How long each table may be waited for. Readers that come meanwhile wait as long, so it is shorter than they notice,
# and well under the second after which Postgres looks for deadlocks.
PATIENCE = "200ms"
# Up to so many rows the indexes are no burden, and dropping and building all of them takes longer than the rows.
FEW = 20_000

# What references of other tables stand on cannot be dropped, and definitions do not tell of tablespaces and storage.
_INDEXES = """
    SELECT CASE WHEN k.oid IS NULL THEN format('DROP INDEX %%s', i.indexrelid::regclass)
                ELSE format('ALTER TABLE %%s DROP CONSTRAINT %%I', i.indrelid::regclass, k.conname) END,
           CASE WHEN k.oid IS NULL THEN pg_get_indexdef(i.indexrelid)
                ELSE format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', i.indrelid::regclass, k.conname,
                            pg_get_constraintdef(k.oid)) END
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x')
    WHERE i.indrelid = %(table)s::regclass AND NOT i.indisreplident AND NOT i.indisclustered
      AND c.reltablespace = 0 AND c.reloptions IS NULL
      AND NOT EXISTS (SELECT FROM pg_constraint f WHERE f.contype = 'f' AND f.conindid = i.indexrelid)
    ORDER BY i.indexrelid
"""

_REFERENCES = """
    SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname),
           format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', conrelid::regclass, conname, pg_get_constraintdef(oid))
    FROM pg_constraint
    WHERE conrelid = %(table)s::regclass AND contype = 'f' AND convalidated
      AND confrelid = ANY(SELECT unnest(%(reserved)s::text[])::regclass)
    ORDER BY oid
"""

# Drawing numbers one at a time from a table's sequence takes a tenth of the time of filling it.
_SEQUENCES = """
    SELECT format('ALTER SEQUENCE %%s CACHE 1000', seqrelid::regclass),
           format('ALTER SEQUENCE %%s CACHE %%s', seqrelid::regclass, seqcache)
    FROM pg_sequence WHERE seqrelid IN (
        SELECT pg_get_serial_sequence(%(table)s, attname)::regclass FROM pg_attribute
        WHERE attrelid = %(table)s::regclass AND attidentity <> ''
    )
"""


def reserve_empty(tables: Iterable[str], *, rows_from: str) -> frozenset[str]:
    """Lock the tables if no account has a row in any of them, and return them; else lock and return none.

    `rows_from` is the table that the rows are made from (written as in SQL): with only a `FEW` rows in it, none is
    locked either.

    Readers wait for a reserved table until the transaction ends, which is why one row of any account forbids it.
    Somebody who reads or writes just now, or a role that does not own the tables, forbids it too: the rows then go
    in under the indexes as always. Call it before the transaction has touched any of the tables.
    """
    tables = sorted(tables)
    with connection.cursor() as cursor:
        # Without looking first, every later caller would stop its readers for nothing.
        if not _are_many(rows_from) or not _may_reserve(tables):
            return frozenset()
        cursor.execute("SELECT current_setting('lock_timeout')")
        timeout = cursor.fetchone()[0]
        try:
            with transaction.atomic():
                cursor.execute("SELECT set_config('lock_timeout', %s, true)", [PATIENCE])
                cursor.execute(f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE")
                cursor.execute("SELECT set_config('lock_timeout', %s, true)", [timeout])
                # Whoever wrote before us may have ended only now.
                if not _may_reserve(tables):
                    raise _FilledMeanwhileError
        except _FilledMeanwhileError:
            return frozenset()
        except OperationalError as error:
            # 55P03, lock_not_available: rolling back to before the wait also restored the timeout.
            if getattr(error.__cause__, "sqlstate", None) != "55P03":
                raise
            return frozenset()
    return frozenset(tables)


@contextmanager
def set_aside(table: str, reserved: frozenset[str]) -> Iterator[None]:
    """Drop indexes and foreign keys of a table that is reserved; when the block has filled it, build and check them.

    Meanwhile the table's numbers are drawn by the thousand. Indexes that foreign keys of other tables stand on stay,
    and so do references to tables that are not reserved, whose readers would have to wait. For a table that is not
    reserved nothing happens at all. An error in the block is left to the transaction, whose end restores everything.
    """
    if table not in reserved:
        yield
        return
    with connection.cursor() as cursor:
        aside = []
        for query in (_INDEXES, _REFERENCES, _SEQUENCES):
            cursor.execute(query, {"table": table, "reserved": list(reserved)})
            aside += cursor.fetchall()
        _check_references()
        for drop, _ in aside:
            cursor.execute(drop)
    yield
    with connection.cursor() as cursor:
        _check_references()
        for _, restore in aside:
            cursor.execute(restore)


def _check_references() -> None:
    """Check now what waits for the end of the transaction: until then Postgres lets nobody alter the tables."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


class _FilledMeanwhileError(Exception):
    """Another account's first publish was faster."""


def _are_many(table: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT FROM {table} OFFSET %s LIMIT 1", [FEW])
        return cursor.fetchone() is not None


def _may_reserve(tables: list[str]) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT bool_and(pg_has_role(relowner, 'USAGE')) FROM pg_class"
            " WHERE oid = ANY(SELECT unnest(%s::text[])::regclass)",
            [tables],
        )
        if not cursor.fetchone()[0]:
            return False
        rows = " OR ".join(f"EXISTS (SELECT FROM {table})" for table in tables)
        cursor.execute(f"SELECT {rows}")
        return not cursor.fetchone()[0]
