"""Find people by their manager and their department."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("dashboard", "0005_tallies_from")]

    operations = [
        migrations.AddIndex(
            "personstanding", models.Index(models.F("account_id"), models.F("manager_id"), name="standing_by_manager")
        ),
        migrations.AddIndex(
            "personstanding",
            models.Index(models.F("account_id"), models.F("department_id"), name="standing_by_department"),
        ),
    ]
