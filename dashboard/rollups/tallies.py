"""The tallies that are kept, and the SQL that writes them: signed steps gathered first, then added to what stands."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection

from dashboard.metrics import COHORT_INTERVALS, INTERVALS
from dashboard.models import Grain
from dashboard.rollups.buckets import END_OF_MONTH, MONTH_NOT_BEFORE

KEYS = ("department_id", "manager_id", "campaign_id", "content_type")
PEOPLE = ("people_counted", "people_past_due", "people_active")
COUNTS = (*INTERVALS, *PEOPLE)


@dataclass(frozen=True)
class TallyGrain:
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


TALLY_GRAINS = (
    TallyGrain(Grain.DEPARTMENT, ("department_id",), keeps_days=True, keeps_months=True, people=("department_id",)),
    TallyGrain(Grain.MANAGER, ("manager_id",), keeps_days=True, keeps_months=True, people=("manager_id",)),
    TallyGrain(
        Grain.CAMPAIGN, ("campaign_id", "content_type"), keeps_days=True, keeps_months=True, people=("campaign_id",)
    ),
    TallyGrain(
        Grain.CROSS,
        ("department_id", "campaign_id", "content_type"),
        keeps_days=False,
        keeps_months=False,
        people=("department_id", "campaign_id"),
    ),
)
WITH_MONTHS = tuple(int(tally_grain.grain) for tally_grain in TALLY_GRAINS if tally_grain.keeps_months)


@dataclass(frozen=True)
class TallyTable:
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


TALLIES = TallyTable(
    "dashboard_tally",
    "tally_step",
    ("grain", *KEYS),
    COUNTS,
    f"grain IN ({', '.join(map(str, WITH_MONTHS))})",
)
COHORTS = TallyTable(
    "dashboard_cohorttally", "cohort_step", ("department_id", "due_month"), tuple(COHORT_INTERVALS), "true"
)
TALLY_TABLES = (TALLIES, COHORTS)


@contextmanager
def gathering() -> Iterator[None]:
    """Provide empty temporary tables that gather steps; what a step does not name is 0."""
    with connection.cursor() as cursor:
        for tally_table in TALLY_TABLES:
            columns = ", ".join(
                f"{name} {kind} NOT NULL DEFAULT 0"
                for names, kind in ((tally_table.keys, "bigint"), (tally_table.counts, "int"))
                for name in names
            )
            cursor.execute(
                f"CREATE TEMPORARY TABLE {tally_table.steps} (is_exempt boolean, at timestamptz, {columns})"
                " ON COMMIT DROP"
            )
    yield
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {', '.join(tally_table.steps for tally_table in TALLY_TABLES)}")


def add_steps(tally_table: TallyTable, values: Mapping[str, Any], *, is_first: bool = False) -> None:
    """Add the gathered steps to the rows they belong to; `is_first`: the account has none yet.

    Each goes to its own moment; what happened up to the horizon also into what stands there, and into what stood at
    the start of each month since (`months`).
    """
    keys = ", ".join(("is_exempt", *tally_table.keys))
    statements = [
        f"""
        SELECT %(account)s::bigint, true, %(horizon)s::timestamptz AS at, {keys}, {tally_table.sums}
        FROM {tally_table.steps} WHERE at <= %(horizon)s GROUP BY {keys} HAVING {tally_table.is_something}
        """,
        f"""
        SELECT %(account)s::bigint, false, at, {keys}, {tally_table.sums}
        FROM {tally_table.steps} GROUP BY at, {keys} HAVING {tally_table.is_something}
        """,
        # A month that begins at the horizon is the first statement's. Steps are summed by month before they meet the
        # months they precede.
        f"""
        SELECT %(account)s::bigint, true, month AS at, {keys}, {tally_table.sums}
        FROM (
            SELECT {MONTH_NOT_BEFORE} AS first, {keys}, {tally_table.sums}
            FROM {tally_table.steps} WHERE {tally_table.has_months} AND at <= %(horizon)s GROUP BY first, {keys}
        ) by_month JOIN unnest(%(months)s::timestamptz[]) AS month ON first <= month
        WHERE month < %(horizon)s GROUP BY month, {keys} HAVING {tally_table.is_something}
        """,
    ]
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(_insert(tally_table, statement) if is_first else _upsert(tally_table, statement), values)


def _insert(tally_table: TallyTable, rows: str) -> str:
    names = ", ".join(("account_id", "is_standing", "at", "is_exempt", *tally_table.keys, *tally_table.counts))
    # What is read together lies together.
    order = ", ".join((*(key for key in tally_table.keys if key == "grain"), "at", *tally_table.keys))
    return f"INSERT INTO {tally_table.table} ({names}) {rows} ORDER BY {order}"


def _upsert(tally_table: TallyTable, rows: str) -> str:
    unique = ", ".join(("account_id", "is_standing", "at", "is_exempt", *tally_table.keys))
    added = ", ".join(f"{count} = {tally_table.table}.{count} + excluded.{count}" for count in tally_table.counts)
    return f"{_insert(tally_table, rows)} ON CONFLICT ({unique}) DO UPDATE SET {added}"


def roll_forward(tally_table: TallyTable, values: Mapping[str, Any]) -> None:
    """Move what stands at the horizon to the next one, `until`, through what happened in between.

    A horizon at the start of a month stays where it is, for it is that month's; `months` are all such moments.
    """
    keys = ", ".join(("is_exempt", *tally_table.keys))
    names = ", ".join(("account_id", "is_standing", "at", keys, *tally_table.counts))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO {tally_table.table} ({names})
            SELECT %(account)s::bigint, true, %(until)s::timestamptz, {keys}, {tally_table.sums}
            FROM {tally_table.table}
            WHERE account_id = %(account)s AND (is_standing AND at = %(horizon)s
                                                OR NOT is_standing AND at > %(horizon)s AND at <= %(until)s)
            GROUP BY {keys} HAVING {tally_table.is_something}
            """,
            values,
        )
        # A month's beginning stays for the grains that keep months, once there is a past to keep.
        cursor.execute(
            f"""
            DELETE FROM {tally_table.table} WHERE account_id = %(account)s AND is_standing AND at = %(horizon)s
            AND NOT (%(keeps_horizon)s AND {tally_table.has_months})
            """,
            values,
        )


def fold(tally_table: TallyTable, bucket: str, values: Mapping[str, Any], *, where: str = "true") -> None:
    """Gather rows after `since` and up to `until` into the moments (`bucket`, of m) that their past is kept at."""
    keys = ", ".join(("is_exempt", *tally_table.keys))
    names = ", ".join(("account_id", "is_standing", "at", keys, *tally_table.counts))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH fine AS (
                DELETE FROM {tally_table.table}
                WHERE account_id = %(account)s AND NOT is_standing AND at > %(since)s AND at <= %(until)s AND {where}
                RETURNING at AS m, at, {keys}, {", ".join(tally_table.counts)}
            ), coarse AS (
                SELECT {bucket} AS kept, {keys}, {tally_table.sums} FROM fine
                GROUP BY kept, {keys} HAVING {tally_table.is_something}
            )
            INSERT INTO {tally_table.table} ({names})
            SELECT %(account)s::bigint, false, kept, {keys}, {", ".join(tally_table.counts)} FROM coarse
            """,
            values,
        )
