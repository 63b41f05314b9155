"""Campaigns, their content, and who was enrolled in them."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models.functions import Lower, Trim
from django.db.models.lookups import In
from django.utils.translation import gettext_lazy as _

from sync.models.people import Person

# KnowBe4's words for how far an enrollment is, without case. Any other word is "other": kept as it came, in no rate.
STANDINGS = {
    "passed": "done",
    "completed": "done",
    "not started": "open",
    "in progress": "open",
    "past due": "past_due",
}


def has_known_status() -> models.Q:
    """Match enrollments whose status word is one of `STANDINGS`."""
    return models.Q(In(Lower(Trim("reported_status")), tuple(STANDINGS)))


def never_counts() -> models.Q:
    """Match enrollments that are in no figure at any moment, whatever anybody decides: hardly any."""
    return models.Q(person__isnull=True) | ~has_known_status()


class ContentType(models.TextChoices):
    """Kind of content that people are enrolled in."""

    MODULE = "Training Module", _("Training module")
    VIDEO = "Video", _("Video")
    GAME = "Game", _("Game")
    ASSESSMENT = "Assessment", _("Assessment")
    POLICY = "Policy", _("Policy")
    NEWSLETTER = "Newsletter", _("Newsletter")
    POSTER = "Poster", _("Poster")
    OTHER = "Other", _("Other")


class ContentItem(models.Model):
    """A store purchase or an uploaded policy.

    KnowBe4 numbers the two apart, so an id is unique only within its `source`. Content that an enrollment names and
    no list returns any more is kept with what the enrollment says of it, without an id when it gives none.
    """

    class Source(models.TextChoices):
        STORE_PURCHASE = "store_purchase", "Store purchase"
        POLICY = "policy", "Uploaded policy"

    account = models.ForeignKey("sync.Account", on_delete=models.PROTECT, db_index=False)
    source = models.CharField(max_length=20, choices=Source.choices)
    knowbe4_id = models.BigIntegerField(null=True, blank=True)
    name = models.TextField()
    content_type = models.CharField(max_length=20, choices=ContentType.choices)
    reported_type = models.TextField(blank=True, help_text="KnowBe4's own word.")
    description = models.TextField(blank=True)
    publisher = models.TextField(blank=True)
    duration = models.BigIntegerField(null=True, blank=True, help_text="Minutes.")
    is_retired = models.BooleanField(null=True, blank=True)
    retirement_at = models.DateTimeField(null=True, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    purchased_at = models.DateTimeField(null=True, blank=True)
    first_seen_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "source", "knowbe4_id"], name="content_knowbe4_id_unique"),
            models.UniqueConstraint(
                fields=["account", "source", "name"],
                condition=models.Q(knowbe4_id__isnull=True),
                name="content_without_id_unique",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Campaign(models.Model):
    """A training campaign, as KnowBe4 reports it."""

    account = models.ForeignKey("sync.Account", on_delete=models.PROTECT, db_index=False)
    knowbe4_id = models.BigIntegerField()
    name = models.TextField(blank=True)
    reported_status = models.TextField(blank=True, help_text="KnowBe4's own word.")
    duration_type = models.TextField(blank=True, help_text="KnowBe4's own words.")
    start_at = models.DateTimeField(null=True, blank=True)
    end_at = models.DateTimeField(null=True, blank=True)
    relative_duration = models.TextField(blank=True, help_text='KnowBe4\'s own words: "2 weeks".')
    relative_months = models.IntegerField(null=True, blank=True)
    relative_days = models.IntegerField(null=True, blank=True)
    auto_enroll = models.BooleanField(null=True, blank=True)
    allow_multiple_enrollments = models.BooleanField(null=True, blank=True)
    completion_percentage = models.BigIntegerField(
        null=True, blank=True, help_text="KnowBe4's own figure; -1 when it was too big to compute there."
    )
    content_ids = ArrayField(models.BigIntegerField(), default=list, help_text="Our ids of its content items.")
    group_ids = ArrayField(models.BigIntegerField(), default=list, help_text="Our ids of its groups.")
    archived_at = models.DateTimeField(null=True, blank=True, help_text="When an administrator archived it here.")
    first_seen_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "knowbe4_id"], name="campaign_knowbe4_id_unique")]

    def __str__(self) -> str:
        return self.name or f"Campaign {self.knowbe4_id}"


class DueSource(models.TextChoices):
    """The rule that gave a due date; KnowBe4's API gives none (see `sync.pipeline.due_dates`)."""

    EXTENSION = "extension", _("Extended, from the console’s export")
    CAMPAIGN_END = "campaign_end", _("Campaign end")
    RELATIVE = "relative", _("Counted from enrollment")
    OBSERVED = "observed", _("First seen past due")
    HIDDEN_EXTENSION = "hidden_extension", _("Extended in KnowBe4; new date not published")
    NONE = "none", _("No deadline")


