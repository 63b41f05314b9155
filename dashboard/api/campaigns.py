"""GET /campaigns and /campaigns/{campaign_id}."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import QuerySet
from ninja import Query, Router
from pydantic import Field as Parameter

from dashboard.access import Scope
from dashboard.api.answers import One, Rows
from dashboard.api.calls import Call, fields_of, view_of
from dashboard.api.parameters import AsOf, Listed, Shown
from dashboard.exports.columns import share
from dashboard.figures.counts import figures_by
from dashboard.figures.selection import By, Filters
from dashboard.metrics import CampaignState, Totals, campaign_state
from dashboard.models import Trigger
from dashboard.queries.campaigns import CampaignRow, plans
from dashboard.queries.fields import CAMPAIGNS, Field, Kind, of_api
from dashboard.queries.fields.campaigns import CONTENT_PARTS, FIGURES, GROUP_PARTS
from dashboard.rate import Rate
from dashboard.triggers import effective_trigger
from dashboard.web.problems import Problem
from sync.models import Campaign, ContentItem, Group

router = Router(tags=["Training"])

FIELDS = of_api(CAMPAIGNS)


class CampaignsAsked(AsOf, Listed):
    """Parameters of the list of campaigns."""

    status: list[CampaignState] = Parameter([], description="What the campaign is at the moment.")
    trigger: list[Trigger] = Parameter([], description="Why people are enrolled.")


class CampaignAsked(AsOf, Shown):
    """Parameters of one campaign."""


@router.get("/campaigns", url_name="api_campaigns", operation_id="list_campaigns", summary="Campaigns")
@view_of("GET /campaigns")
def campaigns(call: Call, asked: Query[CampaignsAsked]) -> Rows:
    """List the campaigns of people in scope, each with their figures at the moment."""
    fields = fields_of(FIELDS, asked)
    place = call.place(asked)
    found = call.scope.campaigns().filter(pk__gt=place.after)
    if asked.status:
        found = found.annotate(now=campaign_state(call.as_of)).filter(now__in=asked.status)
    if asked.trigger:
        found = found.annotate(why=effective_trigger()).filter(why__in=asked.trigger)
    keys = list(found.order_by("pk").values_list("pk", flat=True)[: asked.limit + 1])
    return call.page(fields, _rows(call, call.scope.campaigns().filter(pk__in=keys), fields), asked.limit)


@router.get(
    "/campaigns/{int:campaign_id}", url_name="api_campaign", operation_id="get_campaign", summary="One campaign"
)
@view_of("GET /campaigns/{campaign_id}")
def campaign(call: Call, campaign_id: int, asked: Query[CampaignAsked]) -> One:
    """Return one campaign by KnowBe4's id."""
    fields = fields_of(FIELDS, asked)
    rows = _rows(call, call.scope.campaigns().filter(knowbe4_id=campaign_id), fields)
    if not rows:
        raise Problem(404, "Campaign not found")
    return One(fields, rows[0][:-1])


def _rows(call: Call, campaigns: QuerySet[Campaign], fields: Sequence[Field]) -> list[list[Any]]:
    """Return the campaigns by key, the key as the last value of each."""
    found = sorted(plans(campaigns, as_of=call.as_of, with_parts=False), key=lambda plan: plan.campaign.pk)
    totals: dict[Any, Totals] = {}
    if found and any(field.name in FIGURES for field in fields):
        keys = frozenset(plan.campaign.pk for plan in found)
        groups = figures_by(
            call.scope, By.CAMPAIGN, as_of=call.as_of, filters=Filters(campaigns=keys), with_people=False
        )
        totals = {group.key: group.totals for group in groups}
    items = _by_key(call.scope.content(), (key for plan in found for key in plan.campaign.content_ids))
    groups_by_key = _by_key(call.scope.groups(), (key for plan in found for key in plan.campaign.group_ids))
    rows = []
    for plan in found:
        row = CampaignRow(plan, totals.get(plan.campaign.pk, Totals()))
        own = _own(call.scope, row.campaign, items, groups_by_key)
        values = (own[field.name] if field.name in own else _value(field, row) for field in fields)
        rows.append([*values, row.campaign.pk])
    return rows


def _value(field: Field, row: Any) -> Any:
    value: Any = field.of(row) if field.of else None
    return _percent(value) if field.kind == Kind.RATE else value


def _own(scope: Scope, row: Campaign, items: dict[int, ContentItem], groups: dict[int, Group]) -> dict[str, Any]:
    """Return what is not to be read from a campaign alone."""
    found: dict[str, Any] = {
        "content": _objects(CONTENT_PARTS, (items.get(key) for key in row.content_ids)),
        "groups": _objects(GROUP_PARTS, (groups.get(key) for key in row.group_ids)),
    }
    return found if scope.sees_everyone else {**found, "completion_percentage": None}


def _objects(parts: Sequence[Field], rows: Iterable[Any]) -> list[dict[str, Any]]:
    return [{part.name: _value(part, row) for part in parts} for row in rows if row is not None]


def _percent(rate: Rate) -> float | None:
    """Return a rate in percent as it is shown: rounded down to one decimal; under a tenth as it is."""
    found = share(rate)
    return None if found is None else float(found * 100)


def _by_key(rows: QuerySet[Any], keys: Any) -> dict[int, Any]:
    return rows.in_bulk(list(set(keys)))
