"""Alerts: to administrators what is the matter and when it is over; to auditors where the log ends."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Alert(models.Model):
    """One cause of trouble from when it was noticed until it was gone; there is one open alert for a cause.

    `subject_id` is the key of the schedule or the `DepartmentRename`, 0 for what is the account's own. `said` is what
    was the matter, as a sentence.
    """

    class Kind(models.TextChoices):
        SYNC_FAILED = "sync_failed", _("Sync failed")
        SYNC_HELD = "sync_held", _("Sync held")
        SYNC_OUTDATED = "sync_outdated", _("No new sync")
        SCHEDULE_FAILED = "schedule_failed", _("Schedule not mailed")
        GROUPS_UNTOLD = "groups_untold", _("Groups not told")
        SCHEDULE_EMPTY = "schedule_empty", _("Schedule about nobody")
        DEPARTMENT_RENAMED = "department_renamed", _("Department renamed")
        AUDIT_HEAD = "audit_head", _("Audit log of the week")

    account = models.ForeignKey("sync.Account", on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    subject_id = models.BigIntegerField(default=0)
    said = models.TextField()
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "kind", "subject_id"], condition=Q(ended_at=None), name="alert_open_once"
            )
        ]

    def __str__(self) -> str:
        return f"Alert {self.pk}: {self.kind}"


class AlertMail(models.Model):
    """One mail of an alert to one administrator, that it began or (`is_over`) that it is gone; sent once."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        HANDING_OVER = "handing_over", _("Being handed over")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Failed")
        UNKNOWN = "unknown", _("Not known whether sent")
        SUPERSEDED = "superseded", _("Not needed any more")

    account = models.ForeignKey("sync.Account", on_delete=models.CASCADE, related_name="+", db_index=False)
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="mails", db_index=False)
    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    is_over = models.BooleanField(default=False)
    state = models.CharField(max_length=20, choices=State.choices, default=State.WAITING)
    said = models.TextField(blank=True)
    attempts = models.SmallIntegerField(default=0)
    next_try_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["alert", "recipient", "is_over"], name="alert_mail_once")]
        indexes = [
            models.Index(
                "next_try_at", condition=Q(state__in=["waiting", "handing_over"]), name="alert_mail_unfinished"
            )
        ]

    def __str__(self) -> str:
        return f"Alert mail {self.pk}"
