"""Tasks that somebody asked for; imports that wait for a worker which the queue never told are among them."""

from django.db import migrations, models
from django.utils import timezone

# By state of an import: the task that it waits for.
WORK = {"reading": "preview", "importing": "accept", "withdrawing": "withdraw"}


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
    ]
