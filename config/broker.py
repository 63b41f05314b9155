"""Celery's connection to its queue: kombu's, made to outlive a connection lost while a task is at work."""

from typing import Any

from kombu.transport import TRANSPORT_ALIASES, redis
from redis.exceptions import ConnectionError as LostError


class Channel(redis.Channel):
    """A channel that says what happened when it is closed once more after its connection was given up.

    The first attempt to close it fails with the connection; the second, which gives back what is not acknowledged,
    finds no address any more. Celery ignores a lost connection, and ended the worker for kombu's AttributeError.
    """

    def _connparams(self, *args: Any, **kwargs: Any) -> Any:
        if self.connection.client is None:
            raise LostError("the connection to the queue was given up")
        return super()._connparams(*args, **kwargs)


class Transport(redis.Transport):
    """Kombu's transport with channels of ours."""

    Channel = Channel


def use() -> None:
    """Have every address of a Redis reached this way, whether by network or by socket."""
    TRANSPORT_ALIASES.update(dict.fromkeys(("redis", "rediss"), f"{__name__}:Transport"))
