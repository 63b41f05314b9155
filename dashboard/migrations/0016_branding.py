"""The logo and the color of an account's reports."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("dashboard", "0015_single_sign_on"),
        ("sync", "0008_searchable_people"),
    ]

    operations = [
        migrations.CreateModel(
            name="Branding",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("color", models.CharField(default="#0c6663", help_text="As #rrggbb.", max_length=7)),
                ("logo", models.TextField(blank=True)),
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="branding", to="sync.account"
                    ),
                ),
            ],
        ),
    ]
