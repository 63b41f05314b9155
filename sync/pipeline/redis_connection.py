"""The Redis that all processes share."""

from functools import cache

import redis
from django.conf import settings


@cache
def redis_connection() -> redis.Redis:
    """Return this process's connection pool to Redis."""
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=10, socket_connect_timeout=5)
