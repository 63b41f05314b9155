"""Remember since when the tallies keep the past."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("dashboard", "0004_rollups")]

    operations = [migrations.AddField("rollupstate", "tallies_from", models.DateTimeField(null=True))]
