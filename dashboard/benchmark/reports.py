"""Reports: gathered and set, each time anew, for whoever sees everybody."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import cycle, islice

from django.utils import timezone

from dashboard.access import Scope
from dashboard.benchmark.queries import percentile
from dashboard.figures.counts import figures_by
from dashboard.figures.selection import By
from dashboard.models import Membership
from dashboard.reports import Document, Kind, Question, describe
from sync.benchmark.figures import Figure
from sync.models import Account

BOARD_GOAL, DEPARTMENT_GOAL, MANY_GOAL = 0.7, 1.0, 300.0
# A department of so many people past due; so many departments, by so many workers, in one mailing.
PEOPLE, MAILED, WORKERS = 1_000, 500, 2
RUNS, SAMPLED = 10, 12


def measure_reports(account: Account, *, now: datetime, say: Callable[[str], None], runs: int = RUNS) -> list[Figure]:
    """Return the 95th percentile of the Board report and of a department's with 1,000 people, in seconds.

    What 500 departments take is reckoned from some of the largest, one after the other, shared by two workers.
    """
    scope = Scope(account=account, roles=frozenset({Membership.Role.SECURITY_MANAGER}))
    groups = figures_by(scope, By.DEPARTMENT, as_of=now)
    largest = sorted(groups, key=lambda group: -group.totals.net.people_past_due)[:SAMPLED]
    if not largest:
        return []
    with timezone.override(account.zone):
        say("Board report ...")
        board = [_timed(Kind.BOARD, _question(scope, now, turn), None) for turn in range(runs + 1)][1:]
        say("Department reports ...")
        key = int(largest[0].key)
        crowd = [_timed(Kind.DEPARTMENT, _question(scope, now, turn), key, PEOPLE) for turn in range(runs + 1)][1:]
        each = [_timed(Kind.DEPARTMENT, _question(scope, now, 0), int(group.key)) for group in largest]
    mean = sum(each) / len(each)
    return [
        Figure("report: board", percentile(board, 95), "s", at_most=BOARD_GOAL, beside={"runs": runs}),
        Figure(
            f"report: department, {PEOPLE:,} people past due",
            percentile(crowd, 95),
            "s",
            at_most=DEPARTMENT_GOAL,
            beside={"runs": runs},
        ),
        Figure(
            f"report: {MAILED} departments by {WORKERS} workers, reckoned",
            mean * MAILED / WORKERS,
            "s",
            at_most=MANY_GOAL,
            beside={"seconds each": round(mean, 3), "departments": len(each)},
        ),
    ]


def _question(scope: Scope, now: datetime, turn: int) -> Question:
    """Return the question of one turn: Typst keeps what it set before, so no two turns are of the same moment."""
    moment = now + timedelta(seconds=turn)
    return Question(scope, moment, moment)


def _timed(kind: Kind, question: Question, subject: int | None, people: int = 0) -> float:
    """Return the seconds that a report takes; with `people`, its list of people past due is made that long."""
    began = time.perf_counter()
    document = describe(kind, question, subject=subject)
    if document is None:
        raise ValueError("The department was there a moment ago.")
    (_crowded(document, people) if people else document).rendered()
    return time.perf_counter() - began


def _crowded(document: Document, people: int) -> Document:
    """Return the document with so many rows of people, each of another name."""
    listed = document.content["people"]
    rows = listed["table"]["rows"] or [["Nobody", "Nobody", "Nothing", "1 Jan 2026", "1", "1"]]
    more = [
        [{"text": f"Person {place}, turn {document.question.as_of:%S}", "sub": "somebody@brackwater.example"}, *row[1:]]
        for place, row in enumerate(islice(cycle(rows), people))
    ]
    table = {**listed["table"], "rows": more}
    return replace(document, content={**document.content, "people": {**listed, "table": table}})
