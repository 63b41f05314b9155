"""Measures what the product promises of speed, in a database of its own, and prints a table."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection
from rich.console import Console
from rich.table import Table

from sync.benchmark.figures import Figure
from sync.benchmark.paced import measure_paced
from sync.benchmark.whole_sync import measure_sync


class Command(BaseCommand):
    help = (
        "Measure syncs of a simulated company over HTTP. Makes a database of its own and drops it again; the "
        "installation's data is not touched. Figures vary with the machine: compare ratios of one run."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the figures as JSON")
        parser.add_argument("--people", type=int, default=50_000, help="active people of the company (default 50,000)")
        parser.add_argument("--enrollments", type=int, default=1_000_000, help="about so many (default a million)")
        parser.add_argument(
            "--paced", action="store_true", help="also sync at 50 requests a minute: takes three minutes"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        console = Console(file=sys.stderr)
        connection.settings_dict["TEST"]["NAME"] = f"{connection.settings_dict['NAME']}_benchmark"
        name = connection.settings_dict["NAME"]
        connection.creation.create_test_db(verbosity=0, autoclobber=True)
        try:
            figures = measure_sync(people=options["people"], enrollments=options["enrollments"], say=console.print)
            if options["paced"]:
                figures += measure_paced(say=console.print)
        finally:
            connection.creation.destroy_test_db(name, verbosity=0)
        if options["json"]:
            self.stdout.write(json.dumps([figure.as_json() for figure in figures], indent=2))
        else:
            Console().print(_table(figures))


def _table(figures: list[Figure]) -> Table:
    table = Table("figure", "measured", "goal", "", box=None, pad_edge=False)
    for figure in figures:
        table.add_row(
            figure.name, figure.measured, figure.goal, {True: "met", False: "missed", None: ""}[figure.is_met]
        )
    return table
