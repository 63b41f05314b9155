"""CSV with semicolons, for exports and schedules; and which CSV each reader took last."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("dashboard", "0030_renames"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="csv_format",
            field=models.CharField(
                db_default="csv",
                default="csv",
                help_text="The CSV they took along last: menus offer it before the other.",
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="export",
            name="format",
            field=models.CharField(
                choices=[("csv", "CSV"), ("csv_semicolons", "CSV with semicolons"), ("xlsx", "XLSX")], max_length=20
            ),
        ),
        migrations.AlterField(
            model_name="schedule",
            name="format",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "None"),
                    ("pdf", "PDF"),
                    ("csv", "CSV"),
                    ("csv_semicolons", "CSV with semicolons"),
                    ("xlsx", "XLSX"),
                ],
                max_length=20,
            ),
        ),
    ]
