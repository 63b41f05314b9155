"""Departments and groups know since when they have nobody; the next publication fills it in."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sync", "0013_erasure")]

    operations = [
        migrations.AddField(
            "department",
            "vacated_at",
            models.DateTimeField(
                null=True, help_text="Since when nobody active is under this name; null: somebody is."
            ),
        ),
        migrations.AddField(
            "group",
            "vacated_at",
            models.DateTimeField(null=True, help_text="Since when nobody active is in it; null: somebody is."),
        ),
    ]
