"""A quarter as a report tells it: how it went, with what, what moved it, and who was excused."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery

from dashboard.access import Scope
from dashboard.figures.counts import DISTINCT, counts
from dashboard.figures.selection import Basis, By, Filters, Selection, select
from dashboard.figures.tallies import MomentTotals
from dashboard.local_days import local_midnight
from dashboard.metrics import CANCELLED_STATUSES, Counts
from dashboard.models import AccountSetting, Exemption
from dashboard.queries.trends import Period, Trend, periods, trend
from sync.models import Campaign, ContentItem

# The quarters of the chart, and those in which content is looked for: used in all three, it was not rotated for two.
SHOWN = 8
ROTATION = 3


@dataclass(frozen=True)
class CampaignRow:
    """A campaign that ran or fell due in the quarter: how it stood at the quarter's end, net of exemptions.

    `due_in_quarter` are its enrollments whose due date passed in the quarter, as far as they count at its end.
    """

    campaign: Campaign
    counts: Counts
    due_in_quarter: int


@dataclass(frozen=True)
class ContentRow:
    """Something people were asked to do in the quarter, and in how many quarters running, this one the last."""

    content: ContentItem
    campaigns: Sequence[Campaign]
    quarters: int
    is_retired: bool
    retires_at: datetime | None

    @property
    def is_stale(self) -> bool:
        """Whether it was not rotated for two quarters: used in this one and both before it."""
        return self.quarters >= ROTATION


@dataclass(frozen=True)
class Review:
    """One quarter. `trend` ends with it; `following` is the quarter after it.

    `target` is the rate the account aims at, in percent; without campaigns it is the usual one.
    """

    quarter: Period
    following: tuple[date, date]
    trend: Trend
    campaigns: Sequence[CampaignRow]
    next_campaigns: Sequence[Campaign]
    content: Sequence[ContentRow]
    exemptions: Sequence[Exemption]
    target: Decimal


def quarter_of(scope: Scope, first: date, *, as_of: datetime) -> Period | None:
    """Return the quarter that begins on a day, read at its end or at `as_of`; None while it has not begun."""
    if scope.account is None or local_midnight(first, scope.account.zone) >= as_of:
        return None
    end = _after(first)
    ends_at = local_midnight(end, scope.account.zone)
    return Period(first, end, min(ends_at, as_of), as_of < ends_at)


def latest_quarter(scope: Scope, *, as_of: datetime) -> Period:
    """Return the last quarter that has ended at `as_of`, at its end."""
    running, last = periods(scope, as_of=as_of, period=By.QUARTER, count=2)[::-1]
    return last if running.is_running else running


def review(
    scope: Scope,
    quarter: Period,
    *,
    filters: Filters = Filters(),  # noqa: B008 - frozen
    basis: Basis = Basis.NOW,
) -> Review | None:
    """Return the quarter's report as of its `at`; None for whoever sees nobody. ValueError for a filter by state."""
    selection = select(scope, as_of=quarter.at, filters=filters, basis=basis)
    if selection is None or scope.account is None:
        return None
    zone = scope.account.zone
    found = trend(scope, as_of=quarter.at, count=SHOWN, selection=selection)
    begins = [local_midnight(each.start, zone) for each in found.periods[-ROTATION:]]
    stood = counts(selection, By.CAMPAIGN, [*begins, quarter.at], people=DISTINCT)
    following = quarter.end, _after(quarter.end)
    everything = list(_campaigns(scope, selection).order_by("end_at", "name", "pk"))
    used = [
        {campaign.pk for campaign in everything if _is_used(campaign, stood[place : place + 2], begin, end)}
        for place, (begin, end) in enumerate(zip(begins, [*begins[1:], quarter.at], strict=True))
    ]
    next_ends = local_midnight(following[1], zone)
    next_begins = local_midnight(following[0], zone)
    return Review(
        quarter,
        following,
        found,
        _campaign_rows(everything, used[-1], stood),
        [
            campaign
            for campaign in everything
            if not _is_cancelled(campaign) and campaign.end_at and next_begins <= campaign.end_at < next_ends
        ],
        _content_rows(scope, everything, used, at=quarter.at),
        list(_in_force(scope, quarter.at)),
        next(
            (campaign.target for campaign in everything if campaign.target is not None), AccountSetting.DEFAULT_TARGET
        ),
    )


