"""Reports that are mailed on their days: what, to whom, when, and what became of each mail."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from dashboard.models.files import StoredFile

_BETWEEN_WEEKDAYS = Q(weekday__gte=0, weekday__lte=6)
_BETWEEN_DAYS = Q(day_of_month__gte=1, day_of_month__lte=31)


class Schedule(models.Model):
    """A report that is mailed to members of an account, again and again until it is ended.

    `what` names one of the PDF reports, one of the lists, or is empty for figures in the mail itself; `query` holds the
    filters as an address has them, `subject_id` the department or campaign that a PDF is about. Days are those of the
    account's zone. `since` is the moment from which it counts: what would have been due before is never made up for.
    Ended, never deleted.
    """

    class Content(models.TextChoices):
        REPORT = "report", _("PDF report")
        TABLE = "table", _("List")
        FIGURES = "figures", _("Figures")

    class Format(models.TextChoices):
        NONE = "", _("None")
        PDF = "pdf", "PDF"
        CSV = "csv", "CSV"
        SEMICOLONS = "csv_semicolons", _("CSV with semicolons")
        XLSX = "xlsx", "XLSX"

        @property
        def extension(self) -> str:
            """Ending of such a file's name, without a dot; a report is a PDF."""
            return "csv" if self == Schedule.Format.SEMICOLONS else self.value or "pdf"

    class Frequency(models.TextChoices):
        WEEKLY = "weekly", _("Weekly")
        MONTHLY = "monthly", _("Monthly")
        QUARTERLY = "quarterly", _("Quarterly")
        AFTER_DEADLINE = "after_deadline", _("After a campaign’s deadline")

    class Quiet(models.TextChoices):
        SKIP = "skip", _("Send nothing")
        NOTE = "note", _("Send a short note")

    class Way(models.TextChoices):
        ATTACHMENT = "attachment", _("Attached")
        LINK = "link", _("By a link that expires")

    account = models.ForeignKey("sync.Account", on_delete=models.PROTECT, related_name="schedules")
    name = models.CharField(max_length=120)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    recipients = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="+")
    content = models.CharField(max_length=10, choices=Content.choices)
    what = models.CharField(max_length=40, blank=True)
    format = models.CharField(max_length=20, choices=Format.choices, blank=True)
    query = models.TextField(blank=True)
    subject_id = models.BigIntegerField(null=True)
    way = models.CharField(max_length=10, choices=Way.choices, default=Way.ATTACHMENT)
    when_quiet = models.CharField(max_length=10, choices=Quiet.choices, default=Quiet.NOTE)

    frequency = models.CharField(max_length=20, choices=Frequency.choices)
    weekday = models.SmallIntegerField(null=True, help_text="0 is Monday.")
    day_of_month = models.SmallIntegerField(
        null=True, help_text="Of the month, or of the quarter's first month; its last day where it has fewer."
    )
    campaign = models.ForeignKey("sync.Campaign", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    days_after = models.SmallIntegerField(null=True)
    at_time = models.TimeField()

    created_at = models.DateTimeField()
    since = models.DateTimeField()
    paused_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(frequency="weekly", weekday__isnull=False) & _BETWEEN_WEEKDAYS
                | Q(frequency__in=["monthly", "quarterly"], day_of_month__isnull=False) & _BETWEEN_DAYS
                | Q(frequency="after_deadline", campaign__isnull=False, days_after__gte=0, days_after__lte=365),
                name="schedule_has_its_days",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_running(self) -> bool:
        """Whether it is mailed on its days: neither paused nor ended."""
        return self.paused_at is None and self.ended_at is None


class Occurrence(models.Model):
    """One time that a schedule was due, or that somebody had it sent by hand."""

    account = models.ForeignKey("sync.Account", on_delete=models.PROTECT, related_name="+", db_index=False)
    schedule = models.ForeignKey(Schedule, on_delete=models.PROTECT, related_name="occurrences", db_index=False)
    due_at = models.DateTimeField()
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["schedule", "due_at"], name="occurrence_once")]
        indexes = [models.Index(fields=["account", "-due_at"], name="occurrence_by_account")]

    def __str__(self) -> str:
        return f"Occurrence {self.pk}"


class Delivery(StoredFile):
    """One mail of one occurrence to one recipient: there is never a second row, and a row is handed over once.

    `waiting` becomes `handing_over`, in a transaction of its own, at the moment the mail server has agreed to take the
    message and before it gets any of it. A worker that dies, or a server that goes silent, after that moment leaves
    open whether the mail arrived: then it is `unknown`, and not sent again unless somebody says so.

    Its file is stored where a link leads to it, until `expires_at`; without one it was attached.
    """

    NAME, FOLDER, KEPT_FOR = "delivery", "mail", timedelta(days=7)

    class Kind(models.TextChoices):
        REPORT = "report", _("Report")
        NOTICE = "notice", _("Notice to the owner")

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        HANDING_OVER = "handing_over", _("Being handed over")
        SENT = "sent", _("Sent")
        QUIET = "quiet", _("Nothing to report")
        NO_ACCESS = "no_access", _("No access any more")
        FAILED = "failed", _("Failed")
        UNKNOWN = "unknown", _("Not known whether sent")
        SUPERSEDED = "superseded", _("Replaced by a newer one")

    account = models.ForeignKey("sync.Account", on_delete=models.PROTECT, related_name="+", db_index=False)
    occurrence = models.ForeignKey(Occurrence, on_delete=models.PROTECT, related_name="deliveries", db_index=False)
    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.REPORT)
    state = models.CharField(max_length=20, choices=State.choices, default=State.WAITING)
    email = models.TextField(blank=True, help_text="Where it was handed over for.")
    said = models.TextField(blank=True, help_text="What stood in the way, as a sentence.")
    attempts = models.SmallIntegerField(default=0)
    next_try_at = models.DateTimeField()
    queued_at = models.DateTimeField(null=True)
    first_refused_at = models.DateTimeField(null=True)
    as_of = models.DateTimeField(null=True, help_text="The moment of its figures.")
    rows = models.BigIntegerField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["occurrence", "recipient", "kind"], name="delivery_once"),
        ]
        indexes = [
            models.Index("next_try_at", condition=Q(state__in=["waiting", "handing_over"]), name="delivery_unfinished"),
            models.Index("expires_at", condition=Q(expires_at__isnull=False), name="delivery_with_link"),
        ]

    def __str__(self) -> str:
        return f"Delivery {self.pk}"

    @property
    def is_open(self) -> bool:
        """Whether it may still be sent."""
        return self.state in {self.State.WAITING, self.State.HANDING_OVER}

    @property
    def is_trouble(self) -> bool:
        """Whether its owner is to be told: somebody did not get it, or may not have."""
        return self.state in {self.State.NO_ACCESS, self.State.FAILED, self.State.UNKNOWN}

    def is_here(self, at: datetime) -> bool:
        """Return whether its link works at `at`."""
        return self.state == self.State.SENT and super().is_here(at)
