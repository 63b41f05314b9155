"""`manage.py simulator`: serve the simulated KnowBe4. Needs no database."""

import errno
import gc
import signal
import sys
import threading
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sync.simulator import DISGUISES, FAULTS, STYLES, Company, Limits, UnknownDisguiseError, UnknownFaultError, serve


def _epilog() -> str:
    """Return the lists of faults, cursor styles and disguises, for the help."""
    faults = "\n".join(f"  {name:<26}{text}" for name, text in FAULTS.items())
    styles = "\n".join(f"  {name:<26}{text}" for name, text in STYLES.items())
    options = "  NAME[:times=N,after=N,resource=NAME,seconds=N,share=X,rows=N]"
    disguises = "\n".join(f"  {name:<28}{disguise.text}" for name, disguise in DISGUISES.items())
    return f"faults:\n{options}\n{faults}\n\ncursor styles:\n{styles}\n\ndisguises:\n{disguises}"


class Command(BaseCommand):
    """Serves until it is interrupted."""

    help = "Serve a simulated KnowBe4 on 127.0.0.1: an invented company with three years of history."
    requires_system_checks: list[str] = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        """Return the parser; the help ends with the lists of `_epilog`, as they are laid out."""
        kwargs |= {"epilog": _epilog(), "formatter_class": RawDescriptionHelpFormatter}
        return super().create_parser(prog_name, subcommand, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the options."""
        parser.add_argument("--port", type=int, required=True, help="port to serve on; 0 picks a free one")
        parser.add_argument("--people", type=int, default=1842, help="active people about November 2026 (default 1842)")
        parser.add_argument("--seed", type=int, default=7, help="another seed is another company (default 7)")
        parser.add_argument("--enrollments", type=int, help="aim for about so many enrollments in three years")
        parser.add_argument("--campaigns", type=int, help="aim for about so many campaigns in three years")
        parser.add_argument("--departments", type=int, default=14, help="1 to 126 departments (default 14)")
        parser.add_argument("--at", help="stop the clock at this ISO 8601 moment; UTC unless it says otherwise")
        parser.add_argument("--speed", type=float, help="let the clock run so many times as fast as real time")
        parser.add_argument("--cursor-style", choices=list(STYLES), default="pagination", help="see below")
        parser.add_argument("--fault", nargs="+", action="extend", default=[], metavar="NAME", help="see below")
        parser.add_argument(
            "--disguise",
            nargs="+",
            action="extend",
            default=[],
            metavar="NAME",
            help="disagree with KnowBe4's documentation; see below",
        )
        parser.add_argument("--no-limits", action="store_true", help="answer any number of requests")
        parser.add_argument(
            "--key", default="simulator-key", help="the API key that is accepted (default simulator-key)"
        )
        parser.add_argument("--trial", action="store_true", help="be a trial account, whose account lacks three keys")
        parser.add_argument("--reject-large-pages", action="store_true", help="answer per_page above 500 with 400")
        parser.add_argument(
            "--message",
            nargs="+",
            action="extend",
            default=[],
            metavar="STATUS=TEXT",
            help="the text of an error status",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until SIGINT or SIGTERM."""
        gc.set_threshold(200_000, 50, 1_000)  # history is built of what stays: looking for garbage in it takes longer
        try:
            company = Company(
                options["seed"],
                options["people"],
                enrollments=options["enrollments"],
                campaigns=options["campaigns"],
                departments=options["departments"],
            )
        except ValueError as error:
            raise CommandError(str(error), returncode=2) from error
        at = _moment(options["at"])
        company.enrollment_count(at or datetime.now(UTC))
        seats = company.account(at or datetime.now(UTC)).number_of_seats
        try:
            simulator = serve(
                company,
                port=options["port"],
                key=options["key"],
                at=at,
                speed=options["speed"],
                cursor_style=options["cursor_style"],
                faults=options["fault"],
                limits=None if options["no_limits"] else Limits(seats=seats),
                trial=options["trial"],
                clamp=not options["reject_large_pages"],
                messages=_messages(options["message"]),
                disguises=options["disguise"],
            )
        except (UnknownFaultError, UnknownDisguiseError) as error:
            raise CommandError(str(error), returncode=2) from error
        except (OSError, OverflowError) as error:
            raise CommandError(_port_trouble(options["port"], error), returncode=2) from error
        simulator.warm()
        gc.freeze()
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        self.stdout.write(f"KnowBe4 simulator: {simulator.url}")
        sys.stdout.flush()
        self.stdout.flush()
        stop.wait()
        simulator.stop()


def _moment(text: str | None) -> datetime | None:
    """Return the moment meant by an option, in UTC unless it says otherwise."""
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(
            f"--at needs an ISO 8601 moment such as 2026-11-17T10:42:00Z, not {text!r}.", returncode=2
        ) from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _messages(pairs: list[str]) -> dict[int, str]:
    """Return the texts by status. Raises CommandError for anything that is not STATUS=TEXT."""
    found = {}
    for pair in pairs:
        status, equals, text = pair.partition("=")
        if not status.isdigit() or not equals:
            raise CommandError(f"--message needs STATUS=TEXT such as 429=Slow down, not {pair!r}.", returncode=2)
        found[int(status)] = text
    return found


def _port_trouble(port: int, error: OSError | OverflowError) -> str:
    """Return one sentence on why a port cannot be served on."""
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return f"Port {port} is in use: stop what listens there, or choose another with --port (0 picks a free one)."
    if isinstance(error, OSError) and error.errno == errno.EACCES:
        return f"Port {port} needs more rights than this user has: choose one above 1023 with --port."
    return f"Port {port} cannot be served on: {error}."
