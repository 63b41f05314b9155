"""Fields of campaigns, read from `queries.campaigns.CampaignRow`."""

from collections.abc import Callable
from dataclasses import replace
from operator import attrgetter
from typing import Any

from django.utils.translation import gettext_lazy as _

from dashboard.metrics import CampaignState, Requirement, State
from dashboard.models import Trigger
from dashboard.queries.fields.enrollments import CAMPAIGN, CAMPAIGN_ID, CONTENT
from dashboard.queries.fields.field import OWN_WORD, Field, Kind, by_name
from dashboard.queries.fields.people import PEOPLE

# Of each object of a campaign's lists: content and groups as the mirror has them.
CONTENT_PARTS = (
    replace(CONTENT["content_id"], of=attrgetter("knowbe4_id")),
    replace(CONTENT["content_source"], name="source", of=attrgetter("source")),
    replace(CONTENT["content"], name="name", of=attrgetter("name")),
    replace(CONTENT["content_type"], of=attrgetter("content_type")),
)
GROUP_PARTS = (
    Field("group_id", Kind.ID, "KnowBe4's id of the group; 0 is all users.", 0, of=attrgetter("knowbe4_id")),
    Field("name", Kind.TEXT, "The group's name.", "All Users", of=attrgetter("name")),
)


def _net(name: str) -> Callable[[Any], Any]:
    return attrgetter(f"totals.net.{name}")


FIGURES = by_name(
    Field("counted", Kind.INTEGER, "Enrollments that count at the moment, net of exemptions, of people in scope.", 412,
          label=_("Enrolled"), of=_net("counted")),
    replace(PEOPLE["completed"], of=_net("completed"), example=377),
    Field("completed_late", Kind.INTEGER, "Of these, completed after the due date.", 20,
          label=_("Completed late"), of=_net("completed_late")),
    replace(PEOPLE["past_due"], of=_net("past_due"), example=30),
    replace(PEOPLE["in_progress"], of=_net("in_progress"), example=3, label=State.IN_PROGRESS.label),
    Field("not_started", Kind.INTEGER, "Of these, none of it.", 2,
          label=State.NOT_STARTED.label, of=_net("not_started")),
    replace(PEOPLE["exempt"], of=attrgetter("totals.exempt"), example=4),
    Field("completion_rate", Kind.RATE, "Percent completed of what counts, rounded down to one decimal; null when "
          "nothing counts, not 0.", 91.5, True, label=_("Completion rate"), of=_net("completion_rate")),
    Field("on_time_rate", Kind.RATE, "Percent completed on time of those due, rounded down; null when none is.",
          86.1, True, label=_("On-time rate"), of=_net("on_time_rate")),
)  # fmt: skip
CAMPAIGNS = by_name(
    replace(CAMPAIGN_ID, name="knowbe4_id", sql="", of=attrgetter("campaign.knowbe4_id"), orm="knowbe4_id"),
    Field("campaign_id", Kind.ID, label=_("Campaign in Rollcall"), of=attrgetter("campaign.pk"), orm="pk",
          is_in_api=False),
    replace(CAMPAIGN, sql="", of=attrgetter("campaign.name"), orm="name", api="name"),
    Field("state", Kind.CHOICE, "What it is at as_of, in Rollcall's words; other: a word of KnowBe4's that nobody "
          "knows, in reported_status.", "active", words=dict(CampaignState.choices),
          label=_("State"), of=attrgetter("plan.state.value"), api="status"),
    Field("reported_status", Kind.TEXT, OWN_WORD, "In Progress",
          of=attrgetter("campaign.reported_status"), orm="reported_status"),
    Field("requirement", Kind.CHOICE, "Whether it counts for compliance; only required ones are in figures.",
          "required", words=dict(Requirement.choices),
          label=_("Requirement"), of=attrgetter("plan.requirement.value"), orm="requirement"),
    Field("trigger", Kind.CHOICE, "Why people are enrolled, as inferred or chosen.", "scheduled",
          words=dict(Trigger.choices), label=_("Trigger"), of=attrgetter("plan.trigger.value")),
    Field("audience", Kind.TEXT, label=_("Audience"), is_in_api=False),
    Field("content", Kind.OBJECTS, "What it asks people to do.",
          [{part.name: part.example for part in CONTENT_PARTS}], parts=CONTENT_PARTS, label=CONTENT["content"].label),
    Field("groups", Kind.OBJECTS, "Whom it is for.", [{part.name: part.example for part in GROUP_PARTS}],
          parts=GROUP_PARTS),
    Field("duration_type", Kind.TEXT, "KnowBe4's own words.", "Specific End Date",
          of=attrgetter("campaign.duration_type"), orm="duration_type"),
    Field("start_at", Kind.MOMENT, "When it starts.", "2026-09-01T06:00:00Z", True,
          label=_("Start"), of=attrgetter("campaign.start_at"), orm="start_at", api="start_date"),
    Field("end_at", Kind.MOMENT, "When it ends.", "2026-10-01T21:59:00Z", True,
          of=attrgetter("campaign.end_at"), orm="end_at", api="end_date"),
    Field("deadline", Kind.MOMENT, label=_("Deadline"), of=attrgetter("plan.deadline"), is_in_api=False),
    Field("relative_duration", Kind.TEXT, "Like \"2 weeks\" from each enrollment, in KnowBe4's own words; empty or "
          "null without one.", "",
          label=_("Time to complete"), of=attrgetter("campaign.relative_duration"), orm="relative_duration"),
    Field("auto_enroll", Kind.BOOLEAN, "Whether new members of its groups are enrolled.", True, True,
          of=attrgetter("campaign.auto_enroll")),
    Field("allow_multiple_enrollments", Kind.BOOLEAN, "Whether somebody can be enrolled again.", False, True,
          of=attrgetter("campaign.allow_multiple_enrollments")),
    Field("completion_percentage", Kind.INTEGER, "KnowBe4's own figure, of everybody; -1: it did not compute one. Null "
          "for who does not see everyone.", 91, True, of=attrgetter("campaign.completion_percentage")),
    *FIGURES.values(),
)  # fmt: skip
