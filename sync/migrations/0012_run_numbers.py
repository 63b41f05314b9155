"""Number the runs of each account without gaps, in the order in which they were made."""

from django.db import migrations, models

NUMBER = """
    UPDATE sync_syncrun run SET number = placed.number
    FROM (SELECT id, row_number() OVER (PARTITION BY account_id ORDER BY id) AS number FROM sync_syncrun) placed
    WHERE placed.id = run.id
"""


class Migration(migrations.Migration):
    dependencies = [("sync", "0011_account_of_environment")]

    operations = [
        migrations.AddField("syncrun", "number", models.PositiveIntegerField(null=True, editable=False)),
        migrations.RunSQL(NUMBER, migrations.RunSQL.noop),
        migrations.AlterField("syncrun", "number", models.PositiveIntegerField(editable=False)),
        migrations.AddConstraint(
            "syncrun", models.UniqueConstraint(fields=["account", "number"], name="run_number_once")
        ),
    ]
