"""Room for one drawn company after another in one test."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction


@contextmanager
def undone() -> Iterator[None]:
    """Undo whatever is written inside: rows, and the locks of the temporary tables that went with them."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
