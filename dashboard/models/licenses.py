"""Until when content bought in KnowBe4's store may be used: its API does not tell, so administrators enter it."""

from django.conf import settings
from django.db import models


class ContentLicense(models.Model):
    """The last day of the license for one store purchase, as somebody entered it."""

    account = models.ForeignKey("sync.Account", on_delete=models.CASCADE, related_name="content_licenses")
    content = models.OneToOneField("sync.ContentItem", on_delete=models.CASCADE, related_name="license")
    ends_on = models.DateField(help_text="The last day, in the account's time zone.")
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    entered_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"License of content {self.content_id} until {self.ends_on}"
