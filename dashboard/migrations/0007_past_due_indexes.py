"""Find what was past due at a moment, and people whose standing was worked out after one."""

from django.db import migrations, models
from django.db.models.functions import Greatest
from django.db.models.lookups import LessThan

from dashboard.models.rollups import PastDueEnds


class Migration(migrations.Migration):
    dependencies = [("dashboard", "0006_standing_indexes")]

    operations = [
        migrations.AddIndex(
            "fact",
            models.Index(
                models.F("account_id"),
                PastDueEnds("completed_at", "until"),
                Greatest("due_at", "enrolled_at"),
                name="fact_past_due",
                condition=models.Q(due_at__isnull=False)
                & models.Q(LessThan(Greatest("due_at", "enrolled_at"), PastDueEnds("completed_at", "until"))),
            ),
        ),
        migrations.AddIndex(
            "personstanding",
            models.Index(models.F("account_id"), models.F("computed_at"), name="standing_by_computed"),
        ),
    ]
