"""`manage.py verify_audit`: is the audit log as it was written?"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from config.commands import PlainCommand
from dashboard.audit_chain import chains, holds, verify
from sync.models import Account


class Command(PlainCommand):
    help = (
        "Follow the audit log's chain of hashes and say where it breaks first. Exit status 0: all as it was written; "
        "1: it is not. Note the last hash somewhere else now and then, and look for it later with --contains: that "
        "alone shows when the end of the log was cut off, or the whole of it written anew."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--account", metavar="NAME", help="only this account's log")
        parser.add_argument("--contains", metavar="HASH", help="a hash noted before, which must still be in a log")

    def handle(self, *_: Any, account: str | None, contains: str | None, **__: Any) -> None:
        names = dict(Account.objects.values_list("pk", "name"))
        wanted = chains()
        if account is not None:
            wanted = [key for key, name in names.items() if name == account]
            if not wanted:
                raise CommandError(f'No account is called "{account}".')
        broken = 0
        for chain in wanted:
            verdict = verify(chain)
            name = names.get(chain, "No account")
            if verdict.problem:
                broken += 1
                self.stdout.write(f"{name}: BROKEN after {verdict.events} events. {verdict.problem}")
            elif verdict.events:
                self.stdout.write(f"{name}: {verdict.events} events, all as written. The last hash: {verdict.digest}")
            else:
                self.stdout.write(f"{name}: no events.")
        if contains is not None and not holds(contains.strip().lower()):
            raise CommandError("The log does not contain the hash that was noted: it was cut off or written anew.")
        if broken:
            raise CommandError(f"The audit log is not as it was written: {broken} broken.")
