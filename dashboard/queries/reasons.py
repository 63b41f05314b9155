"""Counts of enrollments that each reason leaves out of a figure: from tallies and facts where they can tell.

Most of a million enrollments count, and how many do is known. What is left to look at is small: those of campaigns that
do not count, those that can never count, and those that ceased to.
"""

from collections import Counter
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.expressions import RawSQL

from dashboard import metrics
from dashboard.access import Scope
from dashboard.figures.counts import positional
from dashboard.figures.selection import OF_WORK, Selection
from dashboard.local_days import local_midnight
from dashboard.metrics import Totals
from dashboard.metrics.registry import Base
from dashboard.models import CONTENT_TYPE_CODES
from dashboard.queries.left_out import COUNTED, Reason, is_due_unknown, not_due, reason_of_campaign, with_reason
from dashboard.rollups.buckets import next_month
from sync.models import Enrollment
from sync.models.training import ContentType, never_counts

# What counted once and does no more, and what counts and is not due yet.
_CEASED = """
    SELECT count(*) FILTER (WHERE f.removed_at <= %(now)s)::int, count(*)::int
    FROM {facts} WHERE {of_facts} AND f.until <= %(now)s AND f.enrolled_at <= %(now)s
"""
_NOT_DUE_YET = """
    SELECT count(*)::int FROM {facts}
    WHERE {of_facts} AND f.due_at > %(now)s AND f.enrolled_at <= %(now)s AND (f.until IS NULL OR f.until > %(now)s)
      AND NOT f.is_due_unknown AND NOT EXISTS (
          SELECT FROM dashboard_exemptspan x
          WHERE x.enrollment_id = f.enrollment_id AND x.during @> %(now)s::timestamptz
      )
"""


def reasons(scope: Scope, selection: Selection, base: Base, quarter: date | None, totals: Totals) -> dict[str, int]:
    """Return how many of the known enrollments are counted, under `COUNTED`, and how many each reason leaves out.

    `totals` are the selection's current figures.
    """
    passing = of_selection(scope, selection)
    if quarter is not None or selection.states:
        return _one_by_one(passing, selection, base, quarter)
    found = Counter(_never_counting(scope, passing, selection))
    with connection.cursor() as cursor:
        source = {"facts": selection.facts, "of_facts": selection.of_facts}
        cursor.execute(_CEASED.format(**source), selection.values)
        removed, ceased = cursor.fetchone()
        found += Counter({Reason.REMOVED.value: removed, Reason.LEFT.value: ceased - removed})
        found[Reason.EXEMPT.value] = totals.gross.counted - totals.net.counted
        if base == Base.DUE:
            cursor.execute(_NOT_DUE_YET.format(**source), selection.values)
            found[Reason.NOT_DUE_YET.value] = cursor.fetchone()[0]
    net = totals.net
    if base == Base.DUE:
        found[Reason.UNKNOWN_DUE.value] = net.unknown_due
        undated = net.counted - net.due - net.unknown_due - found[Reason.NOT_DUE_YET.value]
        found[Reason.NO_DEADLINE.value], found[COUNTED] = undated, net.due
    elif base == Base.POLICIES:
        found[Reason.NO_POLICY.value], found[COUNTED] = net.counted - net.policies, net.policies
    elif base == Base.FINISHED:
        found[Reason.UNFINISHED.value], found[COUNTED] = net.counted - net.completed, net.completed
    else:
        found[COUNTED] = net.counted
    return dict(found)


def _never_counting(scope: Scope, passing: QuerySet[Enrollment], selection: Selection) -> dict[str, int]:
    """Return why enrollments that have no fact have none: they can count at no moment."""
    found = Counter(_by_reason(with_reason(passing.filter(never_counts()), selection.as_of)))
    # Counted campaign by campaign, so that an index finds the enrollments.
    rows = passing.filter(campaign=OuterRef("pk"), enrolled_at__lte=selection.as_of).exclude(never_counts())
    count = Subquery(rows.order_by().values("campaign").annotate(count=Count("pk")).values("count"))
    campaigns = scope.campaigns().annotate(why=reason_of_campaign()).exclude(why=COUNTED)
    for why, enrollments in campaigns.values_list("why", count):
        found[why] += enrollments or 0
    return found


def _by_reason(rows: QuerySet[Any, Any]) -> dict[str, int]:
    return dict(rows.order_by().values_list("reason").annotate(count=Count("pk")))


def _one_by_one(
    passing: QuerySet[Enrollment], selection: Selection, base: Base, quarter: date | None
) -> dict[str, int]:
    """Look at every enrollment: of a quarter there are few, and what is in a state is kept nowhere."""
    as_of = selection.as_of
    further: tuple[tuple[Reason, Q], ...] = ()
    if base == Base.DUE:
        further = not_due(as_of)
    elif base == Base.POLICIES:
        further = ((Reason.NO_POLICY, ~Q(content__content_type=ContentType.POLICY)),)
    elif base == Base.FINISHED:
        further = ((Reason.UNFINISHED, ~metrics.completed(as_of)),)
    if quarter is not None:
        passing = passing.filter(_due_in(quarter, selection))
    rows = with_reason(passing, as_of, *further, is_cohort=quarter is not None)
    return _by_reason(rows)


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
    # The scope has narrowed to whom it sees.
    if selection.narrowed_by - OF_WORK - {"is_mixed"}:
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
        found = found.alias(state=metrics.state(selection.as_of)).filter(state__in=selection.states)
    return found
