"""Migrations that the database has seen, and those of them that this version of Rollcall does not know."""

import logging
import sys
from collections.abc import Iterable
from pathlib import Path

import django
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.utils import OperationalError, ProgrammingError

logger = logging.getLogger(__name__)

Migration = tuple[str, str]


def applied_migrations() -> set[Migration]:
    """Return app and name of every migration that the database has seen; none for a new one."""
    return set(MigrationRecorder(connection).applied_migrations())


def unknown_migrations(applied: Iterable[Migration]) -> list[Migration]:
    """Return those that are neither here nor replaced by one that is, sorted. Apps that are not installed do not count.

    Reading the files' names is enough nearly always; what they replace is loaded only where a name is missing.
    """
    installed = {app.label: Path(app.path) for app in apps.get_app_configs()}
    missing = {(app, name) for app, name in applied if app in installed and not _is_here(installed[app], name)}
    if missing:
        known = MigrationLoader(None).disk_migrations.values()
        missing -= {replaced for migration in known for replaced in migration.replaces}
    return sorted(missing)


def require_known_schema() -> None:
    """Raise ImproperlyConfigured, with what to do, where a newer Rollcall has migrated the database."""
    try:
        unknown = unknown_migrations(applied_migrations())
    except ProgrammingError as error:
        raise ImproperlyConfigured(
            f"The database's migrations cannot be read ({str(error).strip()}): run manage.py migrate first."
        ) from error
    if unknown:
        listed = ", ".join(f"{app} {name}" for app, name in unknown[:3]) + (" and more" if len(unknown) > 3 else "")
        raise ImproperlyConfigured(
            f"The database was migrated by a newer Rollcall ({listed}): start that version, or restore a backup made "
            "before the upgrade (docs/operate/upgrade.md)."
        )


def exit_on_newer_schema() -> None:
    """End this process with a sentence, and status 4, where a newer Rollcall has migrated the database.

    A database that does not answer yet is waited for by whoever asks it next. gunicorn takes the status for "will not
    load" and ends, instead of starting the worker again and again.
    """
    if not apps.ready:
        django.setup()
    try:
        require_known_schema()
    except ImproperlyConfigured as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(4)
    except OperationalError as error:
        logger.warning("The database does not answer, so its version is not known: %s", error)
    finally:
        connection.close()


def _is_here(folder: Path, name: str) -> bool:
    return (folder / "migrations" / f"{name}.py").exists()
