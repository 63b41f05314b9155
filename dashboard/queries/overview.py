"""What the Overview shows, block by block: set-based, on a scope, as of a moment."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import connection
from django.db.models import (
    Case,
    Count,
    DateTimeField,
    Expression,
    ExpressionWrapper,
    F,
    Func,
    IntegerField,
    Min,
    Q,
    QuerySet,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Coalesce, TruncDate

from dashboard import metrics
from dashboard.access import Scope
from dashboard.metrics import Age, CampaignState, Rate, Summary
from sync.models import Campaign

WEEK = timedelta(days=7)
HISTORY_DAYS = 90


@dataclass(frozen=True)
class DepartmentRow:
    """One department: its active people, and its figures now and a week ago."""

    pk: int | None
    name: str
    people: int
    now: Summary
    week_ago: Summary

    @property
    def share(self) -> Rate:
        """People past due out of the department's active people."""
        return Rate(self.now.people_past_due, self.people)


def departments(scope: Scope, *, as_of: datetime) -> list[DepartmentRow]:
    """Return every department with people or counted enrollments, most people past due first, then by name.

    Departments are those of now. Spellings merged by an administrator count as the department they were merged into;
    people without a department are one row with an empty name.
    """
    home = Coalesce("person__department__merged_into", "person__department")
    counts: dict[int | None, Any] = {
        row["home"]: row
        for row in scope.enrollments()
        .filter(metrics.eligible())
        .values(
            home=home,
            name=Coalesce(
                "person__department__merged_into__name", "person__department__name", Value(""), output_field=TextField()
            ),
        )
        .annotate(**metrics.totals(as_of), **metrics.totals(as_of - WEEK, "before_"))
        .order_by("home")
    }
    people: dict[int | None, Any] = {
        row["home"]: row
        for row in scope.people()
        .filter(metrics.active(as_of))
        .values(
            home=Coalesce("department__merged_into", "department"),
            name=Coalesce("department__merged_into__name", "department__name", Value(""), output_field=TextField()),
        )
        .annotate(people=Count("pk"))
        .order_by("home")
    }
    rows = []
    for pk in people.keys() | counts.keys():
        row, staff = counts.get(pk), people.get(pk)
        rows.append(
            DepartmentRow(
                pk,
                (row or staff or {"name": ""})["name"],
                staff["people"] if staff else 0,
                Summary.read(row) if row else Summary(),
                Summary.read(row, "before_") if row else Summary(),
            )
        )
    rows = [row for row in rows if row.people or row.now.counted or row.week_ago.counted]
    return sorted(rows, key=lambda row: (-row.now.people_past_due, not row.name, row.name.casefold(), row.pk or 0))


@dataclass(frozen=True)
class Headline:
    """The figures of everybody in scope, now and a week ago."""

    people: int
    now: Summary
    week_ago: Summary


def headline(rows: Iterable[DepartmentRow]) -> Headline:
    """Add departments up to the whole: nobody is in two of them, so counts and people both add."""
    rows = list(rows)
    return Headline(
        sum(row.people for row in rows),
        sum((row.now for row in rows), Summary()),
        sum((row.week_ago for row in rows), Summary()),
    )


@dataclass(frozen=True)
class Day:
    """A local day and how many people it concerns."""

    date: date
    people: int


def past_due_by_day(scope: Scope, *, as_of: datetime, days: int = HISTORY_DAYS) -> list[Day]:
    """Return people past due at the end of each of the last `days` local days; the last is today, at `as_of`.

    Computed from today's facts, so it reaches back before the first sync.
    """
    zone = _zone(scope)
    today = as_of.astimezone(zone).date()
    dates = [today - timedelta(days=back) for back in range(days - 1, -1, -1)]
    moments = [metrics.local_midnight(day + timedelta(days=1), zone) for day in dates[:-1]] + [as_of]
    rows = (
        scope.enrollments()
        .filter(metrics.eligible(), due_at__lte=as_of)
        .annotate(until=metrics.past_due_until())
        .filter(Q(until__isnull=True) | Q(until__gt=moments[0]))
        .values_list(
            "person_id",
            _moments_before(metrics.past_due_from(), moments),
            _moments_before(metrics.past_due_until(), moments),
        )
        .order_by()
    )
    changes = _changes_by_moment(rows)
    people, found = 0, []
    for index, day in enumerate(dates):
        people += changes.get(index, 0)
        found.append(Day(day, people))
    return found


