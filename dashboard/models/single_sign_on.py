"""Single sign-on of an account: its identity provider, and the roles that the provider's groups give."""

import secrets

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from config.sealing import Purpose, SecretUnreadableError, seal, unseal
from dashboard.models.members import Role

# Where the mapping of single sign-on speaks of an email domain, it is written like this: example.org.
KEY_BYTES = 6


def new_key() -> str:
    """Return a name for addresses that says nothing of the account."""
    return secrets.token_hex(KEY_BYTES)


class SingleSignOn(models.Model):
    """An identity provider that one account trusts to say who somebody is and which groups they are in.

    Only emails of `email_domains` are believed. `default_role` is what somebody without any mapped group gets, empty
    for nothing. With `is_required`, members of this account alone sign in no other way; its administrators can.
    """

    class Kind(models.TextChoices):
        OIDC = "oidc", _("OpenID Connect")
        SAML = "saml", _("SAML 2.0")

    account = models.OneToOneField("sync.Account", on_delete=models.CASCADE, related_name="single_sign_on")
    key = models.SlugField(max_length=20, unique=True, default=new_key, editable=False)
    kind = models.CharField(max_length=4, choices=Kind.choices, default=Kind.OIDC)
    name = models.CharField(max_length=60, help_text="As the sign-in page calls it.")
    is_enabled = models.BooleanField(default=True)
    is_required = models.BooleanField(default=False)
    email_domains = ArrayField(models.CharField(max_length=253))
    default_role = models.CharField(max_length=20, choices=Role.choices, blank=True)
    groups_claim = models.CharField(max_length=200, default="groups", help_text="The claim or attribute with groups.")
    email_attribute = models.CharField(max_length=200, blank=True, help_text="That with the email; empty: the usual.")
    last_refusal = models.TextField(
        blank=True, db_default="", help_text="Why an answer was refused, without anything about a person."
    )
    last_refused_at = models.DateTimeField(null=True)
    groups_untold_at = models.DateTimeField(null=True, help_text="When it last left out groups, being too many.")

    # OpenID Connect.
    server_url = models.URLField(blank=True, max_length=500)
    client_id = models.CharField(max_length=300, blank=True)
    encrypted_secret = models.BinaryField(default=b"", editable=False)

    # SAML.
    idp_entity_id = models.CharField(max_length=500, blank=True)
    idp_sso_url = models.URLField(blank=True, max_length=500)
    idp_certificate = models.TextField(blank=True)

    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(email_domains=[]), name="single_sign_on_has_domains"),
            # An auditor's role has an end, which a default has not.
            models.CheckConstraint(condition=~Q(default_role=Role.AUDITOR), name="single_sign_on_default_has_no_end"),
            models.CheckConstraint(
                condition=~Q(kind="oidc") | (~Q(server_url="") & ~Q(client_id="")), name="single_sign_on_oidc_is_whole"
            ),
            models.CheckConstraint(
                condition=~Q(kind="saml") | (~Q(idp_entity_id="") & ~Q(idp_sso_url="") & ~Q(idp_certificate="")),
                name="single_sign_on_saml_is_whole",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def secret(self) -> str:
        """The client secret in clear text; empty when none was entered. Never log it, never show it."""
        return unseal(bytes(self.encrypted_secret), Purpose.SIGN_IN)

    @secret.setter
    def secret(self, value: str) -> None:
        self.encrypted_secret = seal(value, Purpose.SIGN_IN)

    @property
    def secret_problem(self) -> str:
        """Reason that the stored client secret cannot be read, as a sentence; empty when it can, or none is stored."""
        try:
            bool(self.secret)
        except SecretUnreadableError as error:
            return str(error)
        return ""


class SingleSignOnRole(models.Model):
    """Role that a group of the identity provider gives: a role, for a department head with departments.

    `group` is compared as it comes. `ends_at` is the end of the role it gives; an auditor's always has one.
    """

    single_sign_on = models.ForeignKey(SingleSignOn, on_delete=models.CASCADE, related_name="roles")
    group = models.CharField(max_length=300)
    role = models.CharField(max_length=20, choices=Role.choices)
    departments = models.ManyToManyField("sync.Department", blank=True, related_name="+")
    ends_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["single_sign_on", "group", "role"], name="single_sign_on_role_unique"),
            models.CheckConstraint(
                condition=~Q(role=Role.AUDITOR) | Q(ends_at__isnull=False), name="single_sign_on_role_auditor_ends"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.group}: {self.get_role_display()}"
