"""Roles in accounts, roles offered to an email, and scopes lent to colleagues."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """Role of a user in an account."""

    ADMINISTRATOR = "administrator", _("Administrator")
    SECURITY_MANAGER = "security_manager", _("Security manager")
    DEPARTMENT_HEAD = "department_head", _("Department head")
    PEOPLE_MANAGER = "people_manager", _("People manager")
    AUDITOR = "auditor", _("Auditor")


class Membership(models.Model):
    """A role of one user in one account. Several of them unite.

    Only a department head has `departments`; the spellings merged into them come along. A people manager sees whoever
    reports to the person with the user's email, at any depth, by the reporting lines of now. With `ends_at` the role
    holds until then; an auditor always has one.
    """

    Role = Role

    class Source(models.TextChoices):
        INVITED = "invited", _("Invited")
        SINGLE_SIGN_ON = "single_sign_on", _("Single sign-on")
        SET_UP = "set_up", _("Set up with the installation")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    account = models.ForeignKey("sync.Account", on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role.choices)
    departments = models.ManyToManyField("sync.Department", blank=True, related_name="+")
    ends_at = models.DateTimeField(null=True, blank=True, help_text="The first moment without it; null: no end.")
    source = models.CharField(max_length=20, choices=Source.choices, default=Source.SET_UP)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "account", "role"], name="membership_role_unique"),
            models.CheckConstraint(
                condition=~Q(role=Role.AUDITOR) | Q(ends_at__isnull=False), name="membership_auditor_ends"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_role_display()}"

    def holds(self, at: datetime) -> bool:
        """Return whether the role holds at `at`."""
        return self.ends_at is None or self.ends_at > at


class Invitation(models.Model):
    """A role offered to whoever receives mail at an address. The link holds a token that is kept only as a hash.

    Without `invited_by` it comes from the command line of the server. Only then `email` may be empty: whoever opens the
    link says it. With `sets_password` the link lets somebody who has a sign-in choose another password.
    """

    account = models.ForeignKey("sync.Account", on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField(blank=True)
    role = models.CharField(max_length=20, choices=Role.choices)
    departments = models.ManyToManyField("sync.Department", blank=True, related_name="+")
    ends_at = models.DateTimeField(null=True, blank=True, help_text="When the role will end; null: it has no end.")
    token_digest = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    sets_password = models.BooleanField(default=False)
    invited_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    accepted_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "account",
                Lower("email"),
                "role",
                condition=Q(accepted_at__isnull=True, revoked_at__isnull=True),
                name="invitation_open_once",
            ),
            models.CheckConstraint(
                condition=~Q(role=Role.AUDITOR) | Q(ends_at__isnull=False), name="invitation_auditor_ends"
            ),
            models.CheckConstraint(
                condition=Q(invited_by__isnull=True) | (~Q(email="") & Q(sets_password=False)),
                name="invitation_of_member_plain",
            ),
        ]

    def __str__(self) -> str:
        return f"Invitation {self.pk}: {self.get_role_display()}"

    @property
    def is_from_operator(self) -> bool:
        """Whether it was made at the command line of the server, by whoever runs it."""
        return self.invited_by_id is None

    @property
    def inviter(self) -> str:
        """Inviting user, in words."""
        return str(self.invited_by) if self.invited_by else gettext("Whoever runs this server")

    @property
    def invitee(self) -> str:
        """Invited person, in words."""
        return self.email or gettext("Whoever has the link")


class Delegation(models.Model):
    """A department head's or people manager's scope lent to a colleague, from one moment until another.

    Lent is what the lender sees through these two roles at the moment of reading; whoever loses a role lends nothing.
    Nobody lends what they borrowed. Ended, never deleted.
    """

    account = models.ForeignKey("sync.Account", on_delete=models.CASCADE, related_name="delegations")
    lender = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="delegations_given")
    borrower = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="delegations_held")
    note = models.TextField(blank=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    created_at = models.DateTimeField()
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(lender=F("borrower")), name="delegation_to_another"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="delegation_ends_after_start"),
        ]

    def __str__(self) -> str:
        return f"Delegation {self.pk}"
