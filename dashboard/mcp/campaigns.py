"""Training campaigns, by KnowBe4's ids, with Rollcall's figures."""

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, cast

from django.urls import reverse
from msgspec import Meta

from dashboard.figures.counts import figures_by
from dashboard.figures.selection import By, Filters
from dashboard.mcp.reading import Reader, campaign_not_found, listing, sliced
from dashboard.mcp.shapes import About, Arguments, Id, Listing, Page, PerPage, Shape, meaning
from dashboard.metrics import Totals, campaign_state
from dashboard.queries.campaigns import CampaignPlan, plans
from dashboard.queries.fields import CAMPAIGNS, CONTENT
from dashboard.queries.fields.campaigns import GROUP_PARTS
from dashboard.rate import Rate
from sync.models import Campaign as CampaignRow

Status = Literal["created", "scheduled", "active", "closed", "cancelled", "archived", "other"]


class CampaignContent(Shape):
    """One thing that a campaign asks people to do."""

    content_id: Annotated[int | None, meaning(CONTENT["content_id"])]
    content_type: str
    name: str


class CampaignGroup(Shape):
    """A group of KnowBe4 that a campaign is for."""

    group_id: Annotated[int, meaning(GROUP_PARTS[0])]
    name: str


class Campaign(Shape):
    """A training campaign and how far it is. Figures count what is in the caller's scope, without what is exempt."""

    campaign_id: Annotated[int, meaning(CAMPAIGNS["knowbe4_id"])]
    name: str
    status: Annotated[Status, meaning(CAMPAIGNS["state"])]
    reported_status: Annotated[str, meaning(CAMPAIGNS["reported_status"])]
    content: list[CampaignContent]
    groups: list[CampaignGroup]
    duration_type: str
    start_date: datetime | None
    end_date: datetime | None
    relative_duration: Annotated[str | None, meaning(CAMPAIGNS["relative_duration"])]
    auto_enroll: bool | None
    allow_multiple_enrollments: bool | None
    completion_percentage: Annotated[float | None, meaning(CAMPAIGNS["completion_rate"])]
    requirement: Annotated[str, meaning(CAMPAIGNS["requirement"])]
    trigger: Annotated[str, meaning(CAMPAIGNS["trigger"])]
    counted: Annotated[int, meaning(CAMPAIGNS["counted"])]
    completed: int
    in_progress: int
    not_started: int
    past_due: int


class Campaigns(Listing):
    """Campaigns, by their id."""

    about: About
    campaigns: list[Campaign]


class OneCampaign(Shape):
    """A campaign."""

    about: About
    campaign: Campaign


class ListCampaigns(Arguments):
    """Choice of campaigns."""

    status: Annotated[
        Status | None, Meta(description="Only campaigns of this status; other: of a word of KnowBe4's nobody knows.")
    ] = None
    page: Page = 1
    per_page: PerPage = 100


class GetCampaign(Arguments):
    """Choice of a campaign."""

    campaign_id: Annotated[Id, meaning(CAMPAIGNS["knowbe4_id"])]


def list_campaigns(reader: Reader, asked: ListCampaigns) -> Campaigns:
    """List training campaigns with their status, content, groups, dates and how far they are completed."""
    found = reader.scope.campaigns().order_by("knowbe4_id")
    if asked.status:
        found = found.annotate(state=campaign_state(reader.now)).filter(state=asked.status)
    keys = list(found.values_list("pk", flat=True))
    rows = _campaigns(reader, sliced(keys, asked.page, asked.per_page))
    return Campaigns(
        about=reader.about(reverse("campaigns"), {"campaign_state": asked.status}),
        campaigns=rows,
        **listing(asked.page, asked.per_page, len(keys)),
    )


def get_campaign(reader: Reader, asked: GetCampaign) -> OneCampaign:
    """Get one training campaign by KnowBe4's id."""
    found = campaign_of(reader, asked.campaign_id)
    return OneCampaign(
        about=reader.about(reverse("campaign", args=[found.pk])), campaign=_campaigns(reader, [found.pk])[0]
    )


def campaign_of(reader: Reader, campaign_id: int) -> CampaignRow:
    """Return the campaign that has KnowBe4's id; ToolError 404."""
    found = reader.scope.campaigns().filter(knowbe4_id=campaign_id).first()
    if found is None:
        raise campaign_not_found(campaign_id)
    return found


def floored(rate: Rate) -> float | None:
    """Return a rate in percent, rounded down to one decimal as pages show it; None when there is nothing to divide."""
    if not rate.denominator:
        return None
    return math.floor(rate.numerator * 1000 // rate.denominator) / 10


def _campaigns(reader: Reader, keys: Sequence[int]) -> list[Campaign]:
    if not keys:
        return []
    scope = reader.scope
    found = plans(scope.campaigns().filter(pk__in=keys), as_of=reader.now, with_parts=False)
    found.sort(key=lambda plan: plan.campaign.knowbe4_id)
    content = scope.content().in_bulk({key for plan in found for key in plan.campaign.content_ids})
    groups = scope.groups().in_bulk({key for plan in found for key in plan.campaign.group_ids})
    totals = {
        group.key: group.totals
        for group in figures_by(
            scope,
            By.CAMPAIGN,
            as_of=reader.now,
            filters=Filters(campaigns=frozenset(keys)),
            with_people=False,
        )
    }
    return [
        _campaign(
            plan,
            [
                CampaignContent(content_id=item.knowbe4_id, content_type=item.content_type, name=item.name)
                for key in plan.campaign.content_ids
                if (item := content.get(key)) is not None
            ],
            [
                CampaignGroup(group_id=group.knowbe4_id, name=group.name)
                for key in plan.campaign.group_ids
                if (group := groups.get(key)) is not None
            ],
            totals.get(plan.campaign.pk, Totals()),
        )
        for plan in found
    ]


def _campaign(
    plan: CampaignPlan, content: list[CampaignContent], groups: list[CampaignGroup], totals: Totals
) -> Campaign:
    row, counts = plan.campaign, totals.net
    return Campaign(
        campaign_id=row.knowbe4_id,
        name=row.name,
        status=cast(Status, plan.state.value),
        reported_status=row.reported_status,
        content=content,
        groups=groups,
        duration_type=row.duration_type,
        start_date=row.start_at,
        end_date=row.end_at,
        relative_duration=row.relative_duration or None,
        auto_enroll=row.auto_enroll,
        allow_multiple_enrollments=row.allow_multiple_enrollments,
        completion_percentage=floored(counts.completion_rate),
        requirement=plan.requirement.value,
        trigger=plan.trigger.value,
        counted=counts.counted,
        completed=counts.completed,
        in_progress=counts.in_progress,
        not_started=counts.not_started,
        past_due=counts.past_due,
    )
