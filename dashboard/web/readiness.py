"""Readiness of this installation: what is missing, each thing as a sentence."""

import os
import shutil
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import Error, connection
from redis.exceptions import RedisError

from config import heartbeats
from dashboard.queries.sync_status import is_outdated
from sync.models import Account

# Free bytes below which made files, and with the embedded Postgres the database, are about to fail.
LEAST_ROOM = 256 * 1024 * 1024


def missing(now: datetime) -> dict[str, str]:
    """Return what is missing, by name: database, redis, worker, beat, room, sync. Empty when all is well.

    What cannot be asked because something else is missing is not named: without Redis nobody knows of the worker.
    """
    found: dict[str, str] = {}
    for check in (_database, _processes, _room):
        found |= check()
    if "database" not in found:
        found |= _syncs(now)
    return found


def _database() -> dict[str, str]:
    """Ask on a connection of its own: one that is kept could wait for a server that says nothing any more."""
    probe = connection.copy()
    try:
        with probe.cursor() as cursor:
            cursor.execute("SELECT current_setting('transaction_read_only') = 'on'")
            is_read_only = cursor.fetchone()[0]
    except Error as error:
        return {"database": f"Postgres does not answer ({type(error).__name__})."}
    finally:
        probe.close()
    return {"database": "Postgres takes nothing: it is read-only."} if is_read_only else {}


def _processes() -> dict[str, str]:
    says = {
        heartbeats.WORKER: "No worker has answered for a minute.",
        heartbeats.BEAT: "Beat has queued nothing for two minutes.",
    }
    try:
        return {name: says[name] for name in heartbeats.silent()}
    except RedisError as error:
        return {"redis": f"Redis does not answer, or takes nothing ({type(error).__name__})."}


def _room() -> dict[str, str]:
    """Look where made files lie and, with the embedded Postgres, at `var/`; all else of a container is read-only."""
    place = _existing(Path(settings.MEDIA_ROOT))
    if not os.access(place, os.W_OK | os.X_OK):
        return {"room": "Files cannot be written where they are made (MADE_FILES_DIR)."}
    places = [place, _existing(Path(settings.VAR_DIR))] if settings.LOCAL_MODE else [place]
    free = min(shutil.disk_usage(each).free for each in places)
    if free >= LEAST_ROOM:
        return {}
    return {"room": f"{free // 1024**2} MB are free where files are made; {LEAST_ROOM // 1024**2} are needed."}


def _existing(place: Path) -> Path:
    """Return a directory, or the nearest above it that is there."""
    return next(each for each in (place, *place.parents) if each.exists())


def _syncs(now: datetime) -> dict[str, str]:
    count = sum(is_outdated(account, now=now) for account in Account.objects.order_by("pk"))
    if not count:
        return {}
    return {"sync": f"Accounts whose last published sync is older than twice their interval: {count}."}
