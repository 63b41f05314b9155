"""One campaign: its figures, how they came about day by day, its departments, and the rows behind each number."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db import connection
from django.db.models import BooleanField, Case, QuerySet, Value, When
from django.db.models.expressions import RawSQL

from dashboard import metrics
from dashboard.access import Scope
from dashboard.figures.counts import IS_EXEMPT, Group, figures_by, positional
from dashboard.figures.coverage import covering, starts
from dashboard.figures.selection import Basis, By, Filters, Selection, select
from dashboard.metrics import COUNT_NAMES, INTERVALS, Counts, State, Totals
from dashboard.models import Grain
from dashboard.rate import Rate
from dashboard.rollups import intervals
from sync.models import Campaign, Enrollment


class Show(StrEnum):
    """Choice of a campaign's enrollments for a list. `LATE` ones are completed, too; `EXEMPT` ones are in no rate."""

    ALL = "all"
    PAST_DUE = "past_due"
    NOT_STARTED = "not_started"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    LATE = "late"
    EXEMPT = "exempt"


@dataclass(frozen=True)
class BurnDay:
    """Part of a campaign completed at the end of a local day, without what was exempt."""

    date: date
    completed: int
    counted: int

    @property
    def rate(self) -> Rate:
        """Completed out of counted."""
        return Rate(self.completed, self.counted)


@dataclass(frozen=True)
class CampaignFigures:
    """A campaign's figures with its distinct people, each department's without, and how they came about day by day.

    Departments are by name, nameless last. Days go from the first on which anybody counted to that of the moment,
    which ends with it; there are none where nobody ever counted.
    """

    totals: Totals
    departments: tuple[Group, ...]
    days: tuple[BurnDay, ...]


def figures_of(scope: Scope, campaign: Campaign, *, as_of: datetime, basis: Basis = Basis.NOW) -> CampaignFigures:
    """Return all that a campaign's page counts; from tallies, which keep every day of a campaign, or from facts."""
    selection = select(scope, as_of=as_of, filters=Filters(), basis=Basis.NOW)
    if selection is None:
        return CampaignFigures(Totals(), (), ())
    selection = replace(selection, campaigns=(campaign.pk,))
    filters = Filters(campaigns=frozenset({campaign.pk}))
    groups = figures_by(
        scope,
        By.DEPARTMENT,
        as_of=as_of,
        filters=filters,
        basis=basis,
        with_people=False,
        selection=selection if basis == Basis.NOW else None,
    )
    departments = [group for group in groups if group.totals.gross.counted]
    if _has_tallies(selection):
        steps = _tallied_steps(selection)
        totals = _summed(steps)
    else:
        steps = _steps_of_facts(selection)
        found = figures_by(scope, By.CAMPAIGN, as_of=as_of, filters=filters)
        totals = found[0].totals if found else Totals()
    return CampaignFigures(totals, tuple(departments), tuple(_days(steps, selection)))


@dataclass(frozen=True)
class _Step:
    """By how much counts change at one moment: everybody's, or what an exemption takes from them."""

    at: datetime
    is_exempt: bool
    counts: Counts


def _has_tallies(selection: Selection) -> bool:
    """Return whether those tallies answer that keep every day of a campaign, of everybody in it."""
    grain = covering(selection, "")
    is_of_campaigns = grain is not None and grain.grain == Grain.CAMPAIGN
    return is_of_campaigns and starts(selection, [selection.as_of], with_active=False) is not None


