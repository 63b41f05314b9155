"""Check KnowBe4's answers to an account before the first sync relies on them."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from rich.console import Console

from config.commands import PlainCommand
from config.sealing import SecretUnreadableError
from sync.knowbe4.api_check import Effect, Outcome
from sync.management.commands.sync import find_account
from sync.models import ApiCheck
from sync.pipeline.api_check import check_account
from sync.pipeline.run import NotConnectedError

EXIT_STOPS = 3
EXITS = {
    Outcome.KEY_REFUSED: 4,
    Outcome.UNREACHABLE: 5,
    Outcome.RATE_LIMITED: 6,
    Outcome.NOT_ALLOWED: 7,
    Outcome.WRONG_REGION: 8,
}
DEFAULT_FILE = "knowbe4-check.json"


class Command(PlainCommand):
    help = (
        "Ask KnowBe4 for two rows of everything, in at most 30 requests, and write what differs from what Rollcall "
        "expects into a file that can be sent: shapes and KnowBe4's own words, no value of anybody. Exit status: 0 "
        "everything is read, surprises or not, 3 a surprise would keep a sync from being published, 4 the key is not "
        "accepted, 5 KnowBe4 is not reached, 6 its limit of requests is reached, 7 the key may not use the Reporting "
        "API, 8 the key belongs to another region."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--account", metavar="NAME", help="which account; not needed when there is only one")
        parser.add_argument(
            "--output", metavar="FILE", default=DEFAULT_FILE, help=f"where to write the report (default {DEFAULT_FILE})"
        )
        parser.add_argument(
            "--find-region", action="store_true", help="send a key that is not accepted to KnowBe4's other regions, too"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        account, console = find_account(options["account"]), Console(file=sys.stderr)
        path = Path(options["output"])
        is_new = not path.exists()
        try:
            # Before the requests are spent; what an earlier check wrote stays until there is something to replace it.
            path.open("a").close()
        except OSError as error:
            raise _unwritable(path, error) from None

        def waiting(seconds: float, why: str) -> None:
            if seconds >= 5:
                console.print(f"Waiting {seconds:.0f} s ({why})", style="dim")

        try:
            report = check_account(account, find_region=options["find_region"], on_wait=waiting)
        except BaseException as error:
            if is_new:
                path.unlink()
            if isinstance(error, NotConnectedError | SecretUnreadableError | ValueError):
                raise CommandError(str(error), returncode=1) from None
            raise
        try:
            path.write_text(ApiCheck(report=report.as_json()).file, encoding="utf-8")
        except OSError as error:
            raise _unwritable(path, error) from None
        for surprise in report.surprises:
            self.stdout.write(f"- {surprise}")
        self.stdout.write(f"{path}: {report.requests} requests; no names, addresses or ids are in it.")
        if report.outcome in EXITS:
            hint = ""
            if report.outcome == Outcome.KEY_REFUSED and not account.base_url and not options["find_region"]:
                hint = " With --find-region the other regions are asked whose key it is."
            raise CommandError(report.message + hint, returncode=EXITS[report.outcome])
        if report.effect == Effect.STOPS:
            raise CommandError(report.message, returncode=EXIT_STOPS)
        self.stdout.write(report.message)


def _unwritable(path: Path, error: OSError) -> CommandError:
    return CommandError(f"The report cannot be written to {path} ({error.strerror}): name another file with --output.")
