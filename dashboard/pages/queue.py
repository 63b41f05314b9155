"""Handing work to the Celery workers: pages queue tasks by name and wait for none."""

from typing import Any

from django.db import transaction
from kombu.exceptions import OperationalError

from config.celery import app


class QueueUnreachableError(Exception):
    """The queue did not take the request: Redis is down or refuses."""


def send(task: str, **arguments: Any) -> None:
    """Queue a task once the transaction is committed. QueueUnreachableError when the queue does not take it."""
    try:
        transaction.on_commit(lambda: app.send_task(task, kwargs=arguments))
    except OperationalError as error:
        raise QueueUnreachableError from error