def _tallied_steps(selection: Selection) -> list[_Step]:
    # Raw SQL: sums of signed steps over content types.
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT at, is_exempt, {", ".join(f"sum({name})::int" for name in COUNT_NAMES)} FROM dashboard_tally
            WHERE account_id = %(account)s AND grain = {int(Grain.CAMPAIGN)} AND NOT is_standing
              AND campaign_id = ANY(%(campaigns)s) AND at <= %(now)s
            GROUP BY at, is_exempt
            """,
            selection.values,
        )
        return [_Step(at, is_exempt, Counts(*counts)) for at, is_exempt, *counts in cursor.fetchall()]


def _summed(steps: Iterable[_Step]) -> Totals:
    """Return the counts that all steps together make."""
    gross, exempt = Counts(), Counts()
    for step in steps:
        if step.is_exempt:
            exempt += step.counts
        else:
            gross += step.counts
    return Totals(gross - exempt, gross)


def _steps_of_facts(selection: Selection) -> list[_Step]:
    """Return what a burn-up sums, from facts: everything, and what exemptions take from those they touch."""
    spans = {name: INTERVALS[name] for name in ("counted", "completed")}
    where = selection.of_facts
    touched = f"{where} AND EXISTS (SELECT FROM dashboard_exemptspan x WHERE x.enrollment_id = f.enrollment_id)"
    parts = (
        (False, 1, intervals.current(where=where)),
        (True, 1, intervals.current(where=touched)),
        (True, -1, intervals.current(where=where, net_of_exemptions=True)),
    )
    events = " UNION ALL ".join(
        intervals.events(interval, spans, f"{is_exempt} AS is_exempt, {sign} AS sign")
        for is_exempt, sign, interval in parts
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT m, is_exempt, {", ".join(f"sum(sign * {name})::int" for name in spans)}
            FROM ({events}) happened WHERE m <= %(now)s GROUP BY m, is_exempt
            """,
            selection.values,
        )
        return [
            _Step(at, is_exempt, Counts(counted=counted, completed=completed))
            for at, is_exempt, counted, completed in cursor.fetchall()
        ]


def _days(steps: Iterable[_Step], selection: Selection) -> Iterator[BurnDay]:
    """Yield each local day with what stood at its end."""
    changes: dict[date, list[int]] = defaultdict(lambda: [0, 0])
    for step in steps:
        sign = -1 if step.is_exempt else 1
        # What happened on a day is kept at the midnight that ends it.
        day = (step.at - _TICK).astimezone(selection.zone).date()
        changes[day][0] += sign * step.counts.counted
        changes[day][1] += sign * step.counts.completed
    last = (selection.as_of - _TICK).astimezone(selection.zone).date()
    counted, completed, has_begun = 0, 0, False
    for ahead in range((last - min(changes, default=last)).days + 1) if changes else ():
        day = min(changes) + timedelta(days=ahead)
        counted, completed = counted + changes[day][0], completed + changes[day][1]
        has_begun = has_begun or counted > 0
        if has_begun:
            yield BurnDay(day, completed, counted)


@dataclass(frozen=True)
class Rows:
    """A campaign's enrollments as pages of a list take them: their number, and slices that are read when asked for.

    What is open or past due comes by due date, the earliest first and what has none last, before what is completed; a
    list of completed ones goes by completion, the latest first. Each row says where it stands: see `with_places`.
    """

    scope: Scope
    selection: Selection | None
    show: Show
    number: int

    def count(self) -> int:
        """Return how many there are."""
        return self.number

    def __getitem__(self, part: slice) -> list[Any]:
        """Return the rows from one place up to another."""
        if self.selection is None:
            return []
        as_of, is_done = self.selection.as_of, self.show in _DONE
        first = part.start or 0
        # An array, found before anything else is: behind row-level security Postgres would read every enrollment to
        # see which of them are among the few.
        sql = f"""
            sync_enrollment.id = ANY (ARRAY(
                SELECT f.enrollment_id FROM ({_current(self.selection)}) f WHERE {_holds(self.show)}
                ORDER BY {_LATEST_FIRST if is_done else _BY_DUE_DATE} LIMIT %(limit)s OFFSET %(offset)s
            ))
        """
        values = {**self.selection.values, "limit": part.stop - first, "offset": first}
        is_among_them = RawSQL(*positional(sql, values), BooleanField())  # noqa: S611 - ours, with every value bound
        rows = list(with_places(self.scope.enrollments().filter(is_among_them), as_of))
        if is_done:
            return sorted(rows, key=lambda row: (-(row.completed_at or as_of).timestamp(), row.pk))
        return sorted(
            rows,
            key=lambda row: (row.state == State.COMPLETED, row.due_at is None, row.due_at or as_of, row.pk),
        )


