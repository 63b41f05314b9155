"""Django's `migrate`, after a look at where the database stands."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from config.database_server import require_usable_server
from dashboard.files.storage import adopt_files


class Command(migrate.Command):
    """Refuses a database that stopped among migrations which are one today; takes over the files of version 0.1.0."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate; CommandError where only some of the replaced migrations were applied: they are not here any more.

        ImproperlyConfigured where the server is none that Rollcall can use.
        """
        require_usable_server()
        applied = MigrationRecorder(connections[options["database"]]).applied_migrations()
        files = MigrationLoader(None).disk_migrations
        for migration in files.values():
            gone = [replaced for replaced in migration.replaces if replaced not in files]
            if 0 < sum(replaced in applied for replaced in gone) < len(gone):
                raise CommandError(
                    "This database was last migrated by a version before 0.1.0: upgrade it with version 0.1.0 first, "
                    "then with this one."
                )
        super().handle(*args, **options)
        adopt_files(settings.VAR_DIR)
