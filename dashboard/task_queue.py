"""Handing work to the Celery workers so that a queue that is away, full or emptied loses none of it.

Whoever asks for a task writes it down in the transaction of the act (`send`). It is queued when that is committed;
where the queue does not take it, or loses it, beat queues it again (`queue_again`), at growing intervals, until a
worker has ended it. Of a task that is queued twice the second finds nothing to do.
"""

import logging
from datetime import datetime, timedelta
from typing import Any

from celery import Task, states
from celery.exceptions import Ignore
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from kombu.exceptions import OperationalError as QueueError
from redis.exceptions import RedisError

from config.celery import app
from config.database_errors import is_away
from dashboard.models import AskedTask

logger = logging.getLogger(__name__)

# A task that no worker took up is queued again after this long, then after as long as it has been waiting.
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(hours=1)
# One that a worker took up is queued again after this long: whatever takes longer holds a lock of its own.
AT_WORK_FOR = timedelta(minutes=10)
# Queued again at one time.
AT_ONCE = 200
_ID = "asked-"


def send(task: str, **arguments: Any) -> None:
    """Write down that a task is to be carried out, and queue it once the transaction is committed.

    It is carried out even if the queue does not answer then. The arguments must be JSON.
    """
    now = timezone.now()
    asked = AskedTask.objects.create(task=task, arguments=arguments, asked_at=now, queue_again_at=now + FIRST_WAIT)
    transaction.on_commit(lambda: _queue(asked), robust=True)


def queue_again(now: datetime) -> int:
    """Queue the tasks that no worker took up in time; return how many. It stops where the queue refuses one.

    A moment further ahead than any wait was written by a clock that was wrong: that task is due, too.
    """
    due = Q(queue_again_at__lte=now) | Q(queue_again_at__gt=now + LONGEST_WAIT)
    count = 0
    for asked in AskedTask.objects.filter(due).order_by("pk")[:AT_ONCE]:
        if not _queue(asked):
            break
        wait = min(max(now - asked.asked_at, FIRST_WAIT), LONGEST_WAIT)
        AskedTask.objects.filter(pk=asked.pk, queue_again_at=asked.queue_again_at).update(queue_again_at=now + wait)
        count += 1
    return count


def asked_at(task_id: str) -> datetime | None:
    """Return when somebody asked for the task that a message carries out; None once it has ended, and for any other."""
    key = _key(task_id)
    return None if key is None else AskedTask.objects.filter(pk=key).values_list("asked_at", flat=True).first()


def claim(task_id: str) -> bool:
    """Forget a task just before the act that must not happen twice; False where another worker did."""
    key = _key(task_id)
    return key is not None and bool(AskedTask.objects.filter(pk=key).delete()[0])


def _queue(asked: AskedTask) -> bool:
    """Hand a task to the queue; False, and a line in the log, where it does not take it."""
    try:
        # Beat tries again: whoever asked need not wait for more than one attempt.
        app.send_task(asked.task, kwargs=asked.arguments, task_id=f"{_ID}{asked.pk}", retry=False)
    except (QueueError, RedisError, OSError) as error:
        logger.warning("The queue did not take %s (%s); it is queued again by itself.", asked, type(error).__name__)
        return False
    return True


class AskedTaskBase(Task):
    """Base of all tasks: notes of one that was asked for by `send` that it was taken up, and that it has ended."""

    abstract = True

    def before_start(self, task_id: str, args: Any, kwargs: Any) -> None:
        """Note that a worker took it up. Ignore where it has ended already."""
        key = _key(task_id)
        if key is None:
            return
        at_work = AskedTask.objects.filter(pk=key).update(queue_again_at=timezone.now() + AT_WORK_FOR)
        if not at_work:
            raise Ignore

    def after_return(self, status: str, retval: Any, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
        """Forget it, unless it is to be tried again or the database went away under it."""
        key = _key(task_id)
        if key is None or status == states.RETRY or is_away(retval):
            return
        AskedTask.objects.filter(pk=key).delete()


def _key(task_id: str) -> int | None:
    """Return the key of the asked task that a message carries out; None for any other."""
    number = task_id.removeprefix(_ID)
    return int(number) if task_id.startswith(_ID) and number.isdecimal() else None
