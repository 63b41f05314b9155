"""Settings that change numbers: which campaigns count, who is exempt, which departments are one.

Every decision leaves a `SettingChange`: who, when, what, why. What is set today applies to every moment; the log tells
how it came about.
"""

from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

# KnowBe4's pseudo group "All Users": campaigns name it, and it lists no members (see `sync.models.Group`).
ALL_USERS = 0


class Trigger(models.TextChoices):
    """Trigger of a campaign's enrollments. KnowBe4's API names none: it is inferred, or chosen by an administrator."""

    PHISHING_FAILURE = "phishing_failure", _("Phishing failure")
    NEW_HIRE = "new_hire", _("New hire")
    GROUP_MEMBERSHIP = "group_membership", _("Group membership")
    SCHEDULED = "scheduled", _("Scheduled")
    MANAGER_REQUEST = "manager_request", _("Manager request")
    UNKNOWN = "unknown", _("Unknown")


class CampaignSetting(models.Model):
    """Whether a campaign counts for compliance, and the trigger an administrator chose for it.

    A campaign without a row is required, and its trigger is the inferred one.
    """

    class Requirement(models.TextChoices):
        REQUIRED = "required", _("Required")
        OPTIONAL = "optional", _("Optional")
        EXCLUDED = "excluded", _("Excluded")

    account = models.ForeignKey("sync.Account", on_delete=models.PROTECT, related_name="+")
    campaign = models.OneToOneField("sync.Campaign", on_delete=models.PROTECT, related_name="setting")
    requirement = models.CharField(max_length=10, choices=Requirement.choices, default=Requirement.REQUIRED)
    trigger = models.CharField(
        max_length=20, choices=Trigger.choices, blank=True, help_text="Overrides the inferred trigger; blank: does not."
    )

    def __str__(self) -> str:
        return f"Campaign {self.campaign_id}: {self.get_requirement_display()}"


class InferredTrigger(models.Model):
    """Trigger of a campaign as far as the mirror tells, and by which rule (see `dashboard.triggers`)."""

    class Rule(models.TextChoices):
        NAME = "name", _("A word in the campaign's name")
        GROUP_NAME = "group_name", _("A word in the name of one of its groups")
        FAILED_TEST = "failed_test", _("Enrolled shortly after failing a phishing test")
        START_DATE = "start_date", _("Enrolled shortly after starting work")
        AUTO_ENROLL = "auto_enroll", _("New members of its groups are enrolled automatically")
        RECURRING = "recurring", _("Campaigns of this name recur")
        NONE = "none", _("No rule applies")

    account = models.ForeignKey("sync.Account", on_delete=models.PROTECT, related_name="+")
    campaign = models.OneToOneField("sync.Campaign", on_delete=models.PROTECT, related_name="inferred_trigger")
    trigger = models.CharField(max_length=20, choices=Trigger.choices)
    rule = models.CharField(max_length=20, choices=Rule.choices)
    evidence = models.TextField(blank=True, help_text='What the rule found: the word, the group, "48 of 50".')
    newest_enrollment_id = models.BigIntegerField(
        default=0, help_text="The newest of its enrollments that was looked at; a newer one calls for another look."
    )

    def __str__(self) -> str:
        return f"Campaign {self.campaign_id}: {self.get_trigger_display()}"


class DepartmentMerge(models.Model):
    """One department counted as part of another, as it was decided; a chain is kept link by link.

    `sync.Department.merged_into` holds the end of the chain, so that readers follow one link only.
    """

    account = models.ForeignKey("sync.Account", on_delete=models.PROTECT, related_name="+")
    department = models.OneToOneField("sync.Department", on_delete=models.PROTECT, related_name="merge")
    into = models.ForeignKey("sync.Department", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(department=F("into")), name="department_merge_into_another"),
        ]

    def __str__(self) -> str:
        return f"Department {self.department_id} into {self.into_id}"


class DepartmentRename(models.Model):
    """A department whose people all but moved to a new name in one sync, until somebody decides what that means.

    `people` of the `active` ones moved. Decided, never deleted: `is_continued` says what was decided.
    """

    account = models.ForeignKey("sync.Account", on_delete=models.PROTECT, related_name="+", db_index=False)
    department = models.ForeignKey("sync.Department", on_delete=models.PROTECT, related_name="+", db_index=False)
    into = models.ForeignKey("sync.Department", on_delete=models.PROTECT, related_name="+", db_index=False)
    people = models.IntegerField()
    active = models.IntegerField()
    seen_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    decided_at = models.DateTimeField(null=True)
    is_continued = models.BooleanField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "department", "into"],
                condition=Q(decided_at__isnull=True),
                name="department_rename_open_once",
            ),
        ]

    def __str__(self) -> str:
        return f"Department {self.department_id}: {self.into_id}"


