"""Invitations by whoever runs the server. Of an account that was taken for the demo, what was made up ends."""

import django.db.models.deletion
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import migrations, models
from django.db.models import Q
from django.utils import timezone

# A server's first administrator in 0.1.0, with a password of their own: perhaps the only one who can sign in.
FIRST_ADMINISTRATOR = "admin@rollcall.example"
# Made up without a role.
NOBODY = "nobody@brackwater.example"


def end_made_up(apps, schema_editor):
    """End the roles that were made up, with the demo's password, in an account that is not the demo's.

    Whoever is left without a role loses that password, too.
    """
    Membership = apps.get_model("dashboard", "Membership")
    User = apps.get_model("dashboard", "User")
    now = timezone.now()
    holding = Membership.objects.filter(Q(ends_at=None) | Q(ends_at__gt=now))
    made_up = holding.filter(account__name="Demo", account__is_demo=False, source="set_up")
    made_up = made_up.exclude(user__email__iexact=FIRST_ADMINISTRATOR)
    ended = set(made_up.values_list("user_id", flat=True))
    if not ended:
        return
    made_up.update(ends_at=now)
    without_role = User.objects.filter(Q(pk__in=ended) | Q(email=NOBODY))
    for user in without_role.exclude(pk__in=holding.values("user_id")):
        user.password = make_password(None)
        user.save(update_fields=["password"])


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
