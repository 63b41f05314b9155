"""Departments that KnowBe4 renamed wait for a decision; alerts of that, of empty schedules and of the log's end."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("dashboard", "0029_providers"),
        ("sync", "0014_vacancies"),
    ]

    operations = [
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
                    ("schedule_empty", "Schedule about nobody"),
                    ("department_renamed", "Department renamed"),
                    ("audit_head", "Audit log of the week"),
                ],
                max_length=20,
            ),
        ),
        migrations.CreateModel(
            name="DepartmentRename",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("people", models.IntegerField()),
                ("active", models.IntegerField()),
                ("seen_at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(null=True)),
                ("is_continued", models.BooleanField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="sync.account"
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "department",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="sync.department",
                    ),
                ),
                (
                    "into",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="sync.department",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("decided_at__isnull", True)),
                        fields=("account", "department", "into"),
                        name="department_rename_open_once",
                    )
                ],
            },
        ),
    ]
