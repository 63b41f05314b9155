"""The one way of a file from asked for to forgotten, for every kind of file.

A worker makes it in the scope its reader has at that moment: it writes in a work folder and stores the file only when
it is whole, so one that is killed leaves none behind; the task comes again and starts over, and is given up after a few
times. Two workers never make the same file: whoever makes it holds a lock of the database's, which ends with its
connection.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BufferedRandom
from pathlib import Path
from typing import Any, TypeVar

from django.core.cache import cache
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from config.database_errors import is_away
from dashboard.files import storage
from dashboard.files.errors import GivenUpError, NotMadeError, explained
from dashboard.locks import advisory_lock
from dashboard.models import Delivery, EvidencePack, Export
from dashboard.models.files import MadeFile, StoredFile

logger = logging.getLogger(__name__)

KINDS: tuple[type[StoredFile], ...] = (Export, EvidencePack, Delivery)
# A file that so many workers began and none finished is given up.
MOST_BEGUN = 3
# After so long without a worker it is queued again: a queue may lose what it holds.
FORGOTTEN_AFTER = timedelta(minutes=5)
# Files of no row, and work folders of killed processes, go after this long.
_STRAY_FOR = timedelta(days=1)
# Mails keep no state for a link that ran out: after so long its file is gone for certain.
_LOOKED_FOR = timedelta(days=30)
_Made = TypeVar("_Made", bound=MadeFile)
State = MadeFile.State


@dataclass(frozen=True)
class Work:
    """Place in which a worker makes a file: the file, its path, and a folder for what is needed meanwhile."""

    folder: Path
    path: Path
    file: BufferedRandom


def name_of(row: StoredFile) -> str:
    """Return the name under which a file is stored, or would be."""
    return f"{row.FOLDER}/{row.key}.{row.ending}"


def work_of(row: StoredFile) -> str:
    """Return the name of the work folder that a file is made in."""
    return f"{row.NAME}-{row.key}"


# Making --------------------------------------------------------------------------------------------------------


def make(kind: type[_Made], pk: int, write: Callable[[_Made, Work], None]) -> None:
    """Make one file, unless another worker does or it is done; what cannot be made says why.

    `write` writes it and ends with `finish`. Raises what the database raises when it went away: the task is to come
    again.
    """
    with advisory_lock(f"{kind.NAME} {pk}") as is_alone:
        found = kind._default_manager.select_related("account__published_run", "user").filter(pk=pk)
        row = found.first() if is_alone else None
        if row is None or not row.is_live:
            return
        try:
            with explained():
                begin(row, state=State.WORKING)
                with storage.work_folder(work_of(row)) as folder, storage.new_file(folder / "file") as file:
                    write(row, Work(folder, folder / "file", file))
        except NotMadeError as error:
            logger.warning("%s %s was not made: %s", kind.NAME, pk, type(error.__cause__ or error).__name__)
            found.update(state=State.FAILED, error=str(error))
        except Exception as error:
            if is_away(error):
                raise
            # Whatever it is: the log has it whole, and the page says so, rather than a file that is made for ever.
            logger.exception("%s %s failed", kind.NAME, pk)
            found.update(state=State.FAILED, error=_("Rollcall could not make this file. The worker's log says why."))


def begin(row: StoredFile, **fields: Any) -> None:
    """Note that a worker takes a file up, and remove what a killed one left. GivenUpError after several that did."""
    storage.clear_work(work_of(row))
    if row.begun >= MOST_BEGUN:
        raise GivenUpError(_("It was begun several times and never finished. The worker's log may say why."))
    row.begun += 1
    type(row)._default_manager.filter(pk=row.pk).update(begun=row.begun, **fields)


def finish(row: MadeFile, work: Work, *, rows: int, scope: dict[str, Any], **fields: Any) -> None:
    """Store a whole file and note that it can be had: both or neither. Nothing where it was taken back meanwhile."""
    made, now = storage.whole(work.file), timezone.now()
    with transaction.atomic():
        is_wanted = (
            type(row)
            ._default_manager.filter(pk=row.pk, state=State.WORKING)
            .update(
                state=State.READY,
                bytes=made.bytes,
                sha256=made.sha256,
                rows_done=rows,
                rows_total=rows,
                scope=scope,
                ready_at=now,
                expires_at=now + row.KEPT_FOR,
                **fields,
            )
        )
        # Last: a file whose row cannot be written must not lie there.
        if is_wanted:
            storage.put(work.path, name_of(row))


def note_rows(row: MadeFile, rows: int) -> None:
    """Tell pages how many rows are written so far."""
    cache.set(_progress_of(row), rows, timeout=3600)


def rows_done(row: MadeFile) -> int:
    """Return how many rows are written so far: what the worker last said."""
    if row.state != State.WORKING:
        return row.rows_done
    found = int(cache.get(_progress_of(row), 0))
    return min(found, row.rows_total) if row.rows_total else found


def percent_done(row: MadeFile) -> int | None:
    """Return how much of a file is written, at most 99 as long as it is not ready; None while nobody knows."""
    return min(99, 100 * rows_done(row) // row.rows_total) if row.rows_total else None


def _progress_of(row: MadeFile) -> str:
    return f"{row.NAME}-rows-{row.pk}"


# Upkeep --------------------------------------------------------------------------------------------------------


def forget_expired(kind: type[StoredFile], now: datetime) -> int:
    """Remove the files of a kind whose time is over, and what belongs to no row; return how many expired."""
    rows: Any = kind._default_manager
    latest = now + kind.KEPT_FOR
    # Of a clock that was ahead when it was made.
    rows.filter(expires_at__gt=latest).update(expires_at=latest)
    over, here = rows.filter(expires_at__lte=now), rows.filter(expires_at__gt=now)
    if issubclass(kind, MadeFile):
        over, here = over.filter(state=State.READY), rows.filter(state__in=[*MadeFile.LIVE, State.READY])
    else:
        over = over.filter(expires_at__gt=now - _LOOKED_FOR)
    removed = sum([storage.remove(name_of(row)) for row in over.order_by("pk")])
    expired = over.update(state=State.EXPIRED) if issubclass(kind, MadeFile) else removed
    storage.remove_strangers(kind.FOLDER, {str(key) for key in here.values_list("key", flat=True)}, now - _STRAY_FOR)
    storage.remove_left_work(before=now - _STRAY_FOR)
    return expired


def forgotten(kind: type[MadeFile], now: datetime) -> list[int]:
    """Return the files that no worker finished in minutes; queueing one again that is being made does no harm."""
    waiting = kind._default_manager.filter(state__in=MadeFile.LIVE)
    # Asked for in the future: by a clock that was ahead.
    waiting = waiting.exclude(requested_at__gt=now - FORGOTTEN_AFTER, requested_at__lte=now)
    return list(waiting.order_by("pk").values_list("pk", flat=True))
