"""Every sync that was tried, and every change it found."""

from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import Max

from sync.models.account import Account


class SyncRun(models.Model):
    """One sync of one account, failed ones too.

    `number` counts the runs of its account from 1, without gaps. It gives their order: a clock may be set back, so no
    moment tells which run is the latest.

    `resources` holds, by list name in reading order: rows read, rows rejected, requests, whether it is done, and how
    many rows are expected (from the sync before). `counts` holds what publish did: rows inserted, changed, vanished and
    restored by table.
    """

    class Kind(models.TextChoices):
        FULL = "full", "Full"
        QUICK = "quick", "Quick"
        IMPORT = "import", "Import"

    class Trigger(models.TextChoices):
        SCHEDULE = "schedule", "Schedule"
        PERSON = "person", "Started by hand"
        COMMAND = "command", "Command line"

    # The errors, as `error_kind` names them, by which KnowBe4 refuses the key itself.
    KEY_REFUSED = frozenset({"Unauthorized", "Forbidden"})

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        PUBLISHED = "published", "Complete"
        HELD = "held", "Held"
        FAILED = "failed", "Failed"
        PAUSED = "paused", "Paused"
        DISCARDED = "discarded", "Discarded"

    class Phase(models.TextChoices):
        FETCH = "fetch", "Reading"
        CHECK = "check", "Checking"
        PUBLISH = "publish", "Publishing"
        DONE = "done", "Done"

    account = models.ForeignKey("sync.Account", on_delete=models.PROTECT, related_name="runs", db_index=False)
    number = models.PositiveIntegerField(editable=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    trigger = models.CharField(max_length=10, choices=Trigger.choices)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    state = models.CharField(max_length=10, choices=State.choices)
    phase = models.CharField(max_length=10, choices=Phase.choices)
    started_at = models.DateTimeField()
    heartbeat_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    requests_made = models.PositiveIntegerField(default=0)
    resources = models.JSONField(default=dict)
    counts = models.JSONField(default=dict)
    plan = models.JSONField(default=dict, help_text="What it set out to read, and what that would cost.")
    error_kind = models.CharField(max_length=50, blank=True, help_text="The name of the error's class.")
    message = models.TextField(blank=True, help_text="Why it was held, paused or failed: a sentence to show.")
    resume_at = models.DateTimeField(null=True, blank=True)

    # A held run that somebody published after all, or discarded.
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolution = models.TextField(blank=True, help_text="The reason given.")

    class Meta:
        indexes = [models.Index(fields=["account", "-started_at"], name="run_by_account")]
        constraints = [models.UniqueConstraint(fields=["account", "number"], name="run_number_once")]

    def __str__(self) -> str:
        return f"Run {self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save; a new run gets the next number of its account, whose row is locked until the transaction ends."""
        if self.number is not None:
            super().save(*args, **kwargs)
            return
        with transaction.atomic():
            Account.objects.select_for_update(no_key=True).only("pk").get(pk=self.account_id)
            runs = SyncRun.objects.filter(account=self.account_id)
            self.number = (runs.aggregate(last=Max("number"))["last"] or 0) + 1
            super().save(*args, **kwargs)

    @property
    def refuses_key(self) -> bool:
        """Whether KnowBe4 refused the key itself, so that trying again changes nothing."""
        return self.error_kind in self.KEY_REFUSED


class QuarantinedRow(models.Model):
    """A row that KnowBe4 sent and nobody could read: set aside with its reason, counted, and shown."""

    account = models.ForeignKey("sync.Account", on_delete=models.PROTECT, db_index=False)
    run = models.ForeignKey(SyncRun, on_delete=models.PROTECT, related_name="quarantined")
    list_key = models.CharField(max_length=100)
    reason = models.TextField()
    raw = models.TextField(help_text="The row as it came, its first 2,000 characters.")

    def __str__(self) -> str:
        return f"{self.list_key}: {self.reason}"


class Change(models.Model):
    """One field of one row that a sync found changed: what it was, what it is, when Rollcall saw it.

    Values are text as Postgres writes it, times in UTC; None is null. Rows are only ever added: the database refuses
    to update or delete them.
    """

    class Subject(models.IntegerChoices):
        PERSON = 1, "Person"
        CAMPAIGN = 2, "Campaign"
        ENROLLMENT = 3, "Enrollment"
        CONTENT = 4, "Content"
        GROUP = 5, "Group"
        PHISHING_TEST = 6, "Phishing test"

    account = models.ForeignKey("sync.Account", on_delete=models.PROTECT, db_index=False, db_constraint=False)
    run = models.ForeignKey(SyncRun, on_delete=models.PROTECT, db_constraint=False, related_name="changes")
    observed_at = models.DateTimeField()
    subject = models.SmallIntegerField(choices=Subject.choices)
    subject_id = models.BigIntegerField()
    field = models.CharField(max_length=50)
    old = models.TextField(null=True)  # noqa: DJ001 - null is not the empty text here
    new = models.TextField(null=True)  # noqa: DJ001

    class Meta:
        indexes = [models.Index(fields=["account", "subject", "subject_id", "observed_at"], name="change_by_subject")]

    def __str__(self) -> str:
        return f"{self.get_subject_display()} {self.subject_id}: {self.field}"
