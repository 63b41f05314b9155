"""Rollups: they make numbers independent of the number of enrollments; written by `dashboard.rollups` alone.

Nothing here is a source of truth: all of it follows from the mirror and the settings, and can be built again.
"""

from django.contrib.postgres.fields import DateTimeRangeField
from django.db import models
from django.db.models.functions import Greatest
from django.db.models.lookups import LessThan

from sync.models.training import ContentType

# Content types as small numbers: a million rows carry them. A number once given is never given again.
CONTENT_TYPE_CODES = {
    ContentType.OTHER: 0,
    ContentType.MODULE: 1,
    ContentType.VIDEO: 2,
    ContentType.GAME: 3,
    ContentType.ASSESSMENT: 4,
    ContentType.POLICY: 5,
    ContentType.NEWSLETTER: 6,
    ContentType.POSTER: 7,
}


class PastDueEnds(models.Func):
    """End of being past due: as it is completed, or counts no more; never is infinity."""

    template = "least(%(expressions)s, 'infinity'::timestamptz)"
    output_field = models.DateTimeField()


class Fact(models.Model):
    """An enrollment that can count: its moments beside all it is filtered and grouped by.

    `until` is when it stops counting in current figures (removed, or its person left; null: it still counts), `left_at`
    when its person left. Department, manager and campaign are 0 when there is none; a manager known by name only has a
    negative key made from the name. The department is the one its spelling is merged into.
    """

    enrollment = models.OneToOneField(
        "sync.Enrollment", primary_key=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="fact"
    )
    account_id = models.BigIntegerField()
    person_id = models.BigIntegerField()
    department_id = models.BigIntegerField()
    manager_id = models.BigIntegerField()
    campaign_id = models.BigIntegerField()
    content_type = models.SmallIntegerField()
    enrolled_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)
    left_at = models.DateTimeField(null=True)
    until = models.DateTimeField(null=True)
    is_due_unknown = models.BooleanField()
    is_acknowledged = models.BooleanField()

    class Meta:
        indexes = [
            models.Index("account_id", "person_id", name="fact_by_person"),
            # Of a campaign all, or what falls due in a time.
            models.Index("account_id", "campaign_id", "due_at", name="fact_by_campaign_due"),
            models.Index("account_id", "department_id", name="fact_by_department"),
            models.Index("account_id", "manager_id", name="fact_by_manager"),
            # What was ever past due, by when it ceased to be and when it began: a range of it is what was at a moment.
            models.Index(
                "account_id",
                PastDueEnds("completed_at", "until"),
                Greatest("due_at", "enrolled_at"),
                name="fact_past_due",
                condition=models.Q(due_at__isnull=False)
                & models.Q(LessThan(Greatest("due_at", "enrolled_at"), PastDueEnds("completed_at", "until"))),
            ),
            # What ceased to count, by when; with all that a passport asks of it, so that it is read from here alone.
            models.Index(
                fields=["account_id", "until"],
                name="fact_ceased",
                condition=models.Q(until__isnull=False),
                include=["enrolled_at", "removed_at", "department_id", "manager_id"],
            ),
        ]

    def __str__(self) -> str:
        return f"Fact of enrollment {self.enrollment_id}"


class ExemptSpan(models.Model):
    """A time in which an enrollment is under an approved exemption. Spans of one enrollment never touch."""

    enrollment_id = models.BigIntegerField()
    account_id = models.BigIntegerField()
    during = DateTimeRangeField()

    class Meta:
        indexes = [
            models.Index("enrollment_id", name="exempt_span_by_enrollment"),
            models.Index("account_id", name="exempt_span_by_account"),
        ]

    def __str__(self) -> str:
        return f"Enrollment {self.enrollment_id} exempt {self.during}"


class Grain(models.IntegerChoices):
    """Key that a tally is kept by."""

    DEPARTMENT = 1, "Department"
    MANAGER = 2, "Manager"
    CAMPAIGN = 3, "Campaign and content type"
    CROSS = 4, "Department, campaign and content type"
    COHORT = 5, "Department and the month of the due date"