@dataclass(frozen=True)
class Moment:
    """The rates at one moment of the past."""

    at: datetime
    completion_rate: Rate
    on_time_rate: Rate


def rates_by_week(scope: Scope, *, as_of: datetime, weeks: int = 12) -> list[Moment]:
    """Return the completion and on-time rates at `as_of` and at the same hour of the weeks before, oldest first.

    One pass over the enrollments: each is reduced to the moments at which it begins to count, is completed, falls due
    and stops to count, and equal ones are counted together.
    """
    moments = [as_of - WEEK * back for back in range(weeks, -1, -1)]
    groups = (
        scope.enrollments()
        .filter(metrics.eligible(), enrolled_at__lte=as_of)
        .values(
            first=_moments_before("enrolled_at", moments),
            beyond=_moments_before(metrics.counted_until(), moments),
            done=_moments_before("completed_at", moments),
            due=_moments_before("due_at", moments),
            is_on_time=Case(When(completed_at__lte=F("due_at"), then=True), default=False),
        )
        .annotate(enrollments=Count("pk"))
        .order_by()
    )
    counted, completed, due, on_time = ([0] * len(moments) for _ in range(4))
    for group in groups:
        for index in range(group["first"], min(group["beyond"], len(moments))):
            counted[index] += group["enrollments"]
            if group["done"] <= index:
                completed[index] += group["enrollments"]
            if group["due"] <= index:
                due[index] += group["enrollments"]
                on_time[index] += group["enrollments"] if group["is_on_time"] else 0
    return [
        Moment(at, Rate(completed[index], counted[index]), Rate(on_time[index], due[index]))
        for index, at in enumerate(moments)
    ]


def _moments_before(moment: str | Expression, moments: list[datetime]) -> Coalesce:
    """Return how many moments lie before a column's: the index of the first at or after it. Null is after all."""
    expression = F(moment) if isinstance(moment, str) else moment
    before = Func(
        # width_bucket counts the moments at or before; a tick of Postgres' clock earlier, those strictly before.
        ExpressionWrapper(expression - Value(timedelta(microseconds=1)), output_field=DateTimeField()),
        Value(moments, output_field=ArrayField(DateTimeField())),
        function="width_bucket",
        output_field=IntegerField(),
    )
    return Coalesce(before, len(moments))


def _changes_by_moment(rows: QuerySet[Any, Any]) -> dict[int, int]:
    """Return by how many people the past due grow or shrink at each moment, by its index.

    `rows` are person, first moment and the moment beyond the last, by index. Raw SQL: the ORM cannot merge a person's
    overlapping intervals. A multirange merges them, so somebody with three open items is one person; its ends are +1
    and -1.
    """
    if rows.query.is_empty():
        return {}
    sql, params = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH covered (person_id, first, beyond) AS ({sql}),
            merged AS (
                SELECT unnest(range_agg(int4range(first, beyond))) AS span
                FROM covered WHERE first < beyond GROUP BY person_id
            )
            SELECT moment, sum(step) FROM (
                SELECT lower(span) AS moment, 1 AS step FROM merged
                UNION ALL
                SELECT upper(span), -1 FROM merged
            ) AS steps GROUP BY moment
            """,
            params,
        )
        return {moment: int(step) for moment, step in cursor.fetchall()}


@dataclass(frozen=True)
class AgeRow:
    """How many people's oldest past-due enrollment has this age."""

    age: Age
    people: int


