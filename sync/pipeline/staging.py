"""Staging tables, for pages until the whole sync is read: one schema of unlogged tables per account.

A page and its position are committed together, so a run that dies goes on where it stopped.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import IntegrityError, connection, transaction

from sync.pipeline.copying import copy_rows
from sync.pipeline.tables import TABLES, Row, StageTable

# The position after a list in which rows moved from page to page: its start, once more.
AGAIN = "again"


@dataclass(frozen=True)
class ListProgress:
    """Progress in reading one list.

    `is_doubtful`: it may have left rows out. `is_second`: it is being read again, or was, for that reason.
    """

    pages: int
    rows: int
    rejected: int
    requests: int
    next: str | None
    is_doubtful: bool = False
    is_second: bool = False

    @property
    def is_done(self) -> bool:
        """Whether the list ended properly: its last page named no following one."""
        return self.pages > 0 and self.next is None


@dataclass(frozen=True)
class RejectedRow:
    """A row that did not decode: the list it was in, why, and its beginning as it came."""

    key: str
    reason: str
    raw: str


@dataclass(frozen=True)
class StagedPage:
    """One page of a list on its way into the staging area, and the position after it (None: the list ended).

    `count` is of its rows as KnowBe4 counts them, `rejected` holds (reason, raw) of those that did not decode.
    `is_doubtful`: rows were left out around here.
    """

    number: int
    rows: Sequence[Row]
    next_position: str | None
    count: int
    rejected: Sequence[tuple[str, str]] = ()
    requests: int = 0
    is_doubtful: bool = False


class Staging:
    """The staging area of one account. Only the process that holds the account's run lock may use it."""

    def __init__(self, account_id: int) -> None:
        self.schema = f"staging_{account_id}"

    def table(self, table: StageTable) -> str:
        """Return the table's quoted, qualified name."""
        return f'"{self.schema}"."{table.name}"'

    def held_run(self) -> int | None:
        """Return the run whose pages wait here, or None: never staged, dropped, or emptied by a crash of Postgres."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass(%s)", [f'"{self.schema}".run'])
            if cursor.fetchone()[0] is None:
                return None
            cursor.execute(f'SELECT run_id FROM "{self.schema}".run')
            row = cursor.fetchone()
            return row[0] if row else None

    def create(self, run_id: int) -> None:
        """Make the area empty and give it to a run; whatever waited here is dropped."""
        statements = [
            f'DROP SCHEMA IF EXISTS "{self.schema}" CASCADE',
            f'CREATE SCHEMA "{self.schema}"',
            f'CREATE UNLOGGED TABLE "{self.schema}".run (run_id bigint NOT NULL)',
            f'CREATE UNLOGGED TABLE "{self.schema}".page (list text NOT NULL, number int NOT NULL, next text, '
            "rows int NOT NULL, rejected int NOT NULL, requests int NOT NULL, is_doubtful boolean NOT NULL, "
            "PRIMARY KEY (list, number))",
            f'CREATE UNLOGGED TABLE "{self.schema}".rejected '
            "(list text NOT NULL, reason text NOT NULL, raw text NOT NULL)",
        ]
        for table in TABLES:
            columns = ", ".join(f'"{name}" {kind}' for name, kind in table.columns)
            # The sequence tells which duplicate came last. A session that takes its numbers a thousand at a time, and
            # those of a later one come after them, need not lock it for each row.
            statements.append(
                f"CREATE UNLOGGED TABLE {self.table(table)} "
                f"({columns}, seq bigint GENERATED ALWAYS AS IDENTITY (CACHE 1000))"
            )
        with transaction.atomic(), connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            cursor.execute(f'INSERT INTO "{self.schema}".run VALUES (%s)', [run_id])

    def drop(self) -> None:
        """Remove the area."""
        with connection.cursor() as cursor:
            cursor.execute(f'DROP SCHEMA IF EXISTS "{self.schema}" CASCADE')

    @contextmanager
    def not_waiting_for_the_disk(self) -> Iterator[None]:
        """Let commits of this connection return before the disk has them: a page lost in a crash is read again."""
        with connection.cursor() as cursor:
            cursor.execute("SET synchronous_commit = off")
        try:
            yield
        finally:
            if connection.connection is not None and not connection.connection.broken:
                with connection.cursor() as cursor:
                    cursor.execute("RESET synchronous_commit")

    def add_page(
        self,
        key: str,
        table: StageTable,
        rows: Iterable[Row],
        *,
        number: int,
        next_position: str | None,
        count: int,
        rejected: Iterable[tuple[str, str]] = (),
        requests: int = 0,
        is_doubtful: bool = False,
    ) -> None:
        """Commit a page's rows and its position together; see `StagedPage` for what it is made of."""
        page = StagedPage(number, list(rows), next_position, count, list(rejected), requests, is_doubtful)
        self.add_pages(key, table, [page])

    def add_pages(self, key: str, table: StageTable, pages: Sequence[StagedPage]) -> None:
        """Commit the rows and the positions of successive pages of a list, all together."""
        rejected = [(key, reason, raw.replace("\x00", "")) for page in pages for reason, raw in page.rejected]
        with transaction.atomic(), connection.cursor() as cursor:
            copy_rows(cursor, self.table(table), table.columns, [row for page in pages for row in page.rows])
            if rejected:
                cursor.executemany(
                    f'INSERT INTO "{self.schema}".rejected (list, reason, raw) VALUES (%s, %s, %s)', rejected
                )
            cursor.executemany(
                f'INSERT INTO "{self.schema}".page VALUES (%s, %s, %s, %s, %s, %s, %s)',
                [
                    (
                        key,
                        page.number,
                        page.next_position,
                        page.count,
                        len(page.rejected),
                        page.requests,
                        page.is_doubtful,
                    )
                    for page in pages
                ],
            )

    def progress(self) -> dict[str, ListProgress]:
        """Return how far each list was read; lists that were not begun are missing."""
        with connection.cursor() as cursor:
            cursor.execute(f"""
                SELECT DISTINCT ON (list) list, number,
                       sum(rows) OVER w, sum(rejected) OVER w, sum(requests) OVER w, next,
                       bool_or(is_doubtful) OVER w, coalesce(bool_or(next = '{AGAIN}') OVER w, false)
                FROM "{self.schema}".page
                WINDOW w AS (PARTITION BY list)
                ORDER BY list, number DESC
            """)
            return {
                key: ListProgress(pages, int(rows), int(rejected), int(requests), position, *doubts)
                for key, pages, rows, rejected, requests, position, *doubts in cursor.fetchall()
            }

    def incomplete(self) -> set[str]:
        """Return the lists whose silence proves nothing: rows of them did not decode, or may have been left out."""
        doubtful = {key for key, read in self.progress().items() if read.is_doubtful}
        return doubtful | {row.key for row in self.rejected()}

    def rejected(self) -> Iterator[RejectedRow]:
        """Yield every row that did not decode."""
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT list, reason, raw FROM "{self.schema}".rejected ORDER BY list, reason, raw')
            for row in cursor.fetchall():
                yield RejectedRow(*row)

    def merge_duplicates(self, table: StageTable, *key_columns: str) -> int:
        """Keep the last of the rows that share a key, make the key unique, and return how many were dropped.

        Pages of a growing list overlap (seen live: rows move while they are read), so duplicates are normal.
        """
        columns = ", ".join(f'"{name}"' for name in key_columns)
        name = self.table(table)
        unique = f"CREATE UNIQUE INDEX ON {name} ({columns})"
        dropped = 0
        with connection.cursor() as cursor:
            try:
                with transaction.atomic():
                    cursor.execute(unique)
            except IntegrityError:
                same = " AND ".join(f'other."{column}" = kept."{column}"' for column in key_columns)
                cursor.execute(f"DELETE FROM {name} kept USING {name} other WHERE {same} AND other.seq > kept.seq")
                dropped = cursor.rowcount
                cursor.execute(unique)
            cursor.execute(f"ANALYZE {name}")
        return dropped
