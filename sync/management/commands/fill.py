"""`manage.py fill`: an invented company straight into Postgres, as many rows as are asked for."""

import gc
import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from sync.filling import NotFillableError, Size, fill
from sync.filling.account import NAME


class Command(BaseCommand):
    """Fills one account of its own; others are never touched."""

    help = (
        "Fill Postgres straight from the simulator's world, without HTTP, as a first sync of that company would: for "
        "benchmarks. Writes to an account of its own."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the options."""
        size = Size()
        parser.add_argument("--enrollments", type=int, required=True, help="about so many over three years")
        parser.add_argument("--people", type=int, default=size.people, help="active people (default 50,000)")
        parser.add_argument("--seed", type=int, default=size.seed, help="another seed is another company (default 7)")
        parser.add_argument("--account", default=NAME, help=f"the new account's name (default {NAME})")

    def handle(self, *args: Any, **options: Any) -> None:
        """Fill, and say what is there and how long it took."""
        gc.set_threshold(200_000, 50, 1_000)  # history is built of what stays: looking for garbage in it takes longer
        console = Console(file=sys.stderr)
        size = Size(options["people"], options["enrollments"], options["seed"])
        began = time.monotonic()
        try:
            run = fill(size, name=options["account"], say=console.print)
        except (NotFillableError, ValueError) as error:
            raise CommandError(str(error), returncode=1) from error
        inserted = {table: count["inserted"] for table, count in run.counts.items()}
        self.stdout.write(
            f"{options['account']}: {inserted['enrollment']:,} enrollments of {inserted['person']:,} people in "
            f"{inserted['campaign']:,} campaigns, in {time.monotonic() - began:.0f} seconds."
        )
