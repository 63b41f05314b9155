"""Find what of a campaign falls due in a time."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("dashboard", "0007_past_due_indexes")]

    operations = [
        migrations.AddIndex(
            "fact",
            models.Index(
                models.F("account_id"), models.F("campaign_id"), models.F("due_at"), name="fact_by_campaign_due"
            ),
        ),
        migrations.RemoveIndex("fact", "fact_by_campaign"),
    ]
