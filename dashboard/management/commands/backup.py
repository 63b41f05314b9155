"""`manage.py backup FILE`: the whole installation in one file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from config.commands import PlainCommand
from dashboard.management.backup.archive import BackupError
from dashboard.management.backup.making import back_up


class Command(PlainCommand):
    help = (
        "Write the database and the made files into one new file, while everything runs. It holds personal data, and "
        "of SECRET_KEY only a fingerprint: keep the key somewhere else."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)

    def handle(self, *_: Any, file: Path, **__: Any) -> None:
        try:
            back_up(file, say=self.stdout.write)
        except BackupError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{file}: {file.stat().st_size:,} bytes.")
