"""Email domains and the account each belongs to."""

import secrets

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


def new_domain_token() -> str:
    """Return a secret that only who looks after a domain can show again."""
    return secrets.token_hex(16)


class EmailDomain(models.Model):
    """An email domain that an account's single sign-on speaks for, as mail servers spell it.

    Once proven it belongs to the account, and to no other. Until then its provider signs in only people of it who
    accepted an invitation. `token` stands in the DNS record and in the mail that prove it.
    """

    class Proof(models.TextChoices):
        DNS = "dns", _("DNS record")
        MAIL = "mail", _("Mail to postmaster")
        OPERATOR = "operator", _("Whoever runs this server")

    account = models.ForeignKey("sync.Account", on_delete=models.CASCADE, related_name="email_domains")
    name = models.CharField(max_length=253)
    token = models.CharField(max_length=32, default=new_domain_token)
    proof = models.CharField(max_length=10, choices=Proof.choices, blank=True)
    proven_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "name"], name="email_domain_once_an_account"),
            models.UniqueConstraint(
                fields=["name"], condition=Q(proven_at__isnull=False), name="email_domain_of_one_account"
            ),
            models.CheckConstraint(
                condition=Q(proven_at__isnull=True, proof="") | (Q(proven_at__isnull=False) & ~Q(proof="")),
                name="email_domain_proven_somehow",
            ),
        ]

    def __str__(self) -> str:
        return self.name
