"""Made exports keep whose people they hold; those made before are for readers who see everyone."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("dashboard", "0032_csv_separator")]

    operations = [migrations.AddField("export", "scope", models.JSONField(default=dict))]
