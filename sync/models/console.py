"""Training results as KnowBe4's console exports them, uploaded by an administrator."""

import gzip
import hashlib
from typing import Any

from django.conf import settings
from django.db import models


class ConsoleImport(models.Model):
    """One uploaded CSV: the bytes as they came, how its columns were read, and what became of it.

    Nothing is imported before somebody accepted the preview. `mapping` holds {"columns": {field: column index},
    "order": "day" | "month" | ""}; `report` is what the preview found, or what the import did, as the page shows it.
    """

    class State(models.TextChoices):
        READING = "reading", "Being read"
        UNREADABLE = "unreadable", "Not readable"
        PREVIEW = "preview", "Waiting for a decision"
        IMPORTING = "importing", "Being imported"
        HELD = "held", "Held by the checks"
        ACCEPTED = "accepted", "Imported"
        DISCARDED = "discarded", "Discarded"
        WITHDRAWING = "withdrawing", "Being withdrawn"
        WITHDRAWN = "withdrawn", "Withdrawn"

    account = models.ForeignKey(
        "sync.Account", on_delete=models.PROTECT, related_name="console_imports", db_index=False
    )
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    uploaded_at = models.DateTimeField()
    name = models.CharField(max_length=255, help_text="The file's name, as it was uploaded.")
    size = models.PositiveIntegerField(help_text="Bytes.")
    sha256 = models.CharField(max_length=64, help_text="Of the bytes as they came, in hexadecimal.")
    content = models.BinaryField(help_text="The bytes as they came, compressed with gzip.")

    state = models.CharField(max_length=12, choices=State.choices, default=State.READING)
    message = models.TextField(blank=True, help_text="Why it cannot go on: a sentence to show.")
    rows_read = models.PositiveIntegerField(default=0, help_text="While it is read: how far.")
    signature = models.CharField(max_length=64, blank=True, help_text="Names this set of column headers.")
    mapping = models.JSONField(default=dict)
    is_mapping_chosen = models.BooleanField(
        default=False, help_text="A person chose the columns: files with the same headers follow."
    )
    report = models.JSONField(default=dict)

    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True, help_text="Why it was imported in spite of the checks.")
    run = models.OneToOneField(
        "sync.SyncRun", null=True, blank=True, on_delete=models.PROTECT, related_name="console_import"
    )

    class Meta:
        indexes = [models.Index(fields=["account", "-uploaded_at"], name="console_import_by_account")]

    def __str__(self) -> str:
        return f"Import {self.pk}: {self.name}"

    @property
    def original(self) -> bytes:
        """The bytes as they came."""
        return gzip.decompress(bytes(self.content))

    @property
    def is_at_work(self) -> bool:
        """Whether a worker has something to do for it."""
        return self.state in {self.State.READING, self.State.IMPORTING, self.State.WITHDRAWING}

    @staticmethod
    def stored(raw: bytes) -> dict[str, Any]:
        """Return the fields that keep a file: its bytes, their number and their hash."""
        return {
            "content": gzip.compress(raw, 6),
            "size": len(raw),
            "sha256": hashlib.sha256(raw).hexdigest(),
        }
