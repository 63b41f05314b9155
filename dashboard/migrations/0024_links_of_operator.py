"""Invitations by whoever runs the server. Of an account that was taken for the demo, what was made up ends."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q
from django.utils import timezone


def end_made_up(apps, schema_editor):
    """End the roles that were made up, with the demo's password, in an account that is not the demo's."""
    Membership = apps.get_model("dashboard", "Membership")
    made_up = Membership.objects.filter(account__name="Demo", account__is_demo=False, source="set_up", ends_at=None)
    made_up.update(ends_at=timezone.now())


class Migration(migrations.Migration):
    dependencies = [("dashboard", "0002_squashed_0023"), ("sync", "0011_account_of_environment")]

    operations = [
        migrations.AlterField(
            "invitation",
            "invited_by",
            models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AlterField("invitation", "email", models.EmailField(blank=True, max_length=254)),
        migrations.AddField("invitation", "sets_password", models.BooleanField(default=False)),
        migrations.AddConstraint(
            "invitation",
            models.CheckConstraint(
                condition=Q(invited_by__isnull=True) | (~Q(email="") & Q(sets_password=False)),
                name="invitation_of_member_plain",
            ),
        ),
        migrations.RunPython(end_made_up, migrations.RunPython.noop),
    ]
