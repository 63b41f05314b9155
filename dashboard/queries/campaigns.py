"""Campaigns as lists show them: state, deadline, audience, content, trigger and figures."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db.models import JSONField, QuerySet, Value
from django.db.models.expressions import RawSQL

from dashboard.access import Scope
from dashboard.figures.counts import figures_by
from dashboard.figures.selection import Basis, By, Filters
from dashboard.metrics import CampaignState, Requirement, Totals, campaign_state
from dashboard.models import CampaignSetting, InferredTrigger, Trigger
from dashboard.models.settings import ALL_USERS
from dashboard.triggers import effective_trigger
from sync.models import Campaign


class Sort(StrEnum):
    """Order of a list of campaigns. `STATE`: active first, the latest deadline (else start) first in each."""

    STATE = "state"
    NAME = "name"
    DEADLINE = "deadline"
    COUNTED = "counted"
    COMPLETION = "completion"
    ON_TIME = "on_time"
    PAST_DUE = "past_due"


@dataclass(frozen=True)
class Content:
    """One thing a campaign asks people to do; `duration` in minutes, None where KnowBe4 tells none."""

    name: str
    content_type: str
    duration: int | None
    is_retired: bool


@dataclass(frozen=True)
class CampaignPlan:
    """Plan of a campaign, whatever has come of it: its state, deadline, audience, content and trigger."""

    campaign: Campaign
    state: CampaignState
    requirement: Requirement
    trigger: Trigger
    is_trigger_chosen: bool
    inferred: InferredTrigger | None
    groups: tuple[str, ...]
    is_for_everybody: bool
    content: tuple[Content, ...]

    @property
    def is_rolling(self) -> bool:
        """Whether each person has a deadline of their own, counted from their enrollment."""
        return self.campaign.duration_type.lower().startswith("relative")

    @property
    def deadline(self) -> datetime | None:
        """The day on which all of it falls due; None for a rolling campaign, and for one without a deadline."""
        return self.campaign.end_at if self.campaign.duration_type.lower().startswith("specific") else None

    @property
    def is_over(self) -> bool:
        """Whether it does not run any more."""
        return self.state in {CampaignState.CLOSED, CampaignState.CANCELLED, CampaignState.ARCHIVED}

    @property
    def is_counted(self) -> bool:
        """Whether its enrollments are in figures: neither optional nor excluded nor cancelled."""
        return self.requirement == Requirement.REQUIRED and self.state != CampaignState.CANCELLED

    @property
    def minutes(self) -> int:
        """Minutes that its content takes, as far as KnowBe4 says."""
        return sum(item.duration or 0 for item in self.content)


@dataclass(frozen=True)
class CampaignRow:
    """A campaign and its figures; without counted enrollments every rate is empty."""

    plan: CampaignPlan
    totals: Totals

    @property
    def campaign(self) -> Campaign:
        """The campaign itself."""
        return self.plan.campaign


def plans(campaigns: QuerySet[Campaign], *, as_of: datetime, with_parts: bool = True) -> list[CampaignPlan]:
    """Return what each of the campaigns is at `as_of`, by name; one query for any number of them.

    Without parts their groups and content stay empty: for whoever reads those by the keys that the campaign has.
    """
    parts: dict[str, Any] = (
        {"audience": _AUDIENCE, "asked": _CONTENT}
        if with_parts
        else dict.fromkeys(("audience", "asked"), Value([], JSONField()))
    )
    found = (
        campaigns.annotate(state=campaign_state(as_of), cause=effective_trigger(), **parts)
        .select_related("setting", "inferred_trigger")
        .order_by("name", "pk")
    )
    return [_plan(campaign) for campaign in found]


def _plan(campaign: Any) -> CampaignPlan:
    setting: CampaignSetting | None = getattr(campaign, "setting", None)
    return CampaignPlan(
        campaign=campaign,
        state=CampaignState(campaign.state),
        requirement=Requirement(setting.requirement) if setting else Requirement.REQUIRED,
        trigger=Trigger(campaign.cause),
        is_trigger_chosen=bool(setting and setting.trigger),
        inferred=getattr(campaign, "inferred_trigger", None),
        groups=tuple(group["name"] for group in campaign.audience if group["id"] != ALL_USERS),
        is_for_everybody=any(group["id"] == ALL_USERS for group in campaign.audience),
        content=tuple(Content(**item) for item in campaign.asked),
    )


# Raw SQL: the ORM does not join along an array of ids. Publish finds them among the account's own rows.
_AUDIENCE = RawSQL(
    """
    (SELECT coalesce(jsonb_agg(jsonb_build_object('id', g.knowbe4_id, 'name', g.name) ORDER BY g.name, g.id), '[]')
     FROM sync_group g WHERE g.id = ANY(sync_campaign.group_ids))
    """,
    [],
    JSONField(),
)
_CONTENT = RawSQL(
    """
    (SELECT coalesce(jsonb_agg(
        jsonb_build_object('name', c.name, 'content_type', c.content_type, 'duration', c.duration,
                           'is_retired', c.is_retired IS TRUE) ORDER BY place), '[]')
     FROM unnest(sync_campaign.content_ids) WITH ORDINALITY AS item (id, place) JOIN sync_contentitem c USING (id))
    """,
    [],
    JSONField(),
)


def campaigns(
    scope: Scope,
    *,
    as_of: datetime,
    filters: Filters = Filters(),  # noqa: B008 - frozen
    basis: Basis = Basis.NOW,
) -> list[CampaignRow]:
    """Return every campaign of the account, by name, with the figures of what the filters select.

    No campaign is left out: see `narrowed`. People are counted where no filter narrows whom or what a campaign's
    figures are about; otherwise their counts are 0.
    """
    # Which campaigns are shown changes no campaign's figures; nor does whose department counts, if none is asked for.
    about_rows = Filters(
        departments=filters.departments,
        manager=filters.manager,
        whole_line=filters.whole_line,
        content_types=filters.content_types,
        groups=filters.groups,
        states=filters.states,
    )
    is_whole = about_rows == Filters(whole_line=filters.whole_line)
    places_people = bool(filters.departments) or filters.manager is not None
    totals = {
        group.key: group.totals
        for group in figures_by(
            scope,
            By.CAMPAIGN,
            as_of=as_of,
            filters=about_rows,
            basis=basis if places_people else Basis.NOW,
            with_people=is_whole,
        )
    }
    return [CampaignRow(plan, totals.get(plan.campaign.pk, Totals())) for plan in plans(scope.campaigns(), as_of=as_of)]


def narrowed(
    rows: Iterable[CampaignRow], filters: Filters, *, requirements: frozenset[str] = frozenset(), name: str = ""
) -> list[CampaignRow]:
    """Return the rows whose campaign passes the filters about campaigns; `name` is a part of it, in any case."""
    wanted = " ".join(name.casefold().split())
    return [
        row
        for row in rows
        if (not filters.campaigns or row.campaign.pk in filters.campaigns)
        and (not filters.campaign_states or row.plan.state in filters.campaign_states)
        and (not filters.triggers or row.plan.trigger in filters.triggers)
        and (not requirements or row.plan.requirement in requirements)
        and (not filters.content_types or any(i.content_type in filters.content_types for i in row.plan.content))
        and (not wanted or wanted in " ".join(str(row.campaign).casefold().split()))
    ]


def ordered(rows: Iterable[CampaignRow], sort: Sort, *, is_descending: bool = False) -> list[CampaignRow]:
    """Return the rows in order; what has no such value comes last either way, ties are by name."""
    by_name = sorted(rows, key=lambda row: (str(row.campaign).casefold(), row.campaign.pk))
    if sort == Sort.NAME:
        return by_name[::-1] if is_descending else by_name
    if sort == Sort.STATE:
        place = {state: position for position, state in enumerate(CampaignState)}
        latest = sorted(by_name, key=_deadline_or_start, reverse=True)
        return sorted(latest, key=lambda row: place[row.plan.state], reverse=is_descending)
    known = [(value, row) for row in by_name if (value := _value(row, sort)) is not None]
    without = [row for row in by_name if _value(row, sort) is None]
    return [row for _, row in sorted(known, key=lambda pair: pair[0], reverse=is_descending)] + without


def next_deadline(rows: Sequence[CampaignRow], as_of: datetime) -> CampaignRow | None:
    """Return the active campaign with open work whose deadline comes next; None without one.

    Rolling campaigns have a deadline for each person, and are passed over.
    """
    ahead = [
        row
        for row in rows
        if row.plan.state == CampaignState.ACTIVE
        and row.plan.deadline is not None
        and row.plan.deadline > as_of
        and row.totals.net.completed < row.totals.net.counted
    ]
    return min(ahead, key=lambda row: (row.plan.deadline, row.campaign.pk), default=None)


def _deadline_or_start(row: CampaignRow) -> float:
    moment = row.plan.deadline or row.campaign.start_at
    return moment.timestamp() if moment else 0.0


def _value(row: CampaignRow, sort: Sort) -> Any:
    counts = row.totals.net
    if sort == Sort.DEADLINE:
        return row.plan.deadline
    if not counts.counted:
        return None
    if sort == Sort.COMPLETION:
        return counts.completion_rate.percent
    if sort == Sort.ON_TIME:
        return counts.on_time_rate.percent
    return counts.past_due if sort == Sort.PAST_DUE else counts.counted
