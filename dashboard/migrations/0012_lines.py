"""Keep who is below whom, and every day of the past by manager."""

from typing import Any

from django.db import migrations, models


def work_out_anew(apps: Any, _editor: Any) -> None:
    """Leave the tallies to be worked out by the task that advances them; until then the facts answer."""
    apps.get_model("dashboard", "RollupState").objects.update(tallies_from=None)


class Migration(migrations.Migration):
    dependencies = [("dashboard", "0011_audit")]

    operations = [
        migrations.CreateModel(
            name="ReportingLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("account_id", models.BigIntegerField()),
                ("manager_id", models.BigIntegerField()),
                ("below_id", models.BigIntegerField()),
                ("is_loop", models.BooleanField()),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("account_id"),
                        models.F("manager_id"),
                        name="line_with_loop",
                        condition=models.Q(("is_loop", True)),
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("account_id", "manager_id", "below_id"), name="line_unique")
                ],
            },
        ),
        migrations.RunPython(work_out_anew, work_out_anew),
    ]