class Exemption(models.Model):
    """A person, or the members of a group, excused from one campaign or from all, from one moment until another.

    It excuses nobody before another user than the one who requested it approved it; the approval reaches back to
    `starts_at`. Nothing is rewritten afterwards and nothing deleted: the database lets each of the approval, the
    rejection and the end be written once.
    """

    class Reason(models.TextChoices):
        LEAVE = "leave", _("Leave")
        SICKNESS = "sickness", _("Long-term sickness")
        CONTRACTOR = "contractor", _("Contractor")
        EQUIVALENT = "equivalent", _("Equivalent training")
        ROLE = "role", _("Role not in scope")
        ACCOMMODATION = "accommodation", _("Accommodation")
        OTHER = "other", _("Other")

    class State(models.TextChoices):
        REQUESTED = "requested", _("Requested")
        APPROVED = "approved", _("Approved, not begun")
        ACTIVE = "active", _("Active")
        EXPIRED = "expired", _("Expired")
        ENDED = "ended", _("Ended")
        REJECTED = "rejected", _("Rejected")

    account = models.ForeignKey("sync.Account", on_delete=models.PROTECT, related_name="+", db_index=False)
    person = models.ForeignKey(
        "sync.Person", null=True, blank=True, on_delete=models.PROTECT, related_name="exemptions"
    )
    group = models.ForeignKey("sync.Group", null=True, blank=True, on_delete=models.PROTECT, related_name="exemptions")
    campaign = models.ForeignKey(
        "sync.Campaign", null=True, blank=True, on_delete=models.PROTECT, related_name="exemptions"
    )
    reason = models.CharField(max_length=20, choices=Reason.choices)
    note = models.TextField(blank=True)
    evidence = models.TextField(blank=True, help_text="Where the proof is kept: a ticket, a certificate.")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True, help_text="The first moment after it; null: open-ended.")

    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    requested_at = models.DateTimeField()
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    approved_at = models.DateTimeField(null=True, blank=True)
    rejected_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    rejected_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    end_note = models.TextField(blank=True)

    class Meta:
        indexes = [models.Index(fields=["account", "-requested_at"], name="exemption_by_account")]
        constraints = [
            models.CheckConstraint(
                condition=Q(person__isnull=False, group__isnull=True) | Q(person__isnull=True, group__isnull=False),
                name="exemption_of_person_or_group",
            ),
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")), name="exemption_ends_after_start"
            ),
            models.CheckConstraint(condition=~Q(reason="other") | ~Q(note=""), name="exemption_other_reason_has_note"),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("requested_by")),
                name="exemption_approved_by_another",
            ),
            models.CheckConstraint(
                condition=Q(approved_at__isnull=True) | Q(rejected_at__isnull=True),
                name="exemption_approved_or_rejected",
            ),
            *(
                models.CheckConstraint(
                    condition=Q(**{f"{act}_by__isnull": True, f"{act}_at__isnull": True})
                    | Q(**{f"{act}_by__isnull": False, f"{act}_at__isnull": False}),
                    name=f"exemption_{act}_by_and_at",
                )
                for act in ("approved", "rejected", "ended")
            ),
        ]

    def __str__(self) -> str:
        return f"Exemption {self.pk}: {self.get_reason_display()}"

    @property
    def stops_at(self) -> datetime | None:
        """The first moment it excuses nobody any more: its end, or an earlier one decided later. None: open-ended."""
        return min((moment for moment in (self.ends_at, self.ended_at) if moment is not None), default=None)

    def state(self, at: datetime) -> "Exemption.State":
        """Return where it stands at `at`, by what was decided until then.

        Decisions take effect at the moment they were made; only the excuse itself reaches back to `starts_at`. A
        request withdrawn before anybody decided is `ended`. One that ran out before it was ended stays `expired`.
        """
        if self.rejected_at is not None and self.rejected_at <= at:
            return self.State.REJECTED
        has_ended = self.ended_at is not None and self.ended_at <= at
        if self.approved_at is None or self.approved_at > at:
            return self.State.ENDED if has_ended else self.State.REQUESTED
        if self.ended_at is not None and has_ended and (self.ends_at is None or self.ended_at < self.ends_at):
            return self.State.ENDED
        if self.ends_at is not None and self.ends_at <= at:
            return self.State.EXPIRED
        return self.State.ACTIVE if self.starts_at <= at else self.State.APPROVED


class AccountSetting(models.Model):
    """Target of an account. An account without a row aims at 95 %."""

    DEFAULT_TARGET = Decimal("95.0")

    account = models.OneToOneField("sync.Account", on_delete=models.PROTECT, related_name="setting")
    target_rate = models.DecimalField(
        max_digits=4, decimal_places=1, default=DEFAULT_TARGET, help_text="Percent; rates below it are colored."
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(target_rate__gte=0, target_rate__lte=100), name="account_target_rate_is_percent"
            )
        ]

    def __str__(self) -> str:
        return f"Target {self.target_rate} %"


class SettingChange(models.Model):
    """One setting that somebody changed: what it was, what it is, who did it, when and why.

    Rows are only ever added: the database refuses to update or delete them. None is "not set".
    """

    class Subject(models.TextChoices):
        ACCOUNT = "account", _("Account")
        CAMPAIGN = "campaign", _("Campaign")
        DEPARTMENT = "department", _("Department")
        EXEMPTION = "exemption", _("Exemption")

    account = models.ForeignKey("sync.Account", on_delete=models.PROTECT, related_name="+", db_index=False)
    subject = models.CharField(max_length=20, choices=Subject.choices)
    subject_id = models.BigIntegerField()
    field = models.CharField(max_length=50)
    old = models.TextField(null=True)  # noqa: DJ001 - null is not the empty text here
    new = models.TextField(null=True)  # noqa: DJ001
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    changed_at = models.DateTimeField()
    reason = models.TextField()

    class Meta:
        indexes = [
            models.Index(fields=["account", "subject", "subject_id", "changed_at"], name="setting_change_by_subject"),
            models.Index(fields=["account", "-changed_at"], name="setting_change_by_account"),
        ]
        constraints = [models.CheckConstraint(condition=~Q(reason=""), name="setting_change_has_reason")]

    def __str__(self) -> str:
        return f"{self.get_subject_display()} {self.subject_id}: {self.field}"
