"""Fields of people: who they are, and how they stand."""

from dataclasses import replace

from django.utils.translation import gettext_lazy as _

from dashboard.figures.names import NAME
from dashboard.metrics import State
from dashboard.queries.fields.field import Field, Kind, by_name
from sync.models.people import PersonStatus

# `metrics.days_past_due` in SQL, of what is past due.
DAYS_PAST_DUE = """
    greatest(((%(now)s::timestamptz - interval '1 microsecond') AT TIME ZONE %(zone)s)::date
             - ({due} AT TIME ZONE %(zone)s)::date, 1)
"""

# Of `f`, the row of a list of people: `figures` counts what the API tells, and pages and files bring their own.
PEOPLE = by_name(
    Field("person_knowbe4_id", Kind.ID, "KnowBe4's id of the user.", 33100001,
          label=_("Person in KnowBe4"), sql="person.knowbe4_id", orm="knowbe4_id", api="person_id"),
    Field("person_id", Kind.ID, label=_("Person in Rollcall"), sql="f.person_id", orm="pk", is_in_api=False),
    Field("person", Kind.TEXT, "First and last name, else the email.", "Ada Marsh",
          label=_("Person"), sql=NAME, is_in_api=False),
    Field("first_name", Kind.TEXT, "First name.", "Ada", sql="person.first_name", orm="first_name"),
    Field("last_name", Kind.TEXT, "Last name.", "Marsh", sql="person.last_name", orm="last_name"),
    Field("email", Kind.TEXT, "The person's email.", "ada.marsh@brackwater.example",
          label=_("Email"), sql="person.email", orm="email"),
    Field("employee_number", Kind.TEXT, "The employee number, empty without one.", "10042",
          label=_("Employee number"), sql="person.employee_number", orm="employee_number"),
    Field("job_title", Kind.TEXT, "Job title.", "Claims handler",
          label=_("Job title"), sql="person.job_title", orm="job_title"),
    Field("department", Kind.TEXT, "The department as figures count it; null for none.", "Claims", True,
          label=_("Department"), sql="nullif(department.name, '')"),
    Field("location", Kind.TEXT, "Location.", "Bremen", label=_("Location"), sql="person.location"),
    Field("division", Kind.TEXT, "Division.", "Operations", label=_("Division"), sql="person.division"),
    Field("organization", Kind.TEXT, "Organization.", "Brackwater Mutual", sql="person.organization"),
    Field("manager", Kind.TEXT, label=_("Manager"), is_in_api=False),
    Field("manager_email", Kind.TEXT, label=_("Manager's email"), is_in_api=False,
          sql="coalesce(above.email, CASE WHEN f.manager_id < 0 THEN person.manager_email END, '')"),
    Field("reported_manager", Kind.TEXT, "The manager's name as KnowBe4 has it.", "Rosa Okafor", True,
          sql="nullif(btrim(person.manager_name), '')", orm="manager_name", api="manager"),
    Field("reported_manager_email", Kind.TEXT, "The manager's email as KnowBe4 has it.",
          "rosa.okafor@brackwater.example", True,
          sql="nullif(person.manager_email, '')", orm="manager_email", api="manager_email"),
    Field("active", Kind.BOOLEAN, "Active at the moment.", True, label=_("Active"), sql="f.is_active",
          api="is_active"),
    Field("reported_status", Kind.CHOICE, "What KnowBe4 says now.", "active", words=dict(PersonStatus.choices),
          sql="person.status", orm="status"),
    Field("joined_at", Kind.MOMENT, "When they joined, as far as KnowBe4 says.", "2023-02-01T00:00:00Z", True,
          sql="f.joined_at", orm="joined_at"),
    Field("left_at", Kind.MOMENT, "When they left; null for who is active, or left at an unknown moment.", None, True),
    Field("last_sign_in_at", Kind.MOMENT, "Their last sign-in to KnowBe4.", "2026-11-02T09:12:00Z", True,
          sql="person.last_sign_in_at"),
    Field("assigned", Kind.INTEGER, "Enrollments that count at the moment, net of exemptions.", 7,
          label=_("Assigned")),
    Field("completed", Kind.INTEGER, "Of these, completed.", 5, label=State.COMPLETED.label),
    Field("in_progress", Kind.INTEGER, "Of these, started, neither completed nor past due.", 1),
    Field("past_due", Kind.INTEGER, "Of these, past due.", 1, label=State.PAST_DUE.label),
    Field("exempt", Kind.INTEGER, "Enrollments under an approved exemption.", 0, label=_("Exempt")),
    Field("oldest_due_at", Kind.MOMENT, "The oldest due date of what is past due.", "2026-10-01T21:59:00Z", True,
          label=_("Oldest due date")),
    Field("days_past_due", Kind.INTEGER, "Local days since the oldest due date, at least 1; null unless something is "
          "past due.", 12, True,
          label=_("Days past due"), is_in_api=False,
          sql=f"CASE WHEN f.oldest_due_at IS NOT NULL THEN {DAYS_PAST_DUE.format(due='f.oldest_due_at')} END"),
    Field("last_activity_at", Kind.MOMENT, "When they last began or completed anything that counts.",
          "2026-11-02T09:40:00Z", True, label=_("Last activity")),
    Field("risk_score", Kind.NUMBER, "KnowBe4's risk score of the last sync.", 31.4, True,
          label=_("Risk score"), sql="person.current_risk_score"),
    Field("phish_prone_percentage", Kind.NUMBER, "KnowBe4's figure of the last sync, in percent.", 14.2, True,
          sql="person.phish_prone_percentage"),
)  # fmt: skip


def of_person(name: str, *, is_in_api: bool = True) -> Field:
    """Return a field of people for rows that may be about nobody."""
    return replace(PEOPLE[name], can_be_null=True, is_in_api=is_in_api)
