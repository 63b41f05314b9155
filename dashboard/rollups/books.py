"""The tallies that are kept, and the SQL that writes them: signed steps gathered first, then added to what stands."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection

from dashboard.metrics import COHORT_SPANS, SPANS
from dashboard.models import Grain
from dashboard.rollups.buckets import END_OF_MONTH, MONTH_NOT_BEFORE

KEYS = ("department_id", "manager_id", "campaign_id", "content_type")
PEOPLE = ("people_counted", "people_past_due", "people_active")
COUNTS = (*SPANS, *PEOPLE)


@dataclass(frozen=True)
class Book:
    """One grain: its keys, and how finely its past is kept.

    `keeps_days`: every day of the past, not only recent ones. `keeps_months`: what stood at the start of each month.
    `people`: the keys by which distinct people are counted, in rows of their own; none where they are not.
    """

    grain: Grain
    keys: tuple[str, ...]
    keeps_days: bool
    keeps_months: bool
    people: tuple[str, ...] = ()

    @property
    def bucket(self) -> str:
        """The SQL for the moment at which what happened on a day that ended `at` is kept."""
        return "at" if self.keeps_days else END_OF_MONTH


BOOKS = (
    Book(Grain.DEPARTMENT, ("department_id",), keeps_days=True, keeps_months=True, people=("department_id",)),
    Book(Grain.MANAGER, ("manager_id",), keeps_days=True, keeps_months=True, people=("manager_id",)),
    Book(Grain.CAMPAIGN, ("campaign_id", "content_type"), keeps_days=True, keeps_months=True, people=("campaign_id",)),
    Book(
        Grain.CROSS,
        ("department_id", "campaign_id", "content_type"),
        keeps_days=False,
        keeps_months=False,
        people=("department_id", "campaign_id"),
    ),
)
WITH_MONTHS = tuple(int(book.grain) for book in BOOKS if book.keeps_months)


@dataclass(frozen=True)
class Ledger:
    """A table of tallies: the columns that name a row, and the counts it adds up."""

    table: str
    steps: str
    keys: tuple[str, ...]
    counts: tuple[str, ...]
    has_months: str

    @property
    def sums(self) -> str:
        """The SQL that adds the counts up."""
        return ", ".join(f"sum({count})::int AS {count}" for count in self.counts)

    @property
    def is_something(self) -> str:
        """The SQL condition under which added counts are worth a row."""
        return " OR ".join(f"sum({count}) <> 0" for count in self.counts)


TALLIES = Ledger(
    "dashboard_tally",
    "tally_step",
    ("grain", *KEYS),
    COUNTS,
    f"grain IN ({', '.join(map(str, WITH_MONTHS))})",
)
COHORTS = Ledger("dashboard_cohorttally", "cohort_step", ("department_id", "due_month"), tuple(COHORT_SPANS), "true")
LEDGERS = (TALLIES, COHORTS)


@contextmanager
def gathering() -> Iterator[None]:
    """Provide empty temporary tables that gather steps; what a step does not name is 0."""
    with connection.cursor() as cursor:
        for ledger in LEDGERS:
            columns = ", ".join(
                f"{name} {kind} NOT NULL DEFAULT 0"
                for names, kind in ((ledger.keys, "bigint"), (ledger.counts, "int"))
                for name in names
            )
            cursor.execute(
                f"CREATE TEMPORARY TABLE {ledger.steps} (is_exempt boolean, at timestamptz, {columns}) ON COMMIT DROP"
            )
    yield
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {', '.join(ledger.steps for ledger in LEDGERS)}")


def add_steps(ledger: Ledger, values: Mapping[str, Any], *, is_first: bool = False) -> None:
    """Add the gathered steps to the rows they belong to; `is_first`: the account has none yet.

    Each goes to its own moment; what happened up to the horizon also into what stands there, and into what stood at
    the start of each month since (`months`).
    """
    keys = ", ".join(("is_exempt", *ledger.keys))
    statements = [
        f"""
        SELECT %(account)s::bigint, true, %(horizon)s::timestamptz AS at, {keys}, {ledger.sums}
        FROM {ledger.steps} WHERE at <= %(horizon)s GROUP BY {keys} HAVING {ledger.is_something}
        """,
        f"""
        SELECT %(account)s::bigint, false, at, {keys}, {ledger.sums}
        FROM {ledger.steps} GROUP BY at, {keys} HAVING {ledger.is_something}
        """,
        # A month that begins at the horizon is the first statement's. Steps are summed by month before they meet the
        # months they precede.
        f"""
        SELECT %(account)s::bigint, true, month AS at, {keys}, {ledger.sums}
        FROM (
            SELECT {MONTH_NOT_BEFORE} AS first, {keys}, {ledger.sums}
            FROM {ledger.steps} WHERE {ledger.has_months} AND at <= %(horizon)s GROUP BY first, {keys}
        ) by_month JOIN unnest(%(months)s::timestamptz[]) AS month ON first <= month
        WHERE month < %(horizon)s GROUP BY month, {keys} HAVING {ledger.is_something}
        """,
    ]
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(_insert(ledger, statement) if is_first else _upsert(ledger, statement), values)


def _insert(ledger: Ledger, rows: str) -> str:
    names = ", ".join(("account_id", "is_standing", "at", "is_exempt", *ledger.keys, *ledger.counts))
    # What is read together lies together.
    order = ", ".join((*(key for key in ledger.keys if key == "grain"), "at", *ledger.keys))
    return f"INSERT INTO {ledger.table} ({names}) {rows} ORDER BY {order}"


def _upsert(ledger: Ledger, rows: str) -> str:
    unique = ", ".join(("account_id", "is_standing", "at", "is_exempt", *ledger.keys))
    added = ", ".join(f"{count} = {ledger.table}.{count} + excluded.{count}" for count in ledger.counts)
    return f"{_insert(ledger, rows)} ON CONFLICT ({unique}) DO UPDATE SET {added}"


def roll_forward(ledger: Ledger, values: Mapping[str, Any]) -> None:
    """Move what stands at the horizon to the next one, `until`, through what happened in between.

    A horizon at the start of a month stays where it is, for it is that month's; `months` are all such moments.
    """
    keys = ", ".join(("is_exempt", *ledger.keys))
    names = ", ".join(("account_id", "is_standing", "at", keys, *ledger.counts))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO {ledger.table} ({names})
            SELECT %(account)s::bigint, true, %(until)s::timestamptz, {keys}, {ledger.sums} FROM {ledger.table}
            WHERE account_id = %(account)s AND (is_standing AND at = %(horizon)s
                                                OR NOT is_standing AND at > %(horizon)s AND at <= %(until)s)
            GROUP BY {keys} HAVING {ledger.is_something}
            """,
            values,
        )
        # A month's beginning stays for the grains that keep months, once there is a past to keep.
        cursor.execute(
            f"""
            DELETE FROM {ledger.table} WHERE account_id = %(account)s AND is_standing AND at = %(horizon)s
            AND NOT (%(keeps_horizon)s AND {ledger.has_months})
            """,
            values,
        )


def fold(ledger: Ledger, bucket: str, values: Mapping[str, Any], *, where: str = "true") -> None:
    """Gather rows after `since` and up to `until` into the moments (`bucket`, of m) that their past is kept at."""
    keys = ", ".join(("is_exempt", *ledger.keys))
    names = ", ".join(("account_id", "is_standing", "at", keys, *ledger.counts))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH fine AS (
                DELETE FROM {ledger.table}
                WHERE account_id = %(account)s AND NOT is_standing AND at > %(since)s AND at <= %(until)s AND {where}
                RETURNING at AS m, at, {keys}, {", ".join(ledger.counts)}
            ), coarse AS (
                SELECT {bucket} AS kept, {keys}, {ledger.sums} FROM fine
                GROUP BY kept, {keys} HAVING {ledger.is_something}
            )
            INSERT INTO {ledger.table} ({names})
            SELECT %(account)s::bigint, false, kept, {keys}, {", ".join(ledger.counts)} FROM coarse
            """,
            values,
        )
