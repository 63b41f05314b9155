"""Audit events, which are only ever added, and the seals that chain them.

An event is written inside the transaction of the act. As that commits, the database seals it: it takes the account's
chain, one transaction at a time, and writes the event's place in it and a hash over the event and the hash before.
Sealing at the very end keeps the chain locked for no longer than the commit itself, however long the act took.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Action(models.TextChoices):
    """Act that an event records."""

    SIGNED_IN = "signed_in", _("Signed in")
    SIGN_IN_FAILED = "sign_in_failed", _("Sign-in failed")
    SIGNED_OUT = "signed_out", _("Signed out")
    PASSWORD_CHANGED = "password_changed", _("Changed a password")
    SECOND_FACTOR_CHANGED = "second_factor_changed", _("Changed a second factor")
    SESSION_ENDED = "session_ended", _("Ended a session")
    VIEWED_PERSON = "viewed_person", _("Viewed a person")
    COPIED_ADDRESSES = "copied_addresses", _("Copied addresses")
    EXPORTED = "exported", _("Exported")
    DOWNLOADED = "downloaded", _("Downloaded an export")
    CHANGED_SETTING = "changed_setting", _("Changed a setting")
    REQUESTED_EXEMPTION = "requested_exemption", _("Requested an exemption")
    APPROVED_EXEMPTION = "approved_exemption", _("Approved an exemption")
    REJECTED_EXEMPTION = "rejected_exemption", _("Rejected an exemption")
    ENDED_EXEMPTION = "ended_exemption", _("Ended an exemption")
    STARTED_SYNC = "started_sync", _("Started a sync")
    PUBLISHED_HELD_RUN = "published_held_run", _("Published a held sync")
    DISCARDED_HELD_RUN = "discarded_held_run", _("Discarded a held sync")
    READ_CONSOLE_FILE = "read_console_file", _("Uploaded a console export")
    ACCEPTED_IMPORT = "accepted_import", _("Accepted a console import")
    WITHDREW_IMPORT = "withdrew_import", _("Withdrew a console import")
    DISCARDED_IMPORT = "discarded_import", _("Discarded a console import")
    ACCOUNT_ADDED = "account_added", _("Added an account")
    ACCOUNT_CHANGED = "account_changed", _("Changed an account")
    ACCOUNT_KEY_CHANGED = "account_key_changed", _("Changed an account’s KnowBe4 key")
    SINGLE_SIGN_ON_CHANGED = "single_sign_on_changed", _("Changed single sign-on")
    DOMAIN_PROVEN = "domain_proven", _("Proved an email domain")
    DOMAIN_RELEASED = "domain_released", _("Gave up an email domain")
    MEMBER_INVITED = "member_invited", _("Invited a member")
    INVITATION_ACCEPTED = "invitation_accepted", _("Accepted an invitation")
    INVITATION_REVOKED = "invitation_revoked", _("Revoked an invitation")
    MEMBER_CHANGED = "member_changed", _("Changed a member")
    MEMBER_ENDED = "member_ended", _("Ended a membership")
    MEMBER_RENAMED = "member_renamed", _("Changed a member’s name or email")
    SCOPE_LENT = "scope_lent", _("Lent a scope")
    LOAN_ENDED = "loan_ended", _("Ended a loan")
    VIEWED_AS = "viewed_as", _("Viewed as a member")
    STOPPED_VIEWING_AS = "stopped_viewing_as", _("Stopped viewing as a member")
    REPORT_SENT = "report_sent", _("Sent a report")
    SCHEDULE_CHANGED = "schedule_changed", _("Changed a schedule")
    TOKEN_CREATED = "token_created", _("Created a token")
    TOKEN_REVOKED = "token_revoked", _("Revoked a token")
    API_CALL = "api_call", _("Called the API")
    SECRETS_SEALED_AGAIN = "secrets_sealed_again", _("Sealed the stored secrets again")
    PERSON_ERASED = "person_erased", _("Erased a person")
    RETENTION_CHANGED = "retention_changed", _("Changed what is kept for how long")
    RETENTION_APPLIED = "retention_applied", _("Removed what is not kept any longer")


class Subject(models.TextChoices):
    """Subject of an act: the kind of thing; `subject_id` says which."""

    PERSON = "person", _("Person")
    CAMPAIGN = "campaign", _("Campaign")
    DEPARTMENT = "department", _("Department")
    EXEMPTION = "exemption", _("Exemption")
    RUN = "run", _("Sync")
    CONSOLE_IMPORT = "console_import", _("Console import")
    ACCOUNT = "account", _("Account")
    USER = "user", _("User")
    MEMBERSHIP = "membership", _("Membership")
    INVITATION = "invitation", _("Invitation")
    DELEGATION = "delegation", _("Loan of a scope")
    TABLE = "table", _("Table")
    EXPORT = "export", _("Export")
    REPORT = "report", _("Report")
    SCHEDULE = "schedule", _("Schedule")
    TOKEN = "token", _("Token")


class Through(models.TextChoices):
    """Way in which it was done."""

    PAGE = "page", _("Page")
    VIEW_AS = "view_as", _("View as")
    TOKEN = "token", _("Token")
    COMMAND = "command", _("Command")
    SCHEDULE = "schedule", _("Schedule")


class AuditEvent(models.Model):
    """One act. It holds ids and counts, never the name or address of a person whose training is shown.

    `account` is None for what belongs to none, such as a sign-in by somebody without a role. `actor_email` is the
    user's as of then, empty where nobody was signed in. `network` is the client's address, shortened to its network.
    The database refuses to update, delete or truncate.
    """

    Action = Action
    Subject = Subject
    Through = Through

    # The words have no choices in the schema: a new action is no change of it.
    account = models.ForeignKey("sync.Account", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField(db_default=Now())
    # The log outlives whoever is in it.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
        db_index=False,
    )
    actor_email = models.TextField(blank=True)
    through = models.CharField(max_length=20)
    action = models.CharField(max_length=40)
    subject = models.CharField(max_length=20, blank=True)
    subject_id = models.BigIntegerField(null=True)
    details = models.JSONField(default=dict)
    network = models.TextField(blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["account", "-at", "-id"], name="audit_by_time"),
            models.Index(fields=["account", "actor", "-at", "-id"], name="audit_by_actor"),
            models.Index(fields=["account", "action", "-at", "-id"], name="audit_by_action"),
            models.Index(fields=["account", "subject", "subject_id", "-at", "-id"], name="audit_by_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.action_label} ({self.pk})"

    @property
    def action_label(self) -> str:
        """Act in words; a word that is no longer known as it was written."""
        return str(Action(self.action).label) if self.action in Action.values else self.action

    @property
    def subject_label(self) -> str:
        """The kind of thing it was done to, in words; empty when there is none."""
        return str(Subject(self.subject).label) if self.subject in Subject.values else self.subject

    @property
    def through_label(self) -> str:
        """The way by which it was done, in words."""
        return str(Through(self.through).label) if self.through in Through.values else self.through


class AuditSeal(models.Model):
    """An event's place in the chain of its account, from 1, and the hash over it and the hash before.

    Written by the database alone, as the event's transaction commits. `chain` is the account's key, 0 for none.
    """

    event = models.OneToOneField(AuditEvent, primary_key=True, on_delete=models.PROTECT, related_name="seal")
    chain = models.BigIntegerField()
    position = models.BigIntegerField()
    previous = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["chain", "position"], name="audit_seal_in_its_place"),
            models.CheckConstraint(condition=Q(position__gte=1), name="audit_seal_from_one"),
        ]

    def __str__(self) -> str:
        return f"{self.chain}: {self.position}"


class AuditErasure(models.Model):
    """Loss of an event's actor's email and network when they were erased, by the event `act`.

    `digest` is SHA-256 over the text of the event as it is now and the hash it was sealed with; `act` holds the hash
    over all of its digests in its details (`dashboard.audit.chain`).
    """

    event = models.OneToOneField(AuditEvent, primary_key=True, on_delete=models.PROTECT, related_name="erasure")
    act = models.ForeignKey(AuditEvent, on_delete=models.PROTECT, related_name="+")
    digest = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"{self.event_id} by {self.act_id}"


class AuditHead(models.Model):
    """End of the chain of an account: what the next event is chained to. Written by the database alone."""

    chain = models.BigIntegerField(primary_key=True)
    position = models.BigIntegerField()
    digest = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"{self.chain}: {self.position}"
