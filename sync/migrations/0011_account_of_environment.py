"""Remember which account the environment describes and which is the demo's, which its name told until now.

An account named "Demo" is the demo's only if it holds the simulator's key: a proxy on this machine was called so, too.
"""

from urllib.parse import urlsplit

from django.db import migrations, models
from django.db.models import Q

from config.processes import SIMULATOR_KEY
from config.sealing import Purpose, SecretUnreadableError, unseal

SIMULATED = "Brackwater Mutual"


def tell_apart(apps, schema_editor):
    Account = apps.get_model("sync", "Account")
    real = []
    for account in Account.objects.order_by("pk"):
        if account.name == "Demo" and _is_simulators(account):
            account.is_demo = True
            account.save(update_fields=["is_demo"])
        else:
            real.append(account)
    named = [account for account in real if account.name in _given_names(account)]
    # Where there are several, the next start asks.
    if len(named) == 1:
        named[0].is_from_environment = True
        named[0].save(update_fields=["is_from_environment"])


def _is_simulators(account):
    try:
        return unseal(bytes(account.encrypted_key), Purpose.KNOWBE4_KEY) == SIMULATOR_KEY
    except SecretUnreadableError:
        return account.knowbe4_name in {"", SIMULATED}


def _given_names(account):
    """Return the names that an account of the environment at this place had."""
    host = urlsplit(account.base_url).hostname
    return {"Demo", host} if host else {f"KnowBe4 {account.region.upper()}"}


class Migration(migrations.Migration):
    dependencies = [("sync", "0010_api_check")]

    operations = [
        migrations.AddField(
            "account", "is_from_environment", models.BooleanField(default=False, editable=False), preserve_default=True
        ),
        migrations.AddField("account", "is_demo", models.BooleanField(default=False, editable=False)),
        migrations.RunPython(tell_apart, migrations.RunPython.noop),
        migrations.AddConstraint(
            "account",
            models.UniqueConstraint(
                fields=["is_from_environment"],
                condition=Q(is_from_environment=True),
                name="account_of_environment_once",
            ),
        ),
        migrations.AddConstraint(
            "account",
            models.UniqueConstraint(fields=["is_demo"], condition=Q(is_demo=True), name="account_demo_once"),
        ),
        migrations.AddConstraint(
            "account",
            models.CheckConstraint(condition=~Q(is_demo=True, is_from_environment=True), name="account_demo_apart"),
        ),
    ]
