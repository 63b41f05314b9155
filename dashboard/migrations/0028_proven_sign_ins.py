"""Add the account of an email domain, and whose word it is what users sign in with."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q
from django.utils import timezone
from django.utils.encoding import punycode

import dashboard.models.domains


def name_domains(apps, _editor):
    """Write down the domains that single sign-on speaks for.

    Where there is one account they are its own: whoever runs the installation set it up for nobody else. Of several
    accounts none has proven any.
    """
    providers = apps.get_model("dashboard", "SingleSignOn").objects.order_by("pk")
    is_alone = apps.get_model("sync", "Account").objects.count() == 1
    proof = {"proof": "operator", "proven_at": timezone.now()} if is_alone else {}
    domains = apps.get_model("dashboard", "EmailDomain").objects
    for provider in providers:
        for name in sorted({punycode(domain).lower() for domain in provider.email_domains}):
            domains.create(account_id=provider.account_id, name=name, **proof)


def name_who_vouches(apps, _editor):
    """Users whom nobody invited came in by a provider's word: so is what they signed in with since."""
    providers = dict(apps.get_model("dashboard", "SingleSignOn").objects.values_list("key", "account_id"))
    users, held = apps.get_model("dashboard", "User").objects, apps.get_model("dashboard", "Membership").objects
    invited = held.exclude(source="single_sign_on").values("user")
    links = apps.get_model("socialaccount", "SocialAccount").objects.filter(provider__in=providers)
    for user, provider in links.exclude(user__in=invited).order_by("pk").values_list("user", "provider"):
        users.filter(pk=user, vouched_by=None).update(vouched_by=providers[provider])


class Migration(migrations.Migration):
    dependencies = [
        ("dashboard", "0027_erasure"),
        ("socialaccount", "0006_alter_socialaccount_extra_data"),
        ("sync", "0013_erasure"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="vouched_by",
            field=models.ForeignKey(
                help_text="Whose provider alone said who set the password or a second factor; null: the mailbox did.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="sync.account",
            ),
        ),
        migrations.CreateModel(
            name="EmailDomain",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=253)),
                ("token", models.CharField(default=dashboard.models.domains.new_domain_token, max_length=32)),
                (
                    "proof",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("dns", "DNS record"),
                            ("mail", "Mail to postmaster"),
                            ("operator", "Whoever runs this server"),
                        ],
                        max_length=10,
                    ),
                ),
                ("proven_at", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="email_domains",
                        to="sync.account",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("account", "name"), name="email_domain_once_an_account"),
                    models.UniqueConstraint(
                        condition=Q(("proven_at__isnull", False)), fields=("name",), name="email_domain_of_one_account"
                    ),
                    models.CheckConstraint(
                        condition=Q(
                            Q(("proof", ""), ("proven_at__isnull", True)),
                            Q(("proven_at__isnull", False), Q(("proof", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="email_domain_proven_somehow",
                    ),
                ],
            },
        ),
        migrations.RunPython(name_domains, migrations.RunPython.noop),
        migrations.RunPython(name_who_vouches, migrations.RunPython.noop),
    ]
