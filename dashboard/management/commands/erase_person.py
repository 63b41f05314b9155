"""`manage.py erase_person EMAIL --reason TEXT`: forget who somebody was (GDPR, article 17)."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from config.commands import PlainCommand
from dashboard.services.erasure import NotErasableError, erase_person
from sync.models import Account


class Command(PlainCommand):
    help = (
        "Erase everybody who has or had an email: of a person KnowBe4 trains, of a member, or of both. Ids, dates and "
        "what is counted stay; names, addresses and all that history remembers of them go, for ever. Delete the person "
        "in KnowBe4, too. Prints which evidence packs were handed out before."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", metavar="EMAIL")
        parser.add_argument("--reason", required=True, metavar="TEXT", help="kept in the audit log: name no one in it")
        parser.add_argument("--account", metavar="NAME", help="only the person of this account, and no member")

    def handle(self, *_: Any, email: str, reason: str, account: str | None, **__: Any) -> None:
        chosen = None
        if account is not None:
            chosen = Account.objects.filter(name=account).first()
            if chosen is None:
                raise CommandError(f'No account is called "{account}".')
        if not reason.strip():
            raise CommandError("Say why, in a word or two: --reason TEXT.")
        try:
            done = erase_person(email, reason=reason.strip(), at=timezone.now(), account=chosen)
        except NotErasableError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"Erased: {done.people} people, {done.users} members; {done.changes} values of their history emptied."
        )
        for pack in done.packs:
            made = pack.ready_at.date().isoformat() if pack.ready_at else ""
            self.stdout.write(f"Handed out before: evidence pack {pack.number} of {pack.account}, made {made}.")
        if done.mails:
            self.stdout.write(f"Handed out before: {done.mails} mails with files, which cannot be called back.")
