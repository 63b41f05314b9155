"""Redis as the cache: limits, searches and progress. Nothing that must not be lost is kept in it."""

import logging
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.cache.backends.redis import RedisCache
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

logger = logging.getLogger(__name__)

# Seconds for which a Redis that did not answer is not asked again, and in which the log says so once.
NOT_ASKED_FOR, SAID_FOR = 5.0, 60.0


def _or(value: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator: answer with `value` of the arguments where Redis is away, full or read-only."""

    def decorate(method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def guarded(self: "OptionalRedisCache", *args: Any, **kwargs: Any) -> Any:
            if time.monotonic() < self.asked_again_at:
                return value(*args, **kwargs)
            try:
                return method(self, *args, **kwargs)
            except RedisError as error:
                self.note(error)
                return value(*args, **kwargs)

        return guarded

    return decorate


class OptionalRedisCache(RedisCache):
    """Answers as an empty cache that forgets at once where Redis cannot: limits count nothing and refuse nobody."""

    asked_again_at = said_again_at = 0.0

    def note(self, error: RedisError) -> None:
        """Say in the log that Redis does not answer, now and then; leave it alone for a moment if it is away."""
        now = time.monotonic()
        if isinstance(error, RedisConnectionError | RedisTimeoutError):
            self.asked_again_at = now + NOT_ASKED_FOR
        if now >= self.said_again_at:
            self.said_again_at = now + SAID_FOR
            logger.warning(
                "Redis does not keep what the pages need (%s: %s): limits on requests and sign-ins are not counted "
                "meanwhile, and searches are forgotten.",
                type(error).__name__,
                error,
            )

    add = _or(lambda *args, **kwargs: True)(RedisCache.add)
    get = _or(lambda key, default=None, version=None: default)(RedisCache.get)
    set = _or(lambda *args, **kwargs: None)(RedisCache.set)
    touch = _or(lambda *args, **kwargs: False)(RedisCache.touch)
    delete = _or(lambda *args, **kwargs: False)(RedisCache.delete)
    get_many = _or(lambda *args, **kwargs: {})(RedisCache.get_many)
    has_key = _or(lambda *args, **kwargs: False)(RedisCache.has_key)
    incr = _or(lambda key, delta=1, version=None: delta)(RedisCache.incr)
    set_many = _or(lambda *args, **kwargs: [])(RedisCache.set_many)
    delete_many = _or(lambda *args, **kwargs: None)(RedisCache.delete_many)
