"""`manage.py rollups`: build the rollups anew, or say how they stand."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from dashboard import rollups
from dashboard.models import RollupState
from sync.models import Account


class Command(BaseCommand):
    """Build what makes pages fast anew from the mirror. Numbers are the same before and after."""

    help = "Build the rollups of one account, or of all, anew from what is synced."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the account's name."""
        parser.add_argument("--account", metavar="NAME", help="only this account")

    def handle(self, *_: Any, account: str | None, **__: Any) -> None:
        """Rebuild, one account after the other; an unknown name is an error."""
        accounts = Account.objects.filter(published_at__isnull=False).order_by("name")
        if account is not None:
            accounts = accounts.filter(name=account)
            if not accounts:
                raise CommandError(f'No synced account is called "{account}".')
        for one in accounts:
            now = timezone.now()
            rollups.rebuild(one, at=now)
            took = (timezone.now() - now).total_seconds()
            state = RollupState.objects.get(account=one)
            self.stdout.write(f"{one.name}: built in {took:.1f} s, up to {state.horizon:%Y-%m-%d %H:%M} UTC.")
