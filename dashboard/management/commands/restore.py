"""`manage.py restore FILE`: a backup into an empty installation."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from config.commands import PlainCommand
from dashboard.management.backup.archive import BackupError
from dashboard.management.backup.making import restore


class Command(PlainCommand):
    help = (
        "Restore a backup into the empty database of this installation, before anything else is started, on the same "
        "or a newer PostgreSQL; then prove that rows and audit log are the same. Nothing is overwritten."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument(
            "--other-key", action="store_true", help="though SECRET_KEY is another: stored secrets are lost"
        )

    def handle(self, *_: Any, file: Path, other_key: bool, **__: Any) -> None:
        try:
            restore(file, other_key=other_key, say=self.stdout.write)
        except BackupError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{file} is restored.")
