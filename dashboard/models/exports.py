"""Files too large to make while a browser waits: who asked for which, how far it is, and until when it can be had."""

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Export(models.Model):
    """A list that one reader asked for as a file; made by a worker, in the scope they have when it is made.

    `parameters` say what was asked: the address's query, the columns, and the moment figures are computed for. The file
    lies under a name of its own (`key`), and is gone at `expires_at`. `scope` is whose people it holds, as
    `dashboard.files.kept_scope` writes it. `error` is a sentence, empty unless it failed.
    """

    class Format(models.TextChoices):
        CSV = "csv", "CSV"
        SEMICOLONS = "csv_semicolons", _("CSV with semicolons")
        XLSX = "xlsx", "XLSX"

        @property
        def is_csv(self) -> bool:
            """Whether it is text with separators."""
            return self != Export.Format.XLSX

        @property
        def extension(self) -> str:
            """Ending of such a file's name, without a dot."""
            return "csv" if self.is_csv else "xlsx"

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        WORKING = "working", _("Being made")
        READY = "ready", _("Ready")
        FAILED = "failed", _("Failed")
        EXPIRED = "expired", _("Expired")

    account = models.ForeignKey("sync.Account", on_delete=models.CASCADE, related_name="exports", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="exports", db_index=False)
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    table = models.CharField(max_length=40)
    parameters = models.JSONField(default=dict)
    scope = models.JSONField(default=dict)
    format = models.CharField(max_length=20, choices=Format.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    rows_done = models.BigIntegerField(default=0)
    rows_total = models.BigIntegerField(default=0)
    file_name = models.CharField(max_length=200, blank=True)
    bytes = models.BigIntegerField(null=True)
    sha256 = models.CharField(max_length=64, blank=True)
    begun = models.SmallIntegerField(default=0, help_text="How often a worker took it up.")
    requested_at = models.DateTimeField()
    ready_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)

    class Meta:
        indexes = [
            models.Index("account", "user", models.F("requested_at").desc(), name="export_by_reader"),
            models.Index(
                "requested_at",
                condition=models.Q(state__in=["waiting", "working", "ready"]),
                name="export_unfinished",
            ),
        ]

    def __str__(self) -> str:
        return f"Export {self.pk}: {self.table}.{self.format}"

    @property
    def is_live(self) -> bool:
        """Whether a worker has still to make it."""
        return self.state in {self.State.WAITING, self.State.WORKING}
