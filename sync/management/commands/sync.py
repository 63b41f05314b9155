"""One sync in the foreground, with a progress bar."""

import logging
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from config.commands import PlainCommand
from config.sealing import SecretUnreadableError
from sync.models import Account, SyncRun
from sync.pipeline.run import AlreadyRunningError, NotConnectedError
from sync.pipeline.stopping import run_stoppable

EXIT_HELD, EXIT_REFUSED, EXIT_RESUMABLE = 3, 4, 5


class Command(PlainCommand):
    help = (
        "Sync one account with KnowBe4 now. Exit status: 0 published, 3 held by a check, 4 KnowBe4 refused the key, "
        "5 unreachable or out of requests (the next sync goes on where this one stopped)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--account", metavar="NAME", help="which account; not needed when there is only one")
        parser.add_argument("--full", action="store_true", help="read everything (a first sync always does)")
        parser.add_argument("--if-never", action="store_true", help="only accounts with a key that were never synced")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["if_never"] and options["account"] is None and Account.objects.exists():
            accounts = [account for account in Account.objects.order_by("name") if account.encrypted_key]
        else:
            accounts = [find_account(options["account"])]
        for account in accounts:
            if not options["if_never"] or account.published_at is None:
                self._sync(account, full=options["full"])

    def _sync(self, account: Account, *, full: bool) -> None:
        # The outcome is told below, once.
        logging.getLogger("sync.pipeline.run").setLevel(logging.ERROR)
        console = Console(file=sys.stderr)
        with Steps(console) as steps:
            try:
                run = run_stoppable(
                    account,
                    trigger=SyncRun.Trigger.COMMAND,
                    full=full,
                    listener=steps.show,
                    on_wait=steps.waiting,
                )
            except (AlreadyRunningError, NotConnectedError, SecretUnreadableError) as error:
                raise CommandError(str(error), returncode=1) from None
        if run.state == SyncRun.State.PUBLISHED:
            self.stdout.write(_published(run))
            return
        code = 1
        if run.state == SyncRun.State.HELD:
            code = EXIT_HELD
        elif run.refuses_key:
            code = EXIT_REFUSED
        elif run.state == SyncRun.State.PAUSED:
            code = EXIT_RESUMABLE
        raise CommandError(f"{run.get_state_display()}: {run.message}", returncode=code)


def find_account(name: str | None) -> Account:
    """Return the account of this name, or the only one; CommandError says what there is instead."""
    accounts = list(Account.objects.order_by("name"))
    if name is not None:
        accounts = [account for account in accounts if account.name == name]
    if len(accounts) == 1:
        return accounts[0]
    known = ", ".join(Account.objects.order_by("name").values_list("name", flat=True))
    if not known:
        raise CommandError("There is no account yet: set KNOWBE4_API_KEY and run manage.py prepare.")
    raise CommandError(f"Say which account with --account; there are: {known}.")


def _published(run: SyncRun) -> str:
    rows = sum(entry["rows"] for entry in run.resources.values())
    seconds = (run.finished_at - run.started_at).total_seconds() if run.finished_at else 0
    written = sum(count["inserted"] + count["changed"] + count["restored"] for count in run.counts.values())
    vanished = sum(count["vanished"] for count in run.counts.values())
    return (
        f"Published run {run.number}: {rows:,} rows read with {run.requests_made:,} requests in {seconds:.1f} s; "
        f"{written:,} rows written, {vanished:,} no longer returned."
    )


class Steps:
    """The terminal's picture of a run: a line for each step."""

    def __init__(self, console: Console) -> None:
        self._bars = Progress(
            TextColumn("{task.description:<20}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            console=console,
        )
        self._console = console
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "Steps":
        if self._console.is_terminal:
            self._bars.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._bars.stop()

    def show(self, run: SyncRun) -> None:
        """Draw the run as it is."""
        if not self._console.is_terminal:
            return
        for step, entry in run.resources.items():
            rows, done = entry["rows"], entry["state"] == "done"
            total = rows if done else max(rows, entry["expected"] or 0) or None
            if step not in self._tasks:
                self._tasks[step] = self._bars.add_task(entry["title"], note="", total=total)
            self._bars.update(self._tasks[step], completed=rows, total=total, note=f"{entry['requests']:,} requests")

    def waiting(self, seconds: float, why: str) -> None:
        """Say that the run waits for KnowBe4's allowance or for an answer, if it takes long enough to wonder."""
        if seconds >= 5:
            self._console.print(f"Waiting {seconds:.0f} s ({why})", style="dim")
