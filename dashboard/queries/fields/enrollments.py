"""Fields of enrollments, and of the content that they and campaigns name."""

from dataclasses import replace

from django.utils.translation import gettext_lazy as _

from dashboard.figures.counts import IS_EXEMPT
from dashboard.metrics import INTERVALS, State
from dashboard.queries.fields.field import Field, Kind, by_name
from dashboard.queries.fields.people import DAYS_PAST_DUE, PEOPLE, of_person
from dashboard.rollups import intervals
from sync.models import ContentItem
from sync.models.training import ContentType, DueSource


def held(name: str) -> str:
    """Return the SQL for whether an enrollment `f` is in a count at the moment."""
    return f"({intervals.holds(INTERVALS[name], '%(now)s')})"


_STATE = " ".join(
    f"WHEN {held(state.value)} THEN '{state.value}'" for state in (State.COMPLETED, State.PAST_DUE, State.IN_PROGRESS)
)
CONTENT = by_name(
    Field("content_id", Kind.ID, "KnowBe4's id, unique within its source; null where it gave none.", 800123, True,
          sql="content.knowbe4_id"),
    Field("content_source", Kind.CHOICE, "What the content is.", "store_purchase",
          words=dict(ContentItem.Source.choices), sql="content.source"),
    Field("content", Kind.TEXT, "The content's name.", "Spotting a fake invoice",
          label=_("Content"), sql="content.name", orm="content__name"),
    Field("content_type", Kind.CHOICE, "The kind of content.", "Training Module", words=dict(ContentType.choices),
          label=_("Content type"), sql="content.content_type", orm="content__content_type"),
)  # fmt: skip
CAMPAIGN_ID = Field("campaign_knowbe4_id", Kind.ID, "KnowBe4's id of the campaign.", 250012,
                     label=_("Campaign in KnowBe4"), sql="campaign.knowbe4_id", api="campaign_id")  # fmt: skip
CAMPAIGN = Field("campaign", Kind.TEXT, "The campaign's name.", "Autumn awareness 2026",
                  label=_("Campaign"), sql="campaign.name", orm="campaign__name")  # fmt: skip

# Of `f`, the row of a list of enrollments, with its moments as `rollups.intervals` names them.
ENROLLMENTS = by_name(
    Field("knowbe4_id", Kind.ID, "KnowBe4's id of the enrollment.", 450100001,
          label=_("Enrollment in KnowBe4"), sql="enrollment.knowbe4_id", orm="knowbe4_id", api="enrollment_id"),
    Field("enrollment_id", Kind.ID, label=_("Enrollment in Rollcall"), sql="f.enrollment_id", orm="pk",
          is_in_api=False),
    replace(of_person("person_knowbe4_id"), orm=""),
    replace(PEOPLE["person_id"], orm="person_id"),
    of_person("person"),
    *(replace(of_person(name, is_in_api=False), orm="") for name in ("job_title", "location", "division")),
    *(replace(of_person(name), orm="") for name in ("email", "employee_number", "department")),
    replace(PEOPLE["manager"], sql="coalesce(above.name, bare.name, '')"),
    PEOPLE["manager_email"],
    *(replace(of_person(name), orm="") for name in ("reported_manager", "reported_manager_email")),
    replace(CAMPAIGN_ID, can_be_null=True, label=""),
    replace(CAMPAIGN, can_be_null=True),
    *CONTENT.values(),
    Field("state", Kind.CHOICE, "Where it stands at as_of, counted or not: see is_counted. Completed after the due "
          "date is completed.", "past_due", words=dict(State.choices),
          label=_("Status"), sql=f"CASE {_STATE} ELSE '{State.NOT_STARTED.value}' END", orm="state"),
    Field("late", Kind.BOOLEAN, "Completed after the due date.", False,
          label=_("Completed late"), sql=f"{held('completed_late')} IS TRUE", api="is_late"),
    Field("counted", Kind.BOOLEAN, "Counted in figures at as_of; what is not can be past due, too.", True,
          sql="counted.it_is IS TRUE", orm="counts", api="is_counted"),
    Field("exempt", Kind.BOOLEAN, "Under an approved exemption: in gross figures, not in net ones.", False,
          label=_("Exempt"), sql=f"({IS_EXEMPT})", api="is_exempt"),
    Field("enrolled_at", Kind.MOMENT, "When the person was enrolled.", "2026-09-01T06:00:00Z",
          label=_("Enrolled"), sql="f.e", orm="enrolled_at"),
    Field("started_at", Kind.MOMENT, "When work began.", "2026-09-03T08:12:00Z", True,
          label=_("Started"), sql="CASE WHEN f.s <= %(now)s THEN f.s END", orm="started_at"),
    Field("completed_at", Kind.MOMENT, "When it was completed.", None, True,
          label=_("Completed"), sql="CASE WHEN f.c <= %(now)s THEN f.c END", orm="completed_at"),
    Field("due_at", Kind.MOMENT, "When it falls due, derived: KnowBe4's API gives no due date. Null where there is no "
          "deadline or none is known.", "2026-10-01T21:59:00Z", True,
          label=_("Due"), sql="nullif(f.d, 'infinity')", orm="due_at"),
    Field("due_source", Kind.CHOICE, "The rule that gave the due date.", "campaign_end",
          words=dict(DueSource.choices), label=_("Due date from"), sql="enrollment.due_source", orm="due_source"),
    Field("original_due_at", Kind.MOMENT, "The first due date.", "2026-10-01T21:59:00Z", True,
          label=_("Due at first"), sql="enrollment.original_due_at", orm="original_due_at"),
    replace(PEOPLE["days_past_due"], is_in_api=True,
            meaning="Local days since the due date, at least 1; null unless past due.",
            sql=f"CASE WHEN {held('past_due')} THEN {DAYS_PAST_DUE.format(due='f.d')} END"),
    Field("time_spent", Kind.INTEGER, "Seconds, as of the last sync.", 340,
          sql="enrollment.time_spent", orm="time_spent"),
    Field("minutes", Kind.INTEGER, label=_("Minutes spent"), sql="enrollment.time_spent / 60", is_in_api=False),
    Field("score", Kind.NUMBER, "KnowBe4's score.", 90.0, True,
          label=_("Score"), sql="enrollment.score", orm="score"),
    Field("acknowledged", Kind.BOOLEAN, "As KnowBe4 says, as of the last sync.", False, label=_("Policy acknowledged"),
          sql="enrollment.policy_acknowledged", orm="policy_acknowledged", api="policy_acknowledged"),
    Field("reported_status", Kind.TEXT, "KnowBe4's own word, as of the last sync.", "Past Due",
          label=_("KnowBe4's status"), sql="enrollment.reported_status", orm="reported_status"),
)  # fmt: skip
