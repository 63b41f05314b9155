"""Evidence packs: what an auditor takes along, each chained to the one before."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class EvidencePack(models.Model):
    """The records of a period and a scope as a ZIP that proves itself.

    `number` is its place in the account's chain and `previous` the pack before, both given when it is finished; the
    hash of its manifest stays when the file is gone. `department` None means everybody. Rows are never deleted.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        WORKING = "working", _("Being made")
        READY = "ready", _("Ready")
        FAILED = "failed", _("Failed")
        EXPIRED = "expired", _("Expired")

    account = models.ForeignKey("sync.Account", on_delete=models.PROTECT, related_name="+", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    first_day = models.DateField()
    last_day = models.DateField()
    department = models.ForeignKey("sync.Department", null=True, on_delete=models.PROTECT, related_name="+")
    sample_size = models.IntegerField(default=25)
    sample_seed = models.CharField(max_length=40, default="1")

    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    rows_done = models.BigIntegerField(default=0)
    rows_total = models.BigIntegerField(default=0)
    begun = models.SmallIntegerField(default=0, help_text="How often a worker took it up.")
    number = models.IntegerField(null=True)
    previous = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="next")
    manifest_sha256 = models.CharField(max_length=64, blank=True)
    enrollments = models.BigIntegerField(null=True)
    file_name = models.CharField(max_length=200, blank=True)
    bytes = models.BigIntegerField(null=True)
    sha256 = models.CharField(max_length=64, blank=True)
    requested_at = models.DateTimeField()
    ready_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "number"], name="evidence_pack_in_its_place"),
            models.CheckConstraint(condition=Q(last_day__gte=F("first_day")), name="evidence_pack_period"),
            models.CheckConstraint(condition=Q(sample_size__gte=0), name="evidence_pack_sample"),
        ]
        indexes = [
            models.Index("account", F("requested_at").desc(), name="evidence_pack_by_account"),
            models.Index(
                "requested_at",
                condition=Q(state__in=["waiting", "working", "ready"]),
                name="evidence_pack_unfinished",
            ),
        ]

    def __str__(self) -> str:
        return f"Evidence pack {self.number or self.pk}"

    @property
    def is_live(self) -> bool:
        """Whether a worker has still to make it."""
        return self.state in {self.State.WAITING, self.State.WORKING}
