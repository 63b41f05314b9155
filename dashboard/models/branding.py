"""Branding of an account's reports: its logo and its color."""

from django.db import models

DEFAULT_COLOR = "#0c6663"


class Branding(models.Model):
    """An account's logo and color; one without a row has the product's own.

    The logo is kept as SVG: one that came as PNG is the picture of it. Both are checked by `dashboard.logos` when they
    are set and again when they are read, which may say in `refusal` why the logo was left out.
    """

    refusal = ""

    account = models.OneToOneField("sync.Account", on_delete=models.PROTECT, related_name="branding")
    color = models.CharField(max_length=7, default=DEFAULT_COLOR, help_text="As #rrggbb.")
    logo = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"Branding of account {self.account_id}"
