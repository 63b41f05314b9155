"""`manage.py verify_audit`: is the audit log as it was written?"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from config.commands import PlainCommand
from dashboard.audit.chain import chains, continues, holds, verify
from dashboard.evidence.reading import NotAPackError, noted_in
from sync.models import Account


class Command(PlainCommand):
    help = (
        "Follow the audit log's chain of hashes and say where it breaks first. Exit status 0: all as it was written; "
        "1: it is not. Note the last hash somewhere else now and then, and look for it later with --contains: that "
        "alone shows when the end of the log was cut off, or the whole of it written anew. Evidence packs hold it, and "
        "auditors get it by mail every week: --since-pack compares."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--account", metavar="NAME", help="only this account's log")
        parser.add_argument("--contains", metavar="HASH", help="a hash noted before, which must still be in a log")

        parser.add_argument(
            "--since-pack",
            metavar="FILE",
            type=Path,
            help="an evidence pack made before, or its manifest.json: its account's log must begin as it did then",
        )

    def handle(
        self, *_: Any, account: str | None, contains: str | None, since_pack: Path | None = None, **__: Any
    ) -> None:
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
        if since_pack is not None:
            self._compare(since_pack, names, wanted)
        if contains is not None and not holds(contains.strip().lower()):
            raise CommandError("The log does not contain the hash that was noted: it was cut off or written anew.")
        if broken:
            raise CommandError(f"The audit log is not as it was written: {broken} broken.")

    def _compare(self, path: Path, names: dict[int, str], wanted: list[int]) -> None:
        """Hold the log to what a pack noted of it. CommandError when it does not begin so, and for another account."""
        try:
            chain, noted = noted_in(path)
        except NotAPackError as error:
            raise CommandError(str(error)) from error
        name = names.get(chain, f"account {chain}")
        if chain not in wanted and noted.events:
            raise CommandError(f"The pack is of {name}, of which there is no audit log here.")
        if not continues(chain, noted):
            raise CommandError(
                f"{name}: the log does not begin as it did when the pack was made, with {noted.events} events and the "
                f"hash {noted.digest}: it was changed, cut off or written anew."
            )
        self.stdout.write(f"{name}: the first {noted.events} events are those of when the pack was made.")
