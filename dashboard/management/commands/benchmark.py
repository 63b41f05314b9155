"""Measures what the product promises of speed, and prints a table."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.models import Count
from django.utils import timezone
from rich.console import Console
from rich.table import Table

from config.memory import keep_what_is_loaded
from dashboard.benchmark import (
    measure_api,
    measure_exports,
    measure_mcp,
    measure_pages,
    measure_queries,
    measure_reports,
)
from dashboard.benchmark.static_files import collect_missing
from sync.benchmark.figures import Figure
from sync.benchmark.paced import measure_paced
from sync.benchmark.whole_sync import measure_sync
from sync.models import Account

NOTHING_FILLED = "Nothing is filled to query: run manage.py fill --enrollments 1000000 first."


class Command(BaseCommand):
    """Queries, pages and files are measured on what is filled, syncs in a database of their own."""

    help = (
        "Measure queries, pages, exports and reports on the account that holds most enrollments (see manage.py fill), "
        "and syncs of a simulated company over HTTP. Syncs make a database of their own and drop it again; the "
        "installation's data is only read. Figures vary with the machine: compare ratios of one run."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the options."""
        parser.add_argument("--json", action="store_true", help="print the figures as JSON")
        parser.add_argument(
            "--only", choices=["queries", "pages", "api", "mcp", "exports", "reports", "sync"], help="measure only this"
        )
        parser.add_argument("--account", help="all but sync: the account (default: the one with most enrollments)")
        parser.add_argument(
            "--runs", type=int, default=40, help="all but files and syncs: ask each so often (default 40)"
        )
        parser.add_argument("--page", default="", help="pages: only those whose name begins so")
        parser.add_argument(
            "--people", type=int, default=50_000, help="sync: active people of the company (default 50,000)"
        )
        parser.add_argument(
            "--enrollments", type=int, default=1_000_000, help="sync: about so many (default a million)"
        )
        parser.add_argument(
            "--paced", action="store_true", help="sync: also one at 50 requests a minute: takes three minutes"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure and print; what is under way is told on the way out of errors."""
        say = Console(file=sys.stderr).print
        # As the web server does when it has started.
        keep_what_is_loaded()
        figures: list[Figure] = []
        if options["only"] != "sync":
            account = _account_to_query(options["account"])
            if account:
                figures += _filled_figures(account, options, say)
            elif options["only"]:
                raise CommandError(NOTHING_FILLED, returncode=1)
            else:
                say(NOTHING_FILLED)
        if options["only"] in {None, "sync"}:
            figures += _sync_figures(options, say)
        if options["json"]:
            self.stdout.write(json.dumps([figure.as_json() for figure in figures], indent=2))
        else:
            Console().print(_table(figures))


def _account_to_query(name: str | None) -> Account | None:
    """Return the published account of that name, else the one with most enrollments.

    CommandError for an unknown name.
    """
    published = Account.objects.exclude(published_at=None)
    if name:
        named = published.filter(name=name).first()
        if named is None:
            raise CommandError(f"There is no account named {name!r} with published data.", returncode=1)
        return named
    return published.annotate(rows=Count("enrollment")).filter(rows__gt=0).order_by("-rows", "pk").first()


def _filled_figures(account: Account, options: dict[str, Any], say: Callable[[str], None]) -> list[Figure]:
    """Measure what is asked of a filled account."""
    figures: list[Figure] = []
    if options["only"] in {None, "queries"}:
        figures += measure_queries(account, now=timezone.now(), say=say, runs=options["runs"])
    if options["only"] in {None, "pages"}:
        collect_missing(say)
        figures += measure_pages(account, now=timezone.now(), say=say, runs=options["runs"], only=options["page"])
    if options["only"] in {None, "api"}:
        figures += measure_api(account, now=timezone.now(), say=say, runs=options["runs"])
    if options["only"] in {None, "mcp"}:
        figures += measure_mcp(account, now=timezone.now(), say=say, runs=options["runs"])
    if options["only"] in {None, "exports"}:
        figures += measure_exports(account, now=timezone.now(), say=say)
    if options["only"] in {None, "reports"}:
        figures += measure_reports(account, now=timezone.now(), say=say, runs=min(options["runs"], 20))
    return figures


def _sync_figures(options: dict[str, Any], say: Callable[[str], None]) -> list[Figure]:
    """Measure syncs in a new database, and drop it."""
    name = connection.settings_dict["NAME"]
    connection.settings_dict["TEST"]["NAME"] = f"{name}_benchmark"
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        figures = measure_sync(people=options["people"], enrollments=options["enrollments"], say=say)
        if options["paced"]:
            figures += measure_paced(say=say)
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)
    return figures


def _table(figures: list[Figure]) -> Table:
    table = Table("figure", "measured", "goal", "", "beside it", box=None, pad_edge=False)
    for figure in figures:
        met = {True: "met", False: "missed", None: ""}[figure.is_met]
        table.add_row(figure.name, figure.measured, figure.goal, met, figure.remarks)
    return table
