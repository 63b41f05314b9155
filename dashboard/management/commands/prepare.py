"""What an installation needs before its first page: the account of the environment, and someone who can sign in."""

import json
import secrets
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import transaction
from django.utils.translation import gettext as _

from dashboard.models import Membership, Role, User
from dashboard.sign_in.demo import demo_password, make_up
from sync.models import Account

FIRST_ADMINISTRATOR = "admin@rollcall.example"


class Command(BaseCommand):
    help = (
        "Make or update the account that the environment describes (KNOWBE4_API_KEY, KNOWBE4_REGION, KNOWBE4_BASE_URL) "
        "and, where nobody can sign in yet, an administrator. Safe to repeat."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the account and the new sign-ins as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            account = Account.objects.from_environment()
            sign_ins = self._sign_ins(account) if account else []
        if options["json"]:
            is_published = account is not None and account.published_at is not None
            self.stdout.write(
                json.dumps({"account": str(account or ""), "is_published": is_published, "sign_ins": sign_ins})
            )
            return
        for sign_in in sign_ins:
            self.stdout.write(f"{sign_in['role']}: {sign_in['email']}  {sign_in['password']}")

    def _sign_ins(self, account: Account) -> list[dict[str, str]]:
        """Return the sign-ins to show: the demo's at every start, a first administrator's once."""
        if account.is_demo and settings.LOCAL_MODE:
            password = demo_password(settings.VAR_DIR)
            titles = dict(Role.choices)
            return [
                {"email": user.email, "password": password, "role": str(titles.get(role, _("Nobody")))}
                for role, user in make_up(account, password=password)
            ]
        if Membership.objects.filter(account=account, role=Role.ADMINISTRATOR).exists():
            return []
        return [
            self._sign_in(
                account,
                FIRST_ADMINISTRATOR,
                "First",
                "Administrator",
                Role.ADMINISTRATOR,
                password=secrets.token_urlsafe(12),
            )
        ]

    def _sign_in(
        self, account: Account, email: str, first_name: str, last_name: str, role: Role, *, password: str
    ) -> dict[str, str]:
        user = User.objects.filter(email=email).first() or User(email=email, first_name=first_name, last_name=last_name)
        if not user.check_password(password):
            user.set_password(password)
        user.save()
        Membership.objects.get_or_create(user=user, account=account, role=role)
        return {"email": email, "password": password, "role": str(role.label)}
