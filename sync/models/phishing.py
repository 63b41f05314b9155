"""Phishing tests and what each person did with them."""

from django.db import models

from sync.models.people import Person


class PhishingCampaign(models.Model):
    """A phishing campaign: the plan behind one or more tests."""

    account = models.ForeignKey("sync.Account", on_delete=models.PROTECT, db_index=False)
    knowbe4_id = models.BigIntegerField()
    name = models.TextField(blank=True)
    reported_status = models.TextField(blank=True)
    frequency = models.TextField(blank=True)
    created_at = models.DateTimeField(null=True, blank=True)
    last_run_at = models.DateTimeField(null=True, blank=True)
    first_seen_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "knowbe4_id"], name="phishing_campaign_knowbe4_id_unique")
        ]

    def __str__(self) -> str:
        return self.name


class PhishingTest(models.Model):
    """One phishing security test (PST). Counts are KnowBe4's own; rates are decimals there: 0.277 is 27.7 %."""

    account = models.ForeignKey("sync.Account", on_delete=models.PROTECT, db_index=False)
    knowbe4_id = models.BigIntegerField()
    campaign = models.ForeignKey(PhishingCampaign, null=True, on_delete=models.PROTECT, related_name="tests")
    name = models.TextField(blank=True)
    reported_status = models.TextField(blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    duration = models.BigIntegerField(null=True, blank=True, help_text="Days.")
    template_name = models.TextField(blank=True)
    categories = models.JSONField(default=list)
    phish_prone_percentage = models.FloatField(null=True, blank=True, help_text="Decimal: 0.277 is 27.7 %.")
    scheduled_count = models.BigIntegerField(null=True, blank=True)
    delivered_count = models.BigIntegerField(null=True, blank=True)
    opened_count = models.BigIntegerField(null=True, blank=True)
    clicked_count = models.BigIntegerField(null=True, blank=True)
    replied_count = models.BigIntegerField(null=True, blank=True)
    attachment_open_count = models.BigIntegerField(null=True, blank=True)
    macro_enabled_count = models.BigIntegerField(null=True, blank=True)
    data_entered_count = models.BigIntegerField(null=True, blank=True)
    qr_code_scanned_count = models.BigIntegerField(null=True, blank=True)
    reported_count = models.BigIntegerField(null=True, blank=True)
    bounced_count = models.BigIntegerField(null=True, blank=True)
    first_seen_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "knowbe4_id"], name="phishing_test_knowbe4_id_unique")
        ]

    def __str__(self) -> str:
        return self.name


class PhishingResult(models.Model):
    """Result of one recipient in one test.

    `failed_at` is the first of clicked, replied, attachment opened, macro enabled, data entered and code scanned;
    opening or reporting the message is no failure. Addresses, browsers and systems are not kept.
    """

    account = models.ForeignKey("sync.Account", on_delete=models.PROTECT, db_index=False, db_constraint=False)
    # KnowBe4 promises recipient ids to be unique within a test only.
    test = models.ForeignKey(
        PhishingTest, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="results"
    )
    knowbe4_id = models.BigIntegerField()
    person = models.ForeignKey(
        Person, null=True, on_delete=models.PROTECT, db_constraint=False, related_name="phishing_results"
    )
    delivered_at = models.DateTimeField(null=True, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    clicked_at = models.DateTimeField(null=True, blank=True)
    replied_at = models.DateTimeField(null=True, blank=True)
    attachment_opened_at = models.DateTimeField(null=True, blank=True)
    macro_enabled_at = models.DateTimeField(null=True, blank=True)
    data_entered_at = models.DateTimeField(null=True, blank=True)
    qr_code_scanned_at = models.DateTimeField(null=True, blank=True)
    reported_at = models.DateTimeField(null=True, blank=True)
    bounced_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    first_seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["test", "knowbe4_id"], name="phishing_result_unique")]

    def __str__(self) -> str:
        return f"Recipient {self.knowbe4_id} of test {self.test_id}"
