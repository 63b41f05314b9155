"""Reasons why a file is not made, as sentences for whoever waits for it."""

import errno
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import Error
from django.utils.translation import gettext as _
from psycopg.errors import DiskFull

logger = logging.getLogger(__name__)
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class NotMadeError(Exception):
    """The file cannot be made now; the sentence says why."""


class GivenUpError(NotMadeError):
    """The file cannot be made, now or later; the sentence says why."""


class NoAccessError(NotMadeError):
    """Its reader may not have it any more; the sentence says why."""


@contextmanager
def explained() -> Iterator[None]:
    """Raise NotMadeError, with a sentence, for what a disk, a file or the database's disk refuses inside."""
    try:
        yield
    except OSError as error:
        # Of a full disk the sentence tells all there is.
        logger.warning("A file could not be written: %s", error, exc_info=error.errno not in _FULL)
        raise NotMadeError(_said(error)) from error
    except Error as error:
        if getattr(error.__cause__, "sqlstate", None) != DiskFull.sqlstate:
            raise
        raise NotMadeError(_("The database's disk is full. Try again once whoever runs Rollcall made room.")) from error


def _said(error: OSError) -> str:
    if error.errno in _FULL:
        return _("The disk that files are made on is full. Try again once whoever runs Rollcall made room.")
    if error.errno == errno.EFBIG:
        return _("The file is larger than any may be on this server. Ask for less, or have its limit raised.")
    if error.errno is None:
        return _("The file could not be written.")
    return _("The file could not be written: %(why)s.") % {"why": os.strerror(error.errno)}
