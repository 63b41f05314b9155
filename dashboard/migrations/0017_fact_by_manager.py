"""Find the facts of the reports of some managers."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("dashboard", "0016_branding")]

    operations = [
        migrations.AddIndex(
            "fact", models.Index(models.F("account_id"), models.F("manager_id"), name="fact_by_manager")
        ),
    ]
