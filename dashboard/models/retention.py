"""Retention periods of an account, for what it need not keep for ever."""

from django.db import models


class Retention(models.Model):
    """Days after which something is removed, each None for never: an account without a row keeps all of it.

    `people_days` count from the day somebody left (archived, or not returned by KnowBe4 any more), `mails_days` and
    `exports_days` from the day a mail or a file was done with, `sessions_days` from when a session was last used.
    """

    account = models.OneToOneField("sync.Account", on_delete=models.CASCADE, related_name="retention")
    people_days = models.PositiveIntegerField(null=True, blank=True)
    mails_days = models.PositiveIntegerField(null=True, blank=True)
    exports_days = models.PositiveIntegerField(null=True, blank=True)
    sessions_days = models.PositiveIntegerField(null=True, blank=True)

    def __str__(self) -> str:
        return f"Retention of {self.account}"
