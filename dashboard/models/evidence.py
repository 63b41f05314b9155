"""Evidence packs: what an auditor takes along, each chained to the one before."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from dashboard.models.files import MadeFile


class EvidencePack(MadeFile):
    """The records of a period and a scope as a ZIP that proves itself.

    `number` is its place in the account's chain and `previous` the pack before, both given when it is finished; the
    hash of its manifest stays when the file is gone. `department` None means everybody. Rows are never deleted.
    """

    NAME, FOLDER, KEPT_FOR = "evidence", "evidence", timedelta(days=7)

    account = models.ForeignKey("sync.Account", on_delete=models.PROTECT, related_name="+", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    first_day = models.DateField()
    last_day = models.DateField()
    department = models.ForeignKey("sync.Department", null=True, on_delete=models.PROTECT, related_name="+")
    sample_size = models.IntegerField(default=25)
    sample_seed = models.CharField(max_length=40, default="1")

    number = models.IntegerField(null=True)
    previous = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="next")
    manifest_sha256 = models.CharField(max_length=64, blank=True)
    enrollments = models.BigIntegerField(null=True)

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
    def ending(self) -> str:
        """Ending of the file's name, without a dot."""
        return "zip"