class Tally(models.Model):
    """Change of counts at one moment, or their values at one moment.

    A row with `is_standing` holds everything up to and including `at`; the others hold what happens at `at`. Moments of
    past days are kept at the local midnight that ends them, so a sum is exact at every midnight and from the last one
    on. A row with `is_exempt` holds what an exemption takes away: gross minus net. Keys a grain does not use are 0.
    """

    account_id = models.BigIntegerField()
    grain = models.SmallIntegerField(choices=Grain.choices)
    is_standing = models.BooleanField()
    is_exempt = models.BooleanField()
    at = models.DateTimeField()
    department_id = models.BigIntegerField()
    manager_id = models.BigIntegerField()
    campaign_id = models.BigIntegerField()
    content_type = models.SmallIntegerField()

    counted = models.IntegerField()
    completed = models.IntegerField()
    completed_late = models.IntegerField()
    past_due = models.IntegerField()
    in_progress = models.IntegerField()
    due = models.IntegerField()
    on_time = models.IntegerField()
    unknown_due = models.IntegerField()
    policies = models.IntegerField()
    acknowledged = models.IntegerField()
    people_counted = models.IntegerField()
    people_past_due = models.IntegerField()
    people_active = models.IntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    *("account_id", "grain", "is_standing", "at"),
                    *("department_id", "manager_id", "campaign_id", "content_type", "is_exempt"),
                ],
                name="tally_unique",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_grain_display()} tally at {self.at}"


class CohortTally(models.Model):
    """Like `Tally`, for the enrollments that fall due in one month: what a quarter's row is made of.

    `due_month` is year * 12 + month - 1 of the due date in the account's zone. Whoever left before the due date is in
    none of the counts, whoever left after it stays in.
    """

    account_id = models.BigIntegerField()
    is_standing = models.BooleanField()
    is_exempt = models.BooleanField()
    at = models.DateTimeField()
    department_id = models.BigIntegerField()
    due_month = models.IntegerField()

    enrolled = models.IntegerField()
    due = models.IntegerField()
    completed = models.IntegerField()
    on_time = models.IntegerField()
    due_on_time = models.IntegerField()
    completed_in_month = models.IntegerField()
    completed_in_quarter = models.IntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account_id", "is_standing", "at", "department_id", "due_month", "is_exempt"],
                name="cohort_tally_unique",
            )
        ]

    def __str__(self) -> str:
        return f"Cohort tally of month {self.due_month} at {self.at}"


class PersonStanding(models.Model):
    """State of one person, net of exemptions, at the moment their figures were last computed.

    It holds until `next_event_at`, when one of their enrollments falls due, begins or ends to count, or an exemption
    does; null: until a fact changes. `left_at`: when they stopped being active; null: they are.
    """

    person = models.OneToOneField(
        "sync.Person", primary_key=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="standing"
    )
    account_id = models.BigIntegerField()
    department_id = models.BigIntegerField()
    manager_id = models.BigIntegerField()
    joined_at = models.DateTimeField(null=True)
    left_at = models.DateTimeField(null=True)
    computed_at = models.DateTimeField()
    next_event_at = models.DateTimeField(null=True)
    counted = models.IntegerField(default=0)
    completed = models.IntegerField(default=0)
    past_due = models.IntegerField(default=0)
    exempt = models.IntegerField(default=0)
    oldest_due_at = models.DateTimeField(null=True)
    last_activity_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index("account_id", "next_event_at", name="standing_by_next_event"),
            models.Index("account_id", "computed_at", name="standing_by_computed"),
            models.Index("account_id", "manager_id", name="standing_by_manager"),
            models.Index("account_id", "department_id", name="standing_by_department"),
            models.Index("account_id", "oldest_due_at", name="standing_past_due", condition=models.Q(past_due__gt=0)),
        ]

    def __str__(self) -> str:
        return f"Standing of person {self.person_id}"


class ReportingLine(models.Model):
    """One manager whose direct reports are below another: `below_id` is `manager_id` or stands below them.

    Every manager is in their own line. `is_loop`: the one above reports to the one below, so is a report within their
    own line. Kept where the tallies stand (see `RollupState`).
    """

    account_id = models.BigIntegerField()
    manager_id = models.BigIntegerField()
    below_id = models.BigIntegerField()
    is_loop = models.BooleanField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account_id", "manager_id", "below_id"], name="line_unique")]
        indexes = [
            models.Index("account_id", "manager_id", name="line_with_loop", condition=models.Q(is_loop=True)),
        ]

    def __str__(self) -> str:
        return f"Reports of {self.below_id} below {self.manager_id}"


class RollupState(models.Model):
    """State of an account's rollups.

    `horizon` is the last local midnight up to which days were folded; `days_from` the moment from which the larger
    grains keep single days, and months before it. `tallies_from` is the midnight since which the tallies keep the
    past; null until they are worked out: the facts answer meanwhile.
    """

    account = models.OneToOneField("sync.Account", primary_key=True, on_delete=models.CASCADE, related_name="rollups")
    time_zone = models.TextField()
    horizon = models.DateTimeField()
    days_from = models.DateTimeField()
    tallies_from = models.DateTimeField(null=True)
    built_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Rollups of account {self.account_id}"