def _after(first: date) -> date:
    """Return the first day of the quarter after the one that begins on a day."""
    return date(first.year + (first.month == 10), (first.month + 2) % 12 + 1, 1)


def _campaigns(scope: Scope, selection: Selection) -> QuerySet[Any]:
    """Return the campaigns that are asked about, each with the account's target rate where one was set."""
    target = AccountSetting.objects.filter(account=OuterRef("account")).values("target_rate")
    campaigns = scope.campaigns().annotate(target=Subquery(target))
    return campaigns if selection.campaigns is None else campaigns.filter(pk__in=selection.campaigns)


def _is_cancelled(campaign: Campaign) -> bool:
    return campaign.reported_status.lower() in CANCELLED_STATUSES


def _is_used(campaign: Campaign, stood: Sequence[MomentTotals], begin: datetime, end: datetime) -> bool:
    """Return whether something of it fell due between two moments, or it ran then by its dates.

    A rolling campaign has no end of its own: it is used as long as something of it falls due.
    """
    before, after = (each.get(campaign.pk) for each in stood)
    if after is not None and after.net.due > (before.net.due if before else 0):
        return True
    if after is None or _is_cancelled(campaign) or campaign.start_at is None or campaign.end_at is None:
        return False
    return campaign.start_at < end and campaign.end_at >= begin


def _campaign_rows(everything: Iterable[Campaign], used: set[int], stood: Sequence[MomentTotals]) -> list[CampaignRow]:
    before, after = stood[-2:]
    rows = []
    for campaign in everything:
        if campaign.pk in used:
            counts = after[campaign.pk].net
            due = counts.due - (before[campaign.pk].net.due if campaign.pk in before else 0)
            rows.append(CampaignRow(campaign, counts, max(0, due)))
    return sorted(rows, key=lambda row: (-row.counts.people_past_due, row.campaign.name.casefold(), row.campaign.pk))


def _content_rows(
    scope: Scope, everything: Sequence[Campaign], used: Sequence[set[int]], *, at: datetime
) -> list[ContentRow]:
    """Return what the campaigns of the last of the quarters asked people to do: what needs a look first."""
    by_quarter: list[dict[int, list[Campaign]]] = []
    for campaigns in used:
        found: dict[int, list[Campaign]] = {}
        for campaign in everything:
            if campaign.pk in campaigns:
                for key in campaign.content_ids:
                    found.setdefault(key, []).append(campaign)
        by_quarter.append(found)
    rows = []
    for content in scope.content().filter(pk__in=by_quarter[-1]).order_by("name", "pk"):
        running = 0
        for quarter in reversed(by_quarter):
            if content.pk not in quarter:
                break
            running += 1
        retires_at = content.retirement_at
        is_retired = retires_at <= at if retires_at else bool(content.is_retired)
        rows.append(
            ContentRow(
                content,
                by_quarter[-1][content.pk],
                running,
                is_retired,
                retires_at if retires_at and retires_at > at else None,
            )
        )
    return sorted(rows, key=lambda row: (not row.is_retired, row.retires_at is None, not row.is_stale))


def _in_force(scope: Scope, at: datetime) -> QuerySet[Exemption]:
    """Return the approved exemptions that excuse somebody at a moment: those that figures leave out."""
    return (
        scope.exemptions()
        .filter(
            Q(ends_at__isnull=True) | Q(ends_at__gt=at),
            Q(ended_at__isnull=True) | Q(ended_at__gt=at),
            approved_at__isnull=False,
            starts_at__lte=at,
        )
        .select_related("person", "group", "campaign", "approved_by")
        .order_by("ends_at", "pk")
    )
