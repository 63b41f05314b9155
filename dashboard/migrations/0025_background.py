"""Tasks that somebody asked for, imports that the queue never told a worker of among them; and alerts."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.utils import timezone

# By state of an import: the task that it waits for.
WORK = {"reading": "preview", "importing": "accept", "withdrawing": "withdraw"}
KINDS = [
    ("sync_failed", "Sync failed"),
    ("sync_held", "Sync held"),
    ("sync_outdated", "No new sync"),
    ("schedule_failed", "Schedule not mailed"),
]
STATES = [
    ("waiting", "Waiting"),
    ("handing_over", "Being handed over"),
    ("sent", "Sent"),
    ("failed", "Failed"),
    ("unknown", "Not known whether sent"),
    ("superseded", "Not needed any more"),
]


def to(model, related_name="+"):
    """Return a key that goes with what it leads to."""
    return models.ForeignKey(
        model, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name=related_name
    )


def ask_again(apps, schema_editor):
    """Have imports carried out whose task the queue refused."""
    tasks, now = apps.get_model("dashboard", "AskedTask").objects, timezone.now()
    waiting = apps.get_model("sync", "ConsoleImport").objects.filter(state__in=WORK)
    for pk, state in waiting.values_list("pk", "state").order_by("pk"):
        name = f"sync.tasks.{WORK[state]}_console_import"
        tasks.create(task=name, arguments={"import_id": pk}, asked_at=now, queue_again_at=now)


class Migration(migrations.Migration):
    dependencies = [("dashboard", "0024_links_of_operator"), ("sync", "0011_account_of_environment")]

    operations = [
        migrations.CreateModel(
            "AskedTask",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("task", models.CharField(max_length=80)),
                ("arguments", models.JSONField(default=dict)),
                ("asked_at", models.DateTimeField()),
                ("queue_again_at", models.DateTimeField(db_index=True)),
            ],
        ),
        migrations.RunPython(ask_again, migrations.RunPython.noop),
        migrations.CreateModel(
            "Alert",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=20, choices=KINDS)),
                ("subject_id", models.BigIntegerField(default=0)),
                ("said", models.TextField()),
                ("began_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("account", to("sync.account")),
            ],
        ),
        migrations.CreateModel(
            "AlertMail",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("is_over", models.BooleanField(default=False)),
                ("state", models.CharField(max_length=20, choices=STATES, default="waiting")),
                ("said", models.TextField(blank=True)),
                ("attempts", models.SmallIntegerField(default=0)),
                ("next_try_at", models.DateTimeField()),
                ("account", to("sync.account")),
                ("alert", to("dashboard.alert", related_name="mails")),
                ("recipient", to(settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.AddConstraint(
            "alert",
            models.UniqueConstraint(
                fields=["account", "kind", "subject_id"], condition=models.Q(ended_at=None), name="alert_open_once"
            ),
        ),
        migrations.AddIndex(
            "alertmail",
            models.Index(
                models.F("next_try_at"),
                condition=models.Q(state__in=["waiting", "handing_over"]),
                name="alert_mail_unfinished",
            ),
        ),
        migrations.AddConstraint(
            "alertmail",
            models.UniqueConstraint(fields=["alert", "recipient", "is_over"], name="alert_mail_once"),
        ),
    ]
