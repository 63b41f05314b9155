#!/usr/bin/env python
"""Run a management command; the embedded services start with it where the environment names no others."""

import os
import sys

from config.local import embedded

# Commands that read no data; everything else needs Postgres and Redis.
WITHOUT_SERVICES = {
    "",
    "help",
    "version",
    "--help",
    "-h",
    "--version",
    "check",
    "collectstatic",
    "compilemessages",
    "diffsettings",
    "findstatic",
    "makemessages",
    "simulator",
}


# Django's own, in whose place something else does what is wanted.
REPLACED = {
    "createsuperuser": "Users come by invitation: run manage.py invite EMAIL --role administrator, which prints a link."
}


def needs_services(arguments: list[str]) -> bool:
    """Return whether a command line needs Postgres and Redis."""
    command = arguments[0] if arguments else ""
    if "--help" in arguments or "-h" in arguments:
        return False
    return command not in WITHOUT_SERVICES or any(word.startswith("--database") for word in arguments)


def main() -> int:
    """Run the command of `sys.argv`; what is wrong with the installation is told in one sentence."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if sys.argv[1:] and sys.argv[1] in REPLACED:
        return complain(REPLACED[sys.argv[1]])
    try:
        import django  # noqa: PLC0415
        from django.core.exceptions import ImproperlyConfigured  # noqa: PLC0415
        from django.core.management import execute_from_command_line  # noqa: PLC0415
        from django.db.utils import OperationalError  # noqa: PLC0415

        from config.schema import require_known_schema  # noqa: PLC0415
    except ModuleNotFoundError as error:
        return complain(f"{error.name} is not installed: run bin/run once, then .venv/bin/python manage.py.")

    try:
        if embedded.is_wanted() and needs_services(sys.argv[1:]):
            embedded.ensure_running()
        if needs_services(sys.argv[1:]):
            django.setup()
            require_known_schema()
        execute_from_command_line(sys.argv)
    except (ImproperlyConfigured, embedded.EmbeddedError) as error:
        return complain(str(error))
    except OperationalError as error:
        # Without a state the server was never reached; anything it said itself deserves its traceback.
        if getattr(error.__cause__, "sqlstate", None):
            raise
        return complain(f"The database does not answer: {str(error).strip().splitlines()[0]}")
    except KeyboardInterrupt:
        return 130
    return 0


def complain(sentence: str) -> int:
    """Print one sentence where errors go and return the exit status."""
    sys.stderr.write(sentence + "\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
