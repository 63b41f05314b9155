"""Forms that were sent and have done what they say, so that a second click does not do it again."""

from django.conf import settings
from django.db import models


class SentForm(models.Model):
    """A form as it was sent: the key it was shown with, where it went and all it said, as one hash.

    The unique hash is what two web processes meet at. It is of no use a day later.
    """

    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256, in hexadecimal.")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sent_forms")
    sent_at = models.DateTimeField(db_index=True)
    led_to = models.TextField(blank=True, help_text="The address that shows what it made.")

    def __str__(self) -> str:
        return self.digest
