"""Count what ceased to count from an index alone."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("dashboard", "0022_content_licenses"), ("sync", "0009_never_counting")]

    operations = [
        migrations.AddIndex(
            "fact",
            models.Index(
                fields=["account_id", "until"],
                name="fact_ceased",
                condition=models.Q(until__isnull=False),
                include=["enrolled_at", "removed_at", "department_id", "manager_id"],
            ),
        ),
    ]