def listed(
    scope: Scope,
    campaign: Campaign,
    show: Show,
    count: int,
    *,
    as_of: datetime,
    filters: Filters = Filters(),  # noqa: B008 - frozen
    basis: Basis = Basis.NOW,
) -> Rows:
    """Return the campaign's enrollments that one list holds, `count` of them: see `counts_by_show` and `count_listed`.

    The filters about people narrow; those about campaigns and states do not matter.
    """
    selection = select(scope, as_of=as_of, filters=_about_people(filters), basis=basis)
    return Rows(scope, replace(selection, campaigns=(campaign.pk,)) if selection else None, show, count)


def count_listed(
    scope: Scope,
    campaign: Campaign,
    *,
    as_of: datetime,
    filters: Filters = Filters(),  # noqa: B008 - frozen
    basis: Basis = Basis.NOW,
) -> dict[Show, int]:
    """Return how many enrollments of the people whom the filters select each list holds."""
    selection = select(scope, as_of=as_of, filters=_about_people(filters), basis=basis)
    if selection is None:
        return dict.fromkeys(Show, 0)
    sums = ", ".join(f"count(*) FILTER (WHERE {_holds(show)})" for show in Show)
    selection = replace(selection, campaigns=(campaign.pk,))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {sums} FROM ({_current(selection)}) f", selection.values)
        return dict(zip(Show, cursor.fetchone(), strict=True))


def counts_by_show(totals: Totals) -> dict[Show, int]:
    """Return how many enrollments each list holds, out of figures: the same without reading anything."""
    net = totals.net
    return {
        Show.ALL: net.counted,
        Show.PAST_DUE: net.past_due,
        Show.NOT_STARTED: net.not_started,
        Show.IN_PROGRESS: net.in_progress,
        Show.COMPLETED: net.completed,
        Show.LATE: net.completed_late,
        Show.EXEMPT: totals.exempt,
    }


def uncounted(scope: Scope, campaign: Campaign, *, as_of: datetime) -> QuerySet[Enrollment, Any]:
    """Return the enrollments of active people in a campaign that is in no figure, latest first."""
    rows = scope.enrollments().filter(metrics.standing(as_of), campaign=campaign)
    return with_places(rows, as_of).order_by("-enrolled_at", "pk")


def with_places(rows: QuerySet[Enrollment], as_of: datetime) -> QuerySet[Enrollment, Any]:
    """Return enrollments with their person, department, manager and content, and where each stands at a moment.

    `state` is one of `State`'s words, `is_late` whether it was completed after its due date.
    """
    return rows.select_related("person__department__merged_into", "person__manager", "content").annotate(
        state=metrics.state(as_of),
        is_late=Case(
            When(metrics.completed_late(as_of), then=Value(True)),
            default=Value(False),
            output_field=BooleanField(),
        ),
    )


def _about_people(filters: Filters) -> Filters:
    return Filters(
        departments=filters.departments, manager=filters.manager, whole_line=filters.whole_line, groups=filters.groups
    )


def _current(selection: Selection) -> str:
    return intervals.current_at("%(now)s", where=selection.of_facts, source=selection.facts)


def _holds(show: Show) -> str:
    if show == Show.EXEMPT:
        return IS_EXEMPT
    return f"({_STATES[show]}) AND NOT {IS_EXEMPT}"


def _states() -> Mapping[Show, str]:
    held = {name: f"({intervals.holds(INTERVALS[name], '%(now)s')})" for name in INTERVALS}
    return {
        Show.ALL: "true",
        Show.PAST_DUE: held["past_due"],
        Show.IN_PROGRESS: held["in_progress"],
        Show.COMPLETED: held["completed"],
        Show.LATE: held["completed_late"],
        Show.NOT_STARTED: f"NOT ({held['completed']} OR {held['past_due']} OR {held['in_progress']})",
    }


_STATES = _states()
_DONE = frozenset({Show.COMPLETED, Show.LATE})
_BY_DUE_DATE = "c <= %(now)s, d, f.enrollment_id"
_LATEST_FIRST = "c DESC, f.enrollment_id"
_TICK = timedelta(microseconds=1)
