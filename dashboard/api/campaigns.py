"""GET /campaigns and /campaigns/{campaign_id}."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from ninja import Query, Router
from pydantic import Field as Parameter

from dashboard.access import Scope
from dashboard.api.answers import One, Rows
from dashboard.api.calls import Call, fields_of, view_of
from dashboard.api.fields import Field, Kind
from dashboard.api.parameters import AsOf, Listed, Shown
from dashboard.exports.columns import share
from dashboard.figures.counts import figures_by
from dashboard.figures.selection import By, Filters
from dashboard.metrics import CampaignState, Requirement, Totals, campaign_state
from dashboard.models import Trigger
from dashboard.queries.campaigns import CampaignPlan, plans
from dashboard.rate import Rate
from dashboard.triggers import effective_trigger
from dashboard.web.problems import Problem
from sync.models import Campaign, ContentItem, Group
from sync.models.training import ContentType

router = Router(tags=["Training"])

_GROUP = (
    Field("group_id", Kind.INTEGER, "KnowBe4's id; 0 is everybody.", 0),
    Field("name", Kind.TEXT, "The group's name.", "All Users"),
)
_CONTENT = (
    Field("content_id", Kind.INTEGER, "KnowBe4's id, unique within its source.", 800123, True),
    Field("source", Kind.TEXT, "What it is.", "store_purchase", words=tuple(ContentItem.Source.values)),
    Field("name", Kind.TEXT, "The content's name.", "Spotting a fake invoice"),
    Field("content_type", Kind.TEXT, "The kind of content.", "Training Module", words=tuple(ContentType.values)),
)
_FIGURES = ("counted", "completed", "completed_late", "past_due", "in_progress", "not_started", "exempt")
FIELDS = (
    Field("campaign_id", Kind.INTEGER, "KnowBe4's id of the campaign.", 250012),
    Field("name", Kind.TEXT, "Its name.", "Autumn awareness 2026"),
    Field("status", Kind.TEXT, "What it is at the moment, in Rollcall's words.", "active",
          words=tuple(CampaignState.values)),
    Field("reported_status", Kind.TEXT, "KnowBe4's own word.", "In Progress"),
    Field("requirement", Kind.TEXT, "Whether it counts for compliance; only required ones are in figures.", "required",
          words=tuple(Requirement.values)),
    Field("trigger", Kind.TEXT, "Why people are enrolled, as inferred or chosen.", "scheduled",
          words=tuple(Trigger.values)),
    Field("content", Kind.OBJECTS, "What it asks people to do.",
          [{"content_id": 800123, "source": "store_purchase", "name": "Spotting a fake invoice",
            "content_type": "Training Module"}], parts=_CONTENT),
    Field("groups", Kind.OBJECTS, "Whom it is for.", [{"group_id": 0, "name": "All Users"}], parts=_GROUP),
    Field("duration_type", Kind.TEXT, "KnowBe4's own words.", "Specific End Date"),
    Field("start_date", Kind.MOMENT, "When it starts.", "2026-09-01T06:00:00Z", True),
    Field("end_date", Kind.MOMENT, "When it ends.", "2026-10-01T21:59:00Z", True),
    Field("relative_duration", Kind.TEXT, "KnowBe4's own words, empty without one.", ""),
    Field("auto_enroll", Kind.BOOLEAN, "Whether new members of its groups are enrolled.", True, True),
    Field("allow_multiple_enrollments", Kind.BOOLEAN, "Whether somebody can be enrolled again.", False, True),
    Field("completion_percentage", Kind.INTEGER,
          "KnowBe4's own figure, of everybody; -1: it did not compute one. Null for who does not see everyone.", 91,
          True),
    Field("counted", Kind.INTEGER, "Enrollments that count at the moment, net of exemptions, of people in scope.", 412),
    Field("completed", Kind.INTEGER, "Of these, completed.", 377),
    Field("completed_late", Kind.INTEGER, "Of these, completed after the due date.", 20),
    Field("past_due", Kind.INTEGER, "Of these, past due.", 30),
    Field("in_progress", Kind.INTEGER, "Of these, started, neither completed nor past due.", 3),
    Field("not_started", Kind.INTEGER, "Of these, none of it.", 2),
    Field("exempt", Kind.INTEGER, "Enrollments under an approved exemption.", 4),
    Field("completion_rate", Kind.NUMBER, "Percent completed, rounded down to one decimal; null when nothing counts.",
          91.5, True),
    Field("on_time_rate", Kind.NUMBER, "Percent completed on time of those due, rounded down; null when none is.",
          86.1, True),
)  # fmt: skip
_RATES = ("completion_rate", "on_time_rate")


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
    wanted = {field.name for field in fields}
    totals: dict[Any, Totals] = {}
    if found and not wanted.isdisjoint({*_FIGURES, *_RATES}):
        keys = frozenset(plan.campaign.pk for plan in found)
        groups = figures_by(
            call.scope, By.CAMPAIGN, as_of=call.as_of, filters=Filters(campaigns=keys), with_people=False
        )
        totals = {group.key: group.totals for group in groups}
    items = _by_key(call.scope.content(), (key for plan in found for key in plan.campaign.content_ids))
    groups_by_key = _by_key(call.scope.groups(), (key for plan in found for key in plan.campaign.group_ids))
    rows = []
    for plan in found:
        values = _values(call.scope, plan, totals.get(plan.campaign.pk, Totals()), items, groups_by_key)
        rows.append([*(values[field.name] for field in fields), plan.campaign.pk])
    return rows


def _values(
    scope: Scope, plan: CampaignPlan, totals: Totals, items: dict[int, ContentItem], groups: dict[int, Group]
) -> dict[str, Any]:
    row = plan.campaign
    net = totals.net
    return {
        "campaign_id": row.knowbe4_id,
        "name": row.name,
        "status": plan.state.value,
        "reported_status": row.reported_status,
        "requirement": plan.requirement.value,
        "trigger": plan.trigger.value,
        "content": [
            {
                "content_id": item.knowbe4_id,
                "source": item.source,
                "name": item.name,
                "content_type": item.content_type,
            }
            for key in row.content_ids
            if (item := items.get(key)) is not None
        ],
        "groups": [
            {"group_id": group.knowbe4_id, "name": group.name}
            for key in row.group_ids
            if (group := groups.get(key)) is not None
        ],
        "duration_type": row.duration_type,
        "start_date": row.start_at,
        "end_date": row.end_at,
        "relative_duration": row.relative_duration,
        "auto_enroll": row.auto_enroll,
        "allow_multiple_enrollments": row.allow_multiple_enrollments,
        "completion_percentage": row.completion_percentage if scope.sees_everyone else None,
        **{name: totals.exempt if name == "exempt" else getattr(net, name) for name in _FIGURES},
        "completion_rate": _percent(net.completion_rate),
        "on_time_rate": _percent(net.on_time_rate),
    }


def _percent(rate: Rate) -> float | None:
    """Return a rate in percent as it is shown: rounded down to one decimal; under a tenth as it is."""
    found = share(rate)
    return None if found is None else float(found * 100)


def _by_key(rows: QuerySet[Any], keys: Any) -> dict[int, Any]:
    return rows.in_bulk(list(set(keys)))
