"""Blocks of the Overview: on a scope, as of a moment, net of exemptions.

Figures come from tallies, so their cost does not grow with the number of enrollments; what falls due comes from the
open work of the campaigns that have any.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db import connection
from django.db.models import Case, DateTimeField, Exists, F, OuterRef, Q, QuerySet, Subquery, When

from dashboard import metrics
from dashboard.access import Scope
from dashboard.figures.counts import DISTINCT, counts, figures_by
from dashboard.figures.selection import Basis, By, Filters, Selection, select
from dashboard.figures.series import Point, daily_and_by
from dashboard.local_days import local_midnight
from dashboard.metrics import CampaignState, Counts
from dashboard.models import ExemptSpan, Fact
from dashboard.queries.past_due import AgeGroup
from dashboard.queries.past_due_found import PastDueGroup, Spread
from dashboard.queries.past_due_groups import PastDue
from dashboard.rate import Rate
from sync.models import Campaign

WEEK_DAYS = 7
HISTORY_DAYS = 90
MOST_MANAGERS = 6


@dataclass(frozen=True)
class Day:
    """A local day and how many people it concerns."""

    date: date
    people: int


@dataclass(frozen=True)
class Headline:
    """The figures of everybody in scope, and what they were at the end of the same weekday a week before."""

    now: Counts
    week_ago: Counts
    week_ago_date: date
    exempt: int = 0

    @property
    def people(self) -> int:
        """Active people, whatever they are enrolled in."""
        return self.now.people_active


@dataclass(frozen=True)
class DepartmentRow:
    """One department and its figures; 0 and no name for people without one.

    `trail` is how many people were past due at the end of each week; empty where that would take too long to count, and
    before anybody in scope was enrolled.
    """

    pk: int
    name: str
    now: Counts
    trail: tuple[int, ...] = ()

    @property
    def people(self) -> int:
        """Active people, whatever they are enrolled in."""
        return self.now.people_active

    @property
    def share(self) -> Rate:
        """People past due out of the department's active people."""
        return Rate(self.now.people_past_due, self.people)


@dataclass(frozen=True)
class CampaignRow:
    """A campaign with its state and figures; without counted enrollments every rate is empty."""

    campaign: Campaign
    state: CampaignState
    totals: Counts = field(default_factory=Counts)
    next_due_at: datetime | None = None

    @property
    def open(self) -> int:
        """Counted enrollments not completed and not past due."""
        return self.totals.in_progress + self.totals.not_started

    @property
    def is_rolling(self) -> bool:
        """Whether each person has a deadline of their own, counted from their enrollment."""
        return self.campaign.duration_type.lower().startswith("relative")


@dataclass(frozen=True)
class DueSoon:
    """People with open work that falls due within `metrics.DUE_SOON`, each once, and those of each local day.

    Somebody with work due on two days is in both.
    """

    people: int
    days: tuple[Day, ...]


@dataclass(frozen=True)
class Overview:
    """Everything the Overview counts, as of one moment."""

    headline: Headline
    history: tuple[Point, ...]
    departments: tuple[DepartmentRow, ...]
    campaigns: tuple[CampaignRow, ...]
    due_soon: DueSoon
    spread: Spread

    @property
    def ages(self) -> list[AgeGroup]:
        """People past due by the age of their oldest item."""
        return [AgeGroup(age, people=people) for age, people in self.spread.ages.items()]

    @property
    def managers(self) -> list[PastDueGroup]:
        """Managers of whose direct reports some are past due, the most first; the first `MOST_MANAGERS` have names."""
        return [group for group in self.spread.groups if group.key]

    @property
    def past_due_by_day(self) -> list[Day]:
        """People past due at the end of each day of the history; the last at the moment itself."""
        return [Day(point.date, point.totals.net.people_past_due) for point in self.history]


def overview(scope: Scope, *, as_of: datetime, basis: Basis = Basis.NOW) -> Overview:
    """Return everything the Overview counts; zeros for whoever sees nobody.

    The basis tells whose department and manager count, and so bears on nothing but departments and managers.
    """
    placed = selection = select(scope, as_of=as_of, filters=Filters())
    points, groups, trails = daily_and_by(scope, By.DEPARTMENT, as_of=as_of, days=HISTORY_DAYS, selection=selection)
    if basis != Basis.NOW:
        groups, trails = figures_by(scope, By.DEPARTMENT, as_of=as_of, basis=basis), {}
        placed = select(scope, as_of=as_of, filters=Filters(), basis=basis)
    if trails and not _has_facts_before(scope, points[0].at):
        trails = {}
    now, week_ago = points[-1], points[-1 - WEEK_DAYS]
    rows = [DepartmentRow(int(group.key), group.name, group.totals.net, trails.get(group.key, ())) for group in groups]
    counts = _by_campaign(scope, selection)
    return Overview(
        headline=Headline(now.totals.net, week_ago.totals.net, week_ago.date, now.totals.exempt),
        history=tuple(points),
        departments=tuple(
            sorted(rows, key=lambda row: (-row.now.people_past_due, not row.name, row.name.casefold(), row.pk))
        ),
        campaigns=tuple(_campaigns(scope, selection, counts, as_of=as_of)),
        due_soon=_due_soon(scope, selection, counts, as_of=as_of),
        spread=PastDue(placed, By.MANAGER).spread(most=MOST_MANAGERS + 1),
    )


