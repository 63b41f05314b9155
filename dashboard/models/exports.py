"""Files too large to make while a browser waits: who asked for which, how far it is, and until when it can be had."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from dashboard.models.files import MadeFile


class Export(MadeFile):
    """A list that one reader asked for as a file; made by a worker, in the scope they have when it is made.

    `parameters` say what was asked: the address's query, the columns, and the moment figures are computed for.
    """

    NAME, FOLDER, KEPT_FOR = "export", "exports", timedelta(hours=24)

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

    account = models.ForeignKey("sync.Account", on_delete=models.CASCADE, related_name="exports", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="exports", db_index=False)
    table = models.CharField(max_length=40)
    parameters = models.JSONField(default=dict)
    format = models.CharField(max_length=20, choices=Format.choices)

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
    def ending(self) -> str:
        """Ending of the file's name, without a dot."""
        return self.Format(self.format).extension
