"""The passport of a number: what it is, what it is made of, and what was left out and why."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.db.models import Count, Q, QuerySet
from django.db.models.expressions import RawSQL

from dashboard import metrics
from dashboard.access import Scope
from dashboard.metrics import Rate, local_midnight
from dashboard.models import CONTENT_TYPE_CODES
from dashboard.queries.asking import Basis, By, Filters, State
from dashboard.queries.cohorts import cohorts
from dashboard.queries.durations import days_to_complete
from dashboard.queries.figures import figures, positional
from dashboard.queries.left_out import Reason, is_due_unknown, not_due, with_reason
from dashboard.queries.remedial import GRACE, training_after_failure
from dashboard.queries.selection import Selection, select
from dashboard.reporting.registry import OF_PEOPLE, REGISTRY, Base, Metric
from dashboard.rollups.buckets import next_month
from sync.models import Enrollment, SyncRun
from sync.models.training import ContentType


@dataclass(frozen=True)
class LeftOut:
    """How many were left out for one reason."""

    reason: Reason
    count: int


@dataclass(frozen=True)
class Passport:
    """What stands behind one number, net of exemptions.

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
    net, gross = _parts(scope, metric, quarter, **asked)
    left_out: dict[Reason, int] = {}
    if selection is None:
        known = 0
    elif metric.base in OF_PEOPLE:
        known, left_out = _people(scope, selection, metric, **asked)
    else:
        counts = _reasons(scope, selection, metric, quarter)
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
    scope: Scope, metric: Metric, quarter: date | None, *, as_of: datetime, filters: Filters, basis: Basis
) -> tuple[Rate, Rate]:
    """Return numerator and denominator, net and gross."""
    if quarter is not None:
        if metric.of_cohort is None:
            raise ValueError(f"{metric.title} is not in a quarter's row.")
        rows = cohorts(scope, as_of=as_of, period=By.QUARTER, first=quarter, last=quarter, filters=filters, basis=basis)
        if not rows:
            return Rate(0, 0), Rate(0, 0)
        net, gross = (_rate(metric.of_cohort(cohort), cohort.due) for cohort in (rows[0].net, rows[0].gross))
        return net, gross
    if metric.base == Base.FAILED:
        trained = training_after_failure(scope, as_of=as_of, filters=filters, basis=basis)
        rate = trained[0].rate if trained else Rate(0, 0)
        return rate, rate
    if metric.base == Base.FINISHED:
        durations = days_to_complete(scope, as_of=as_of, filters=filters, basis=basis)
        finishers = [durations[0].net.finishers, durations[0].gross.finishers] if durations else [0, 0]
        return Rate(finishers[0], finishers[0]), Rate(finishers[1], finishers[1])
    if metric.of is None:
        raise ValueError(f"{metric.title} does not follow from counts.")
    totals = figures(scope, as_of=as_of, filters=filters, basis=basis)
    wholes = {Base.PEOPLE: "people_counted", Base.ACTIVE_PEOPLE: "people_active"}
    name = wholes.get(metric.base, "counted")
    return (
        _rate(metric.of(totals.net), getattr(totals.net, name)),
        _rate(metric.of(totals.gross), getattr(totals.gross, name)),
    )


def _rate(value: Rate | int, whole: int) -> Rate:
    return value if isinstance(value, Rate) else Rate(value, whole)


def _reasons(scope: Scope, selection: Selection, metric: Metric, quarter: date | None) -> dict[str, int]:
    """Return how many of the known enrollments are counted, and how many each reason leaves out."""
    as_of = selection.as_of
    further: tuple[tuple[Reason, Q], ...] = ()
    if metric.base == Base.DUE:
        further = not_due(as_of)
    elif metric.base == Base.POLICIES:
        further = ((Reason.NO_POLICY, ~Q(content__content_type=ContentType.POLICY)),)
    elif metric.base == Base.FINISHED:
        further = ((Reason.UNFINISHED, ~metrics.completed(as_of)),)
    passing = of_selection(scope, selection)
    if quarter is not None:
        passing = passing.filter(_due_in(quarter, selection))
    rows = with_reason(passing, as_of, *further, is_cohort=quarter is not None)
    return dict(rows.order_by().values_list("reason").annotate(count=Count("pk")))


def _due_in(quarter: date, selection: Selection) -> Q:
    """Match what is due in a quarter, and what may be, for all that is known."""
    first = quarter.replace(month=(quarter.month - 1) // 3 * 3 + 1, day=1)
    after = next_month(next_month(next_month(first)))
    begins, ends = (local_midnight(day, selection.zone) for day in (first, after))
    return Q(due_at__gte=begins, due_at__lt=ends) | is_due_unknown()


def of_selection(scope: Scope, selection: Selection) -> QuerySet[Enrollment]:
    """Return the enrollments in scope that pass the selection's filters, whether they count or not.

    Those without a person pass no filter about people.
    """
    found = scope.enrollments()
    about_people = (selection.departments, selection.managers, selection.without, selection.only, selection.groups)
    if any(narrowed is not None for narrowed in about_people):
        sql = f"SELECT f.person_id FROM {selection.standings} WHERE {selection.of_people}"
        found = found.filter(
            person__in=RawSQL(*positional(sql, selection.values))  # noqa: S611 - ours, with every value bound
        )
    if selection.campaigns is not None:
        found = found.filter(campaign__in=selection.campaigns)
    if selection.content_types is not None:
        kinds = {code: kind for kind, code in CONTENT_TYPE_CODES.items()}
        found = found.filter(content__content_type__in=[kinds[code] for code in selection.content_types])
    if selection.states:
        passing = Q(pk__in=[])
        for state in selection.states:
            passing |= _STATES[state](selection.as_of)
        found = found.filter(passing)
    return found


_STATES = {
    State.COMPLETED: metrics.completed,
    State.PAST_DUE: metrics.past_due,
    State.IN_PROGRESS: metrics.in_progress,
    State.NOT_STARTED: metrics.not_started,
}


def _people(
    scope: Scope, selection: Selection, metric: Metric, *, as_of: datetime, filters: Filters, basis: Basis
) -> tuple[int, dict[Reason, int]]:
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
    totals = figures(scope, as_of=as_of, filters=filters, basis=basis)
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
