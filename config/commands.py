"""Base of the commands whose output people read."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError


class PlainCommand(BaseCommand):
    """A command whose error, on the command line, is one sentence, without the name of its class before it.

    The exit status is the error's. Called from code, or with `--traceback`, it raises as any command does.
    """

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run it."""
        try:
            return super().execute(*args, **options)
        except CommandError as error:
            if not getattr(self, "_called_from_command_line", False) or options.get("traceback"):
                raise
            self.stderr.write(str(error))
            sys.exit(error.returncode)
