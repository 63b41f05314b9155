"""Tokens for programs and assistants instead of a sign-in: each reads what its member sees, until it ends."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class ApiToken(models.Model):
    """A member's token for one account. The secret is shown once and kept as a hash; `prefix` is how it begins.

    It reads in the scope that its member has at the moment of each call, and nothing once they have none. With
    `numbers_only` it reads figures and nobody's row. Revoked, never deleted: the audit log names it.
    """

    account = models.ForeignKey("sync.Account", on_delete=models.CASCADE, related_name="api_tokens", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100)
    token_digest = models.CharField(max_length=64, unique=True, help_text="SHA-256, in hexadecimal.")
    prefix = models.CharField(max_length=20)
    numbers_only = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True, help_text="To the minute.")
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="api_token_ends_after_start")
        ]
        indexes = [models.Index(fields=["account", "user"], name="api_token_by_member")]

    def __str__(self) -> str:
        return self.name

    def holds(self, at: datetime) -> bool:
        """Return whether the token can be used at `at`, as far as it is up to the token."""
        return self.revoked_at is None and self.expires_at > at
