"""Add to a provider why it was last refused, and when it left out groups."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("dashboard", "0028_proven_sign_ins"),
    ]

    operations = [
        migrations.AddField(
            model_name="singlesignon",
            name="groups_untold_at",
            field=models.DateTimeField(help_text="When it last left out groups, being too many.", null=True),
        ),
        migrations.AddField(
            model_name="singlesignon",
            name="last_refusal",
            field=models.TextField(
                blank=True, db_default="", help_text="Why an answer was refused, without anything about a person."
            ),
        ),
        migrations.AddField(
            model_name="singlesignon",
            name="last_refused_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AlterField(
            model_name="alert",
            name="kind",
            field=models.CharField(
                choices=[
                    ("sync_failed", "Sync failed"),
                    ("sync_held", "Sync held"),
                    ("sync_outdated", "No new sync"),
                    ("schedule_failed", "Schedule not mailed"),
                    ("groups_untold", "Groups not told"),
                ],
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="singlesignon",
            name="email_attribute",
            field=models.CharField(blank=True, help_text="That with the email; empty: the usual.", max_length=200),
        ),
    ]
