"""Find the few enrollments that are in no figure at any moment."""

from django.db import migrations, models
from django.db.models.functions import Lower, Trim
from django.db.models.lookups import In

KNOWN = ("passed", "completed", "not started", "in progress", "past due")


class Migration(migrations.Migration):
    dependencies = [("sync", "0008_searchable_people")]

    operations = [
        migrations.AddIndex(
            "enrollment",
            models.Index(
                fields=["account"],
                name="enrollment_never_counts",
                condition=models.Q(person__isnull=True) | ~models.Q(In(Lower(Trim("reported_status")), KNOWN)),
            ),
        ),
    ]