def _has_facts_before(scope: Scope, moment: datetime) -> bool:
    """Return whether somebody in scope was enrolled before a moment.

    Tallies have trails since the account's first enrollment: to show them then would tell when others had theirs.
    """
    if scope.sees_everyone or scope.account is None:
        return True
    return Fact.objects.filter(scope.placed(), account_id=scope.account.pk, enrolled_at__lt=moment).exists()


def _by_campaign(scope: Scope, selection: Selection | None) -> dict[int, Counts]:
    """Return the figures of each campaign by its key; 0 is enrollments whose campaign KnowBe4 does not list."""
    if selection is None:
        return {}
    (found,) = counts(selection, By.CAMPAIGN, [selection.as_of], people=DISTINCT)
    return {key: totals.net for key, totals in found.items()}


def _campaigns(
    scope: Scope, selection: Selection | None, counts: Mapping[int, Counts], *, as_of: datetime
) -> list[CampaignRow]:
    """Return all campaigns: active first, latest deadline first within a state."""
    next_due_at = _open_work(selection).filter(campaign_id=OuterRef("pk")).order_by("due_at").values("due_at")
    found = (
        scope.campaigns()
        .annotate(
            state=metrics.campaign_state(as_of),
            next_due_at=Case(
                When(pk__in=_with_open_work(counts), then=Subquery(next_due_at[:1])), output_field=DateTimeField()
            ),
        )
        .only("knowbe4_id", "name", "reported_status", "duration_type", "relative_duration", "start_at", "end_at")
        .order_by("name", "pk")
    )
    rows = [
        CampaignRow(campaign, CampaignState(campaign.state), counts.get(campaign.pk, Counts()), campaign.next_due_at)
        for campaign in found
    ]
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


# Open work --------------------------------------------------------------------------------------------------------


def _with_open_work(counts: Mapping[int, Counts]) -> list[int]:
    """Return the campaigns some of whose enrollments are neither completed nor past due."""
    return sorted(key for key, each in counts.items() if each.counted > each.completed + each.past_due)


def _open_work(selection: Selection | None, until: datetime | None = None) -> QuerySet[Fact]:
    """Return the facts that count, are not completed, and fall due after the moment (and by `until`).

    An index holds the facts of each campaign by their due dates.
    """
    if selection is None:
        return Fact.objects.none()
    as_of = selection.as_of
    work = Fact.objects.filter(
        metrics.open_until(as_of, until),
        Q(until__isnull=True) | Q(until__gt=as_of),
        account_id=selection.account.pk,
        enrolled_at__lte=as_of,
    )
    if not selection.has_exemptions:
        return work
    return work.exclude(Exists(ExemptSpan.objects.filter(enrollment_id=OuterRef("pk"), during__contains=as_of)))


def _due_soon(scope: Scope, selection: Selection | None, counts: Mapping[int, Counts], *, as_of: datetime) -> DueSoon:
    """Return who has work due soon, from the moment's local day to the one on which `metrics.DUE_SOON` ends."""
    if scope.account is None:
        raise ValueError("A scope without an account has no days: its pages must not be asked for.")
    zone = scope.account.zone
    today = as_of.astimezone(zone).date()
    last = (as_of + metrics.DUE_SOON).astimezone(zone).date()
    days = [today + timedelta(days=ahead) for ahead in range((last - today).days + 1)]
    counts_of, campaigns = [0] * (len(days) + 1), _with_open_work(counts)
    if selection is not None and campaigns:
        work = _open_work(selection, as_of + metrics.DUE_SOON).filter(campaign_id__in=campaigns)
        sql, params = work.values_list("person_id", F("due_at")).order_by().query.sql_with_params()
        # Raw SQL: each person once with a bit for each of their days, from one reading of the facts.
        place_of = "width_bucket(due_at, %s::timestamptz[])"
        of_each = ", ".join(f"(count(*) FILTER (WHERE days & {1 << place} <> 0))::int" for place in range(len(days)))
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                SELECT count(*)::int, {of_each} FROM (
                    SELECT bit_or(1 << {place_of}) AS days FROM ({sql}) work (person_id, due_at) GROUP BY person_id
                ) person
                """,
                [[local_midnight(day, zone) for day in days[1:]], *params],
            )
            counts_of = cursor.fetchone()
    everybody, *by_day = counts_of
    return DueSoon(everybody, tuple(Day(day, people) for day, people in zip(days, by_day, strict=True)))
