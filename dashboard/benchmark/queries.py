"""Every question asked many times over: of now, with two filters, and of past days."""

import statistics
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from dashboard.access import Scope
from dashboard.benchmark.questions import Question, questions
from dashboard.benchmark.samples import Asked, Samples
from dashboard.models import Membership
from sync.benchmark.figures import Figure
from sync.models import Account, Enrollment

RUNS = 40
PLAIN_RUNS = 3
NARROWED_GOAL = 40.0
# The goals are for a million enrollments; ten times as many may take half as long again.
MANY, MANY_FACTOR = 5_000_000, 1.5


def measure_queries(
    account: Account, *, now: datetime, say: Callable[[str], None], runs: int = RUNS, plain_runs: int = PLAIN_RUNS
) -> list[Figure]:
    """Return the 95th percentile of each question, in milliseconds, and beside it its median and its plain query's.

    Each run asks anew, as of another moment: nothing is cached and no result used twice. Tables are vacuumed
    first, as autovacuum does within a minute of a publish; and everything is asked once without a clock, so that
    Postgres has in memory what a server that runs has there. "in Postgres" is the 95th percentile of the queries alone,
    without what Python makes of their rows.
    """
    say("Vacuuming ...")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    scope = Scope(account=account, roles=frozenset({Membership.Role.SECURITY_MANAGER}))
    count = Enrollment.objects.filter(account=account).count()
    factor = MANY_FACTOR if count > MANY else 1.0
    samples = Samples(scope, now=now)
    ways: list[tuple[str, Sequence[Asked], float | None]] = [
        ("", _spread([Asked(now)] * runs), None),
        (", two filters", _spread(samples.pairs(runs)), NARROWED_GOAL),
        (", a past day", samples.past_days(runs), NARROWED_GOAL),
    ]
    figures = [Figure("queries: enrollments", count)]
    for question in questions():
        for name, asked, goal in ways:
            figure = _measure(
                question, name, scope, asked, goal=(goal or question.goal) * factor, plain_runs=plain_runs
            )
            say(f"{figure.name}: {figure.measured} ({figure.goal}; {figure.remarks})")
            figures.append(figure)
    return figures


def _measure(
    question: Question,
    way: str,
    scope: Scope,
    asked: Sequence[Asked],
    *,
    goal: float,
    plain_runs: int,
) -> Figure:
    """Ask in every way given, and the plain query in the first few of them: it takes a thousand times as long."""
    for one in asked:
        question.ask(scope, one)
    times, in_postgres = [], []
    for one in asked:
        statements = Statements()
        with connection.execute_wrapper(statements):
            times.append(_milliseconds(question.ask, scope, one))
        in_postgres.append(statements.milliseconds)
    plain = [_milliseconds(question.baseline, scope, one) for one in asked[:plain_runs]]
    median, plain_median = statistics.median(times), statistics.median(plain)
    return Figure(
        f"{question.name}{way}",
        round(percentile(times, 95), 3),
        "ms",
        at_most=goal,
        beside={
            "median ms": round(median, 3),
            "in Postgres ms": round(percentile(in_postgres, 95), 3),
            "plain SQL ms": round(plain_median, 1),
            # Of the same questions: those that the plain query was asked, too.
            "times as long": round(plain_median / statistics.median(times[: len(plain)]), 1),
            "runs": len(times),
        },
    )


def _spread(asked: Sequence[Asked]) -> list[Asked]:
    """Return the same questions, each as of a microsecond of its own."""
    return [Asked(one.as_of + timedelta(microseconds=number), one.filters) for number, one in enumerate(asked)]


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the smallest value that so many percent do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def _milliseconds(ask: Callable[[Scope, Asked], Any], scope: Scope, asked: Asked) -> float:
    began = time.perf_counter()
    ask(scope, asked)
    return (time.perf_counter() - began) * 1_000


class Statements:
    """Counts what is asked of the database, and how long it takes to answer."""

    def __init__(self) -> None:
        self.count, self.milliseconds = 0, 0.0

    def __call__(self, execute: Callable, sql: str, params: object, many: bool, context: dict) -> object:
        began = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.count += not sql.startswith(("SAVEPOINT", "RELEASE"))
            self.milliseconds += (time.perf_counter() - began) * 1_000
