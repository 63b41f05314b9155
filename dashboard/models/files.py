"""Files made for one reader: what is kept of each, and until when it can be had."""

import uuid
from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _


class StoredFile(models.Model):
    """A file that a worker makes in its reader's scope at that moment, and that is handed out for a while.

    It lies in the storage's `FOLDER` under a name of its own (`key`), and is gone at `expires_at`, `KEPT_FOR` after it
    was made. `scope` is whose people it holds, as `dashboard.files.kept_scope` writes it. `begun` counts the workers
    that took it up and have not ended it. `NAME` is in the names of locks and work folders.
    """

    NAME: ClassVar[str]
    FOLDER: ClassVar[str]
    KEPT_FOR: ClassVar[timedelta]

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    scope = models.JSONField(default=dict)
    begun = models.SmallIntegerField(default=0, help_text="How often a worker took it up.")
    file_name = models.CharField(max_length=200, blank=True)
    bytes = models.BigIntegerField(null=True)
    sha256 = models.CharField(max_length=64, blank=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    @property
    def ending(self) -> str:
        """Ending of the file's name, without a dot."""
        return self.file_name.rpartition(".")[2]

    def is_here(self, at: datetime) -> bool:
        """Return whether it can be had at `at`."""
        return self.expires_at is not None and self.expires_at > at


class MadeFile(StoredFile):
    """A file that a reader asked for on a page, and follows there. `error` is a sentence, empty unless it failed."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        WORKING = "working", _("Being made")
        READY = "ready", _("Ready")
        FAILED = "failed", _("Failed")
        EXPIRED = "expired", _("Expired")

    LIVE: ClassVar = (State.WAITING, State.WORKING)

    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    rows_done = models.BigIntegerField(default=0)
    rows_total = models.BigIntegerField(default=0)
    requested_at = models.DateTimeField()
    ready_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)

    class Meta:
        abstract = True

    @property
    def is_live(self) -> bool:
        """Whether a worker has still to make it."""
        return self.state in self.LIVE

    def is_here(self, at: datetime) -> bool:
        """Return whether it can be had at `at`."""
        return self.state == self.State.READY and super().is_here(at)