class Enrollment(models.Model):
    """One person, one content item, one campaign run.

    The references carry no database constraint: a million rows arrive in one transaction from joins against the very
    tables they refer to, nothing is ever deleted, and a check of four references per row would double the time of a
    publish. `manage.py check_data` proves them.
    """

    account = models.ForeignKey("sync.Account", on_delete=models.PROTECT, db_index=False, db_constraint=False)
    knowbe4_id = models.BigIntegerField()
    # None when KnowBe4 sent no user: such a row is in no rate and is listed by the data checks.
    person = models.ForeignKey(
        Person, null=True, on_delete=models.PROTECT, db_constraint=False, related_name="enrollments"
    )
    campaign = models.ForeignKey(
        Campaign, null=True, on_delete=models.PROTECT, db_constraint=False, related_name="enrollments"
    )
    content = models.ForeignKey(
        ContentItem, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="enrollments"
    )
    reported_status = models.TextField(help_text="KnowBe4's own word.")
    enrolled_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    is_completion_observed = models.BooleanField(
        default=False, help_text="KnowBe4 gave no completion date: completed_at is when a sync first saw it done."
    )
    time_spent = models.BigIntegerField(default=0, help_text="Seconds.")
    policy_acknowledged = models.BooleanField(default=False)
    score = models.FloatField(null=True, blank=True)

    due_at = models.DateTimeField(null=True, blank=True)
    due_source = models.CharField(max_length=20, choices=DueSource.choices)
    due_after = models.DateTimeField(
        null=True, blank=True, help_text="For an observed due date: the sync before, the earliest it can have been."
    )
    original_due_at = models.DateTimeField(null=True, blank=True, help_text="The first date derived.")
    extended_due_at = models.DateTimeField(null=True, blank=True, help_text="Imported from the console.")

    first_seen_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "knowbe4_id"], name="enrollment_knowbe4_id_unique")]
        indexes = [
            # "New in this run" and "due since the run before": rows that arrive together lie together, so a summary of
            # each part of the table finds them, and costs a publish next to nothing.
            BrinIndex(
                fields=["account", "first_seen_at", "due_at"],
                name="enrollment_moments",
                opclasses=["int8_minmax_ops", "timestamptz_minmax_multi_ops", "timestamptz_minmax_multi_ops"],
            ),
            # The vanish register; hardly any row is in it.
            models.Index(
                "account",
                models.F("removed_at").desc(),
                "id",
                name="enrollment_vanished",
                condition=models.Q(removed_at__isnull=False),
            ),
            models.Index(
                fields=["account"],
                name="enrollment_hidden_extension",
                condition=models.Q(due_source=DueSource.HIDDEN_EXTENSION, removed_at__isnull=True),
            ),
            models.Index(fields=["account"], name="enrollment_never_counts", condition=never_counts()),
        ]

    def __str__(self) -> str:
        return f"Enrollment {self.knowbe4_id}"
