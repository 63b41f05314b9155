"""The passport of a number: what it is, what it is made of, and what was left out and why."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection

from dashboard.access import Scope
from dashboard.figures.cohorts import cohorts
from dashboard.figures.counts import figures
from dashboard.figures.selection import Basis, By, Filters, Selection, select
from dashboard.metrics import Totals
from dashboard.metrics.registry import OF_PEOPLE, REGISTRY, Base, Metric
from dashboard.queries.left_out import Reason
from dashboard.queries.reasons import reasons
from dashboard.queries.remedial import GRACE, training_after_failure
from dashboard.rate import Rate
from sync.models import SyncRun


@dataclass(frozen=True)
class LeftOut:
    """Number left out for one reason."""

    reason: Reason
    count: int


@dataclass(frozen=True)
class Passport:
    """Details of one number, net of exemptions.

    `known` = `denominator` + everything in `left_out`, in enrollments or in people (`is_of_people`). For a count the
    denominator is what it is a part of; for days to complete the numerator is the finishers. `run` is the sync the
    number was computed from; None before the first.
    """

    metric: Metric
    numerator: int
    denominator: int
    known: int
    left_out: tuple[LeftOut, ...]
    gross_numerator: int
    gross_denominator: int
    as_of: datetime
    run: SyncRun | None
    scope: str

    @property
    def is_of_people(self) -> bool:
        """Whether people are counted, not enrollments."""
        return self.metric.base in OF_PEOPLE


def passport(
    scope: Scope,
    name: str,
    *,
    as_of: datetime,
    filters: Filters = Filters(),  # noqa: B008 - frozen
    basis: Basis = Basis.NOW,
    quarter: date | None = None,
) -> Passport:
    """Return the passport of the metric `name` as `figures` with the same arguments computes it.

    With `quarter`, any day of it, that of the quarter's row: known is what was enrolled by `as_of` and is due in the
    quarter, or due at an unknown date. ValueError for a metric that a quarter's row does not have. KeyError for a name
    that no metric has. Whoever sees nobody gets zeros.
    """
    metric = REGISTRY[name]
    asked: dict[str, Any] = {"as_of": as_of, "filters": filters, "basis": basis}
    selection = select(scope, **asked)
    is_current = quarter is None and metric.base != Base.FAILED
    totals = figures(scope, selection=selection, **asked) if is_current else Totals()
    net, gross = _parts(scope, metric, quarter, totals, asked)
    left_out: dict[Reason, int] = {}
    if selection is None:
        known = 0
    elif metric.base in OF_PEOPLE:
        known, left_out = _people(selection, metric, totals)
    else:
        counts = reasons(scope, selection, metric.base, quarter, totals)
        known = sum(counts.values())
        left_out = {reason: counts[reason.value] for reason in Reason if counts.get(reason.value)}
    return Passport(
        metric=metric,
        numerator=net.numerator,
        denominator=net.denominator,
        known=known,
        left_out=tuple(LeftOut(reason, count) for reason, count in left_out.items() if count),
        gross_numerator=gross.numerator,
        gross_denominator=gross.denominator,
        as_of=as_of,
        run=scope.account.published_run if scope.account else None,
        scope=scope.label,
    )


def _parts(
    scope: Scope, metric: Metric, quarter: date | None, totals: Totals, asked: dict[str, Any]
) -> tuple[Rate, Rate]:
    """Return numerator and denominator, net and gross; `asked` are the arguments of every question."""
    if quarter is not None:
        if metric.of_cohort is None:
            raise ValueError(f"{metric.title} is not in a quarter's row.")
        rows = cohorts(scope, period=By.QUARTER, first=quarter, last=quarter, **asked)
        if not rows:
            return Rate(0, 0), Rate(0, 0)
        net, gross = (_rate(metric.of_cohort(cohort), cohort.due) for cohort in (rows[0].net, rows[0].gross))
        return net, gross
    if metric.base == Base.FAILED:
        trained = training_after_failure(scope, **asked)
        rate = trained[0].rate if trained else Rate(0, 0)
        return rate, rate
    if metric.base == Base.FINISHED:
        finishers = totals.net.completed, totals.gross.completed
        return Rate(finishers[0], finishers[0]), Rate(finishers[1], finishers[1])
    if metric.of is None:
        raise ValueError(f"{metric.title} does not follow from counts.")
    wholes = {Base.PEOPLE: "people_counted", Base.ACTIVE_PEOPLE: "people_active"}
    name = wholes.get(metric.base, "counted")
    return (
        _rate(metric.of(totals.net), getattr(totals.net, name)),
        _rate(metric.of(totals.gross), getattr(totals.gross, name)),
    )


def _rate(value: Rate | int, whole: int) -> Rate:
    return value if isinstance(value, Rate) else Rate(value, whole)


def _people(selection: Selection, metric: Metric, totals: Totals) -> tuple[int, dict[Reason, int]]:
    """Return how many people pass the filters about people, and how many of them each reason leaves out."""
    if metric.base == Base.FAILED:
        return _failures(selection)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT count(*)::int, (count(*) FILTER (WHERE f.left_at <= %(now)s))::int
            FROM {selection.standings} WHERE {selection.of_people}
            """,
            selection.values,
        )
        known, left = cursor.fetchone()
    if metric.base == Base.ACTIVE_PEOPLE:
        return known, {Reason.LEFT: left, Reason.NOT_JOINED: known - left - totals.gross.people_active}
    return known, {
        Reason.LEFT: left,
        Reason.NOTHING_COUNTED: known - left - totals.gross.people_counted,
        Reason.EXEMPT: totals.gross.people_counted - totals.net.people_counted,
    }


def _failures(selection: Selection) -> tuple[int, dict[Reason, int]]:
    """Return how many people failed a phishing test by the moment, and how many of them are not asked about."""
    values: dict[str, Any] = {**selection.values, "grace": GRACE}
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT count(*)::int, (count(*) FILTER (WHERE has_left))::int,
                   (count(*) FILTER (WHERE NOT has_left AND first_failed_at > %(now)s::timestamptz - %(grace)s))::int
            FROM (
                SELECT coalesce(f.left_at <= %(now)s, false) AS has_left, min(failure.failed_at) AS first_failed_at
                FROM {selection.standings} JOIN sync_phishingresult failure ON failure.person_id = f.person_id
                WHERE {selection.of_people} AND failure.account_id = %(account)s AND failure.failed_at <= %(now)s
                GROUP BY f.person_id, f.left_at
            ) person
            """,
            values,
        )
        known, left, lately = cursor.fetchone()
    return known, {Reason.LEFT: left, Reason.FAILED_LATELY: lately}
