"""`manage.py seal_again`: after SECRET_KEY changed, write every stored secret under the new one."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from config.commands import PlainCommand
from dashboard.services.resealing import seal_again


class Command(PlainCommand):
    help = (
        "Write every stored secret (KnowBe4 keys, client secrets of single sign-on, authenticator apps and recovery "
        "codes) under today's SECRET_KEY, in one transaction. Then SECRET_KEY_FALLBACKS can go. It can be run again "
        "at any time. Exit status 1: some cannot be read by any key; they are named and left as they are."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--forget-unreadable",
            action="store_true",
            help="remove what no key reads: keys are entered again, and factors are set up again by their owners",
        )

    def handle(self, *_: Any, forget_unreadable: bool, **__: Any) -> None:
        found = seal_again(forget_unreadable=forget_unreadable)
        for label in found.unreadable:
            self.stdout.write(f"{'Removed' if forget_unreadable else 'Unreadable'}: {label}")
        self.stdout.write(f"{found.anew} secrets sealed again; {found.current} were under today's SECRET_KEY already.")
        if found.unreadable and not forget_unreadable:
            raise CommandError(
                f"{len(found.unreadable)} cannot be read: put the SECRET_KEY that stored them into "
                "SECRET_KEY_FALLBACKS and run this again, or remove them with --forget-unreadable."
            )
