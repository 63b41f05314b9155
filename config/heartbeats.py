"""Signs of life of workers and beat: keys in Redis that end by themselves, so no clock is compared with another."""

import logging
from functools import cache
from typing import Any

import redis
from celery import bootsteps
from celery.signals import after_task_publish
from django.conf import settings

logger = logging.getLogger(__name__)

WORKER, BEAT = "worker", "beat"
# How often a worker signs, in seconds. Beat signs with each task it queues: twice a minute.
EVERY = 15.0
# Seconds after which a process that has not signed is taken to be gone.
_HOLDS = {WORKER: 60, BEAT: 120}


def sign(name: str) -> None:
    """Note that a process of this name is at work; where Redis does not take that, it counts as gone."""
    try:
        _redis().set(f"alive:{name}", "1", ex=_HOLDS[name])
    except redis.RedisError as error:
        logger.warning("The sign of life of %s could not be kept: %s", name, type(error).__name__)


def silent() -> list[str]:
    """Return which of worker and beat have not signed lately. RedisError where Redis takes nothing or is away."""
    client = _redis()
    # Full, or read-only, it would take no task either.
    client.set("alive:pages", "1", ex=60)
    return [name for name in _HOLDS if not client.exists(f"alive:{name}")]


class Signing(bootsteps.StartStopStep):
    """The worker's part: signs as long as its connection to the queue stands, however busy its processes are."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def start(self, parent: Any) -> None:
        """Sign now and from now on; called again after each time the connection was lost."""
        sign(WORKER)
        parent.timer.call_repeatedly(EVERY, sign, (WORKER,))


def sign_as_beat() -> None:
    """Sign for beat now, and whenever it has queued a task."""
    sign(BEAT)
    after_task_publish.connect(_queued, weak=False)


def _queued(**_: Any) -> None:
    sign(BEAT)


@cache
def _redis() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)
