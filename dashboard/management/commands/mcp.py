"""The Model Context Protocol over stdin and stdout, for assistants on this machine."""

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from asgiref.sync import async_to_sync
from django.core.management.base import CommandError
from django.utils import timezone
from mcp.server.stdio import stdio_server

from config.commands import PlainCommand
from dashboard import audit
from dashboard.access import Scope
from dashboard.mcp.answering import answer
from dashboard.mcp.reading import Reader, unauthorized
from dashboard.mcp.server import build
from dashboard.models import User
from sync.models import Account

EXIT_MISUSE = 2


class Command(PlainCommand):
    """Nothing but the protocol is written to stdout; what is logged goes to stderr."""

    help = (
        "Answer an AI assistant over stdin and stdout (Model Context Protocol), in the scope of a member. Every call "
        "is in the audit log. Ends when stdin does."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the options."""
        parser.add_argument(
            "--as", dest="reader", metavar="USER", required=True, help="the scope of who signs in with this email"
        )
        parser.add_argument("--account", metavar="NAME", help="which of their accounts; without it the first by name")

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until stdin ends."""
        user = User.objects.called(options["reader"].strip())
        if user is None:
            raise CommandError(f"Nobody signs in as {options['reader']!r}.", returncode=EXIT_MISUSE)
        account = _account(user, options["account"])

        def call(name: str, arguments: Mapping[str, Any]) -> dict[str, Any] | str:
            now = timezone.now()
            # Anew for each call: roles and loans end while an assistant is connected.
            scope = Scope.of(User.objects.get(pk=user.pk), chosen=account.pk, at=now)
            if scope.account != account:
                return str(unauthorized())
            return answer(
                Reader(scope, now),
                name,
                arguments,
                note=lambda called, details: audit.record(
                    audit.Action.API_CALL,
                    account=account,
                    user=user,
                    details={"call": called, **details},
                    through=audit.Through.COMMAND,
                ),
            )

        async def serve() -> None:
            server = build(call)
            async with stdio_server() as (read, write):
                await server.run(read, write, server.create_initialization_options())

        async_to_sync(serve)()


def _account(user: User, name: str | None) -> Account:
    """Return the member's account of that name, or the first; CommandError says what there is instead."""
    accounts = Scope.of(user).accounts
    found = [account for account in accounts if name is None or account.name == name]
    if found:
        return found[0]
    known = ", ".join(account.name for account in accounts) or "none"
    raise CommandError(f"{user.email} has no access to {name or 'any account'}; they have: {known}.", returncode=2)