def ageing(scope: Scope, *, as_of: datetime) -> list[AgeRow]:
    """Return people past due by the age of their oldest past-due enrollment; every age is listed, empty ones too."""
    oldest = (
        scope.enrollments()
        .filter(metrics.counted(as_of), metrics.past_due(as_of))
        .values("person")
        .annotate(oldest=Min("due_at"))
    )
    buckets = metrics.age_buckets(as_of, _zone(scope), "oldest")
    counts = oldest.aggregate(**{age.name: Count("person", filter=within) for age, within in buckets.items()})
    return [AgeRow(age, counts[age.name] or 0) for age in Age]


def due_soon_by_day(scope: Scope, *, as_of: datetime) -> list[Day]:
    """Return how many people have open work falling due on each local day from today, 14 days ahead.

    Someone with work due on two days is in both; their total is `Summary.people_due_soon`.
    """
    zone = _zone(scope)
    found = dict(
        scope.enrollments()
        .filter(metrics.counted(as_of), metrics.open_until(as_of, as_of + metrics.DUE_SOON))
        .values_list(TruncDate("due_at", tzinfo=zone))
        .annotate(people=Count("person", distinct=True))
        .order_by()
    )
    today = as_of.astimezone(zone).date()
    span = (today + timedelta(days=ahead) for ahead in range(metrics.DUE_SOON.days + 1))
    return [Day(day, found.get(day, 0)) for day in span]


@dataclass(frozen=True)
class CampaignRow:
    """A campaign with its state and figures; without counted enrollments every rate is empty."""

    campaign: Campaign
    state: CampaignState
    totals: Summary = field(default_factory=Summary)
    completed_late: int = 0
    in_progress: int = 0
    not_started: int = 0
    next_due_at: datetime | None = None

    @property
    def open(self) -> int:
        """Counted enrollments not completed and not past due."""
        return self.in_progress + self.not_started

    @property
    def is_rolling(self) -> bool:
        """Whether each person has a deadline of their own, counted from their enrollment."""
        return self.campaign.duration_type.lower().startswith("relative")


def campaigns(scope: Scope, *, as_of: datetime) -> list[CampaignRow]:
    """Return all campaigns with their figures: active first, latest deadline first within a state."""
    counts: dict[int, Any] = {
        row["campaign"]: row
        for row in scope.enrollments()
        .filter(metrics.eligible(), campaign__isnull=False)
        .values("campaign")
        .annotate(**metrics.totals(as_of), **metrics.states(as_of))
        .order_by("campaign")
    }
    rows = []
    for campaign in scope.campaigns().annotate(state=metrics.campaign_state(as_of)).order_by("name", "pk"):
        state = CampaignState(campaign.state)
        row = counts.get(campaign.pk)
        if row is None:
            rows.append(CampaignRow(campaign, state))
            continue
        rows.append(
            CampaignRow(
                campaign,
                state,
                Summary.read(row),
                row["completed_late"],
                row["in_progress"],
                row["not_started"],
                row["next_due_at"],
            )
        )
    order = {state: position for position, state in enumerate(CampaignState)}
    # Two stable sorts: the newest deadline first, then the states in their order.
    rows.sort(key=lambda row: _deadline(row) or datetime.max.replace(tzinfo=as_of.tzinfo), reverse=True)
    return sorted(rows, key=lambda row: order[row.state])


def _deadline(row: CampaignRow) -> datetime | None:
    return None if row.is_rolling else row.campaign.end_at or row.campaign.start_at


def next_deadlines(rows: Iterable[CampaignRow], *, limit: int = 5) -> list[CampaignRow]:
    """Return the campaigns whose open work falls due next, soonest first."""
    ahead = [row for row in rows if row.next_due_at is not None]
    return sorted(ahead, key=lambda row: (row.next_due_at, row.campaign.pk))[:limit]


def _zone(scope: Scope) -> Any:
    if scope.account is None:
        raise ValueError("A scope without an account has no days: its pages must not be asked for.")
    return scope.account.zone
