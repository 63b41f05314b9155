"""The questions of the pages, each with its goal, its answer as the pages get it, and its plain query."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any

from dashboard.access import Scope
from dashboard.benchmark import baseline
from dashboard.benchmark.samples import Asked
from dashboard.figures.cohorts import cohorts
from dashboard.figures.counts import figures, figures_by
from dashboard.figures.selection import By
from dashboard.local_days import local_midnight
from dashboard.queries.past_due import Sort, people_past_due

QUARTERS = 12
FIRST_ROWS = 50

Ask = Callable[[Scope, Asked], Any]


@dataclass(frozen=True)
class Question:
    """Query of a page. `goal` is in milliseconds, for the query alone at its 95th percentile."""

    name: str
    goal: float
    ask: Ask
    baseline: Ask


def questions() -> list[Question]:
    """Return every question, in the order of the table."""
    return [
        Question("overview figures", 10, _overview, baseline.overview),
        Question(
            "by department", 15, partial(_by, by=By.DEPARTMENT), partial(baseline.by, key="person__department_id")
        ),
        Question("by campaign", 15, partial(_by, by=By.CAMPAIGN), partial(baseline.by, key="campaign_id")),
        Question("by manager, whole lines", 30, partial(_by, by=By.MANAGER), baseline.by_line),
        Question(f"trend of {QUARTERS} quarters", 15, partial(_cohorts, by=None), _plain_cohorts),
        Question(
            "department by quarter",
            25,
            partial(_cohorts, by=By.DEPARTMENT),
            partial(_plain_cohorts, key="person__department_id"),
        ),
        *(
            Question(f"past due by {sort}", 20, partial(_past_due, sort=sort), partial(_plain_past_due, order=order))
            for sort, order in SORTS.items()
        ),
    ]


# How the list of people past due is sorted, and the plain query's order for each.
SORTS = {
    Sort.DAYS: ("oldest", "person_id"),
    Sort.ITEMS: ("-items", "oldest", "person_id"),
    Sort.PERSON: ("person__last_name", "person__first_name", "oldest", "person_id"),
    Sort.DEPARTMENT: ("person__department__name", "oldest", "person_id"),
    Sort.MANAGER: ("person__manager__last_name", "person__manager__first_name", "oldest", "person_id"),
    Sort.ACTIVITY: ("-activity", "oldest", "person_id"),
}


def span(scope: Scope, as_of: datetime) -> tuple[date, date]:
    """Return the first day of the first of twelve quarters, and that of the running one, in the account's zone."""
    if scope.account is None:
        raise ValueError("Nobody is asking.")
    today = as_of.astimezone(scope.account.zone).date()
    quarter = today.year * 4 + (today.month - 1) // 3
    return _quarter_day(quarter - QUARTERS + 1), _quarter_day(quarter)


def _quarter_day(quarter: int) -> date:
    year, place = divmod(quarter, 4)
    return date(year, place * 3 + 1, 1)


def _overview(scope: Scope, asked: Asked) -> Any:
    return figures(scope, as_of=asked.as_of, filters=asked.filters)


def _by(scope: Scope, asked: Asked, *, by: By) -> Any:
    return figures_by(scope, by, as_of=asked.as_of, filters=asked.filters)


def _cohorts(scope: Scope, asked: Asked, *, by: By | None) -> Any:
    first, last = span(scope, asked.as_of)
    return cohorts(scope, as_of=asked.as_of, period=By.QUARTER, first=first, last=last, filters=asked.filters, by=by)


def _plain_cohorts(scope: Scope, asked: Asked, *, key: str = "") -> Any:
    if scope.account is None:
        return []
    first, last = span(scope, asked.as_of)
    after = _quarter_day(last.year * 4 + last.month // 3 + 1)
    zone = scope.account.zone
    return baseline.cohorts(
        scope, asked, local_midnight(first, zone), local_midnight(after, zone), *([key] if key else [])
    )


def _past_due(scope: Scope, asked: Asked, *, sort: Sort) -> Any:
    # Days and items: most first, as the page opens; names from A.
    is_descending = sort in (Sort.DAYS, Sort.ITEMS, Sort.ACTIVITY)
    return people_past_due(
        scope,
        as_of=asked.as_of,
        filters=asked.filters,
        sort=sort,
        is_descending=is_descending,
        limit=FIRST_ROWS,
    )


def _plain_past_due(scope: Scope, asked: Asked, *, order: tuple[str, ...]) -> Any:
    return baseline.past_due(scope, asked, order, FIRST_ROWS)
