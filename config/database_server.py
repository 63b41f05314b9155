"""Requirements on the PostgreSQL server, checked before anything is done with it."""

from django.core.exceptions import ImproperlyConfigured
from django.db import NotSupportedError, connection

from config.processes import WEB_THREADS, WEB_WORKERS, WORKER_CONCURRENCY

OLDEST_VERSION = 15
# Each thread of the web server and each process of the worker keeps one; beat, and commands, have some of their own.
CONNECTIONS = WEB_WORKERS * WEB_THREADS + WORKER_CONCURRENCY + 4

_LIMITS = """
    SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
               - coalesce(current_setting('reserved_connections', true)::int, 0),
           (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user),
           (SELECT datconnlimit FROM pg_database WHERE datname = current_database())
"""


def require_usable_server() -> None:
    """Raise ImproperlyConfigured, with what to do, for a server that is too old or takes too few connections."""
    try:
        connection.ensure_connection()
        version = connection.pg_version  # type: ignore[attr-defined]
    except NotSupportedError:  # so old that Django does not talk to it
        version = connection.connection.info.server_version
    if version < OLDEST_VERSION * 10_000:
        raise ImproperlyConfigured(
            f"The database is PostgreSQL {version // 10_000}: Rollcall needs {OLDEST_VERSION} or newer "
            "(docs/operate/postgres.md)."
        )
    with connection.cursor() as cursor:
        cursor.execute(_LIMITS)
        server, role, database = cursor.fetchone()
    limits = {"max_connections of the server": server, "CONNECTION LIMIT of the role": role}
    limits["CONNECTION LIMIT of the database"] = database
    for name, limit in limits.items():
        # -1 is none.
        if 0 <= limit < CONNECTIONS:
            raise ImproperlyConfigured(
                f"PostgreSQL leaves {limit} connections to Rollcall, whose web server and worker take up to "
                f"{CONNECTIONS}: raise the {name} (docs/operate/postgres.md)."
            )
