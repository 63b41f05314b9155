"""Packs keep the scope they were made in, and every kind of file whether it holds the audit log.

Of packs made before nobody knows whether they hold the log: they are for readers of it, for the week they last.
"""

from django.db import migrations, models

_KEPT = """
UPDATE dashboard_export SET scope = scope || '{"log": true}' WHERE "table" = 'audit_log' AND state = 'ready';
UPDATE dashboard_delivery d SET scope = d.scope || '{"log": true}'
FROM dashboard_occurrence o JOIN dashboard_schedule s ON s.id = o.schedule_id
WHERE o.id = d.occurrence_id AND s.content = 'table' AND s.what = 'audit_log' AND d.expires_at IS NOT NULL;
UPDATE dashboard_evidencepack SET scope = '{"everyone": true, "log": true}' WHERE state = 'ready';
"""


class Migration(migrations.Migration):
    dependencies = [("dashboard", "0034_proofs")]

    operations = [
        migrations.AddField("evidencepack", "scope", models.JSONField(default=dict)),
        migrations.AddField(
            "delivery",
            "begun",
            models.SmallIntegerField(default=0, help_text="How often a worker took it up."),
        ),
        # Words in the models' state alone: the columns stay as they are.
        migrations.AlterField("delivery", "expires_at", models.DateTimeField(null=True)),
        migrations.AlterField("delivery", "scope", models.JSONField(default=dict)),
        migrations.RunSQL(_KEPT, migrations.RunSQL.noop),
    ]
