"""One allowance of requests per account, shared by all processes through Redis.

KnowBe4 allows 4 requests a second, a burst of 50 a minute, and 2,000 a day plus one for each licensed user; the day
lasts 24 hours from its first request (KnowBe4's API documentation of September 2025). Seconds and minutes slide: no
span of that length ever sees more than its limit. All clocks are the Redis server's; where it was set back, what it
counted ahead of time is taken as counted now, so nothing is held for longer than its window.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

import redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from sync.knowbe4.errors import BudgetExhausted, Unreachable, moment
from sync.knowbe4.retry import utc_now

T = TypeVar("T")
OnWait = Callable[[float, str], None]

LONGEST_WAIT = 900.0
"""Seconds `acquire` waits at most; a longer hold is an exhausted budget."""

REDIS_PATIENCE = 60.0
"""Seconds Redis may be away."""

REMEMBERED = 1_000

# KEYS: recent grants (newest first, microseconds), day (start, count), hold ("end since", microseconds).
# ARGV: limit and length (microseconds) of second, minute and day; limit 0 is none.
# Returns {"ok"|"second"|"minute"|"day"|"hold", microseconds to wait}.
ACQUIRE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local ends, since = string.match(redis.call('GET', KEYS[3]) or '', '^(%d+) ?(%d*)$')
ends, since = tonumber(ends or '0'), tonumber(since or '0') or 0
if since > now then
  ends = ends - since + now
  redis.call('SET', KEYS[3], string.format('%.0f %.0f', ends, now), 'PX', math.ceil((ends - now) / 1000) + 1)
end
if ends > now then return {'hold', ends - now} end
local day_limit, day_length = tonumber(ARGV[5]), tonumber(ARGV[6])
local start = tonumber(redis.call('HGET', KEYS[2], 'start') or '0')
local count = tonumber(redis.call('HGET', KEYS[2], 'count') or '0')
if now >= start + day_length then start = now count = 0 end
if start > now then
  start = now
  redis.call('HSET', KEYS[2], 'start', string.format('%.0f', start))
end
if tonumber(redis.call('LINDEX', KEYS[1], 0) or '0') > now then
  for place, at in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
    if tonumber(at) <= now then break end
    redis.call('LSET', KEYS[1], place - 1, string.format('%.0f', now))
  end
end
if day_limit > 0 and count >= day_limit then return {'day', start + day_length - now} end
local wait, window = 0, 'ok'
for i, name in ipairs({'second', 'minute'}) do
  local limit, length = tonumber(ARGV[i * 2 - 1]), tonumber(ARGV[i * 2])
  if limit > 0 then
    local oldest = redis.call('LINDEX', KEYS[1], limit - 1)
    if oldest and tonumber(oldest) + length - now > wait then
      wait, window = tonumber(oldest) + length - now, name
    end
  end
end
if wait > 0 then return {window, wait} end
redis.call('LPUSH', KEYS[1], string.format('%.0f', now))
redis.call('LTRIM', KEYS[1], 0, ARGV[7] - 1)
redis.call('PEXPIRE', KEYS[1], math.max(math.ceil(tonumber(ARGV[4]) / 1000), 60000) + 1000)
redis.call('HSET', KEYS[2], 'start', string.format('%.0f', start), 'count', count + 1)
redis.call('PEXPIRE', KEYS[2], math.ceil((start + day_length - now) / 1000) + 1000)
return {'ok', 0}
"""

# KEYS: hold. ARGV: microseconds from now. A hold is only ever made longer.
HOLD = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local ends, since = string.match(redis.call('GET', KEYS[1]) or '', '^(%d+) ?(%d*)$')
ends, since = tonumber(ends or '0'), tonumber(since or '0') or 0
if since > now or now + tonumber(ARGV[1]) > ends then
  local value = string.format('%.0f %.0f', now + tonumber(ARGV[1]), now)
  redis.call('SET', KEYS[1], value, 'PX', math.ceil(tonumber(ARGV[1]) / 1000) + 1)
end
return 1
"""

# KEYS: recent grants, day. ARGV: length of the day. Returns {grants in the last minute, in the day, us to its end}.
USAGE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local minute = 0
for _, at in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
  if tonumber(at) <= now - 60000000 then break end
  minute = minute + 1
end
local start = tonumber(redis.call('HGET', KEYS[2], 'start') or '0')
local left = math.min(start, now) + tonumber(ARGV[1]) - now
if left <= 0 then return {minute, 0, 0} end
return {minute, tonumber(redis.call('HGET', KEYS[2], 'count') or '0'), left}
"""


@dataclass(frozen=True)
class Windows:
    """Lengths of the windows, in seconds.

    Second and minute are a little longer than their names: KnowBe4 counts when requests arrive, we when they leave.
    """

    second: float = 1.2
    minute: float = 61.0
    day: float = 86_400.0


@dataclass(frozen=True)
class Usage:
    """Requests in the last minute and in the current day; `day_resets_at` (UTC) is None while no day has begun."""

    minute: int
    day: int
    day_limit: int | None
    day_resets_at: datetime | None


class Pacer:
    """Lets requests of one account through no faster than KnowBe4 allows, over all processes.

    A limit of None does not limit; with no limit at all Redis is never asked. `redis_patience` is how many seconds
    Redis may be away before Unreachable is raised.
    """

    def __init__(
        self,
        redis: redis.Redis,
        account: str,
        *,
        per_second: int | None = 4,
        per_minute: int | None = 50,
        per_day: int | None = 2000,
        windows: Windows | None = None,
        redis_patience: float = REDIS_PATIENCE,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        for limit in (per_second, per_minute, per_day):
            if limit is not None and limit < 1:
                raise ValueError("A limit of requests is at least 1, or None for no limit.")
        self.per_second, self.per_minute, self.per_day = per_second, per_minute, per_day
        self.windows = windows or Windows()
        self.redis_patience = redis_patience
        self.is_limited = any((per_second, per_minute, per_day))
        self._sleep, self._now = sleep, now
        prefix = f"rollcall:pace:{{{account}}}"
        self._recent, self._day, self._hold = f"{prefix}:recent", f"{prefix}:day", f"{prefix}:hold"
        if self.is_limited:
            self._acquire = redis.register_script(ACQUIRE)
            self._block = redis.register_script(HOLD)
            self._usage = redis.register_script(USAGE)

    def acquire(self, on_wait: OnWait | None = None) -> None:
        """Wait until a request is allowed, and count it.

        `on_wait` is told each wait: seconds and the window's name ("second", "minute", or "hold" after a 429). Raises
        BudgetExhausted when the day's allowance is used up or a hold lasts more than 15 minutes, Unreachable when Redis
        stays away.
        """
        if not self.is_limited:
            return
        windows = self.windows
        arguments = [
            *(self.per_second or 0, _microseconds(windows.second)),
            *(self.per_minute or 0, _microseconds(windows.minute)),
            *(self.per_day or 0, _microseconds(windows.day)),
            max(REMEMBERED, self.per_second or 0, self.per_minute or 0),
        ]
        while True:
            name, microseconds = self._ask(
                lambda: self._acquire(keys=[self._recent, self._day, self._hold], args=arguments)
            )
            window = name.decode() if isinstance(name, bytes) else str(name)
            if window == "ok":
                return
            wait = int(microseconds) / 1e6
            if window == "day" or wait > LONGEST_WAIT:
                until = self._now() + timedelta(seconds=wait)
                raise BudgetExhausted(
                    f"The allowance of requests to KnowBe4 is used up: the next is possible at {moment(until)}.",
                    until=until,
                )
            if on_wait:
                on_wait(wait, window)
            self._sleep(wait)

    def blocked_until(self, until: datetime) -> None:
        """Hold every process's requests of this account until `until`; a longer hold stays."""
        microseconds = _microseconds((until - self._now()).total_seconds())
        if self.is_limited and microseconds > 0:
            self._ask(lambda: self._block(keys=[self._hold], args=[microseconds]))

    def usage(self) -> Usage:
        """Return how much of the allowance is used; zeros when nothing is limited, since nothing is counted then."""
        if not self.is_limited:
            return Usage(0, 0, None, None)
        minute, day, left = self._ask(
            lambda: self._usage(keys=[self._recent, self._day], args=[_microseconds(self.windows.day)])
        )
        resets_at = self._now() + timedelta(microseconds=left) if left else None
        return Usage(minute, day, self.per_day, resets_at)

    def _ask(self, question: Callable[[], Any]) -> Any:
        """Return Redis' answer, waiting while it is away."""
        deadline = time.monotonic() + self.redis_patience
        pause = 0.1
        while True:
            try:
                return question()
            except (RedisConnectionError, RedisTimeoutError):
                if time.monotonic() + pause > deadline:
                    break
            time.sleep(pause)
            pause = min(pause * 2, 2.0)
        raise Unreachable(
            "Redis, which paces the requests to KnowBe4, cannot be reached: check REDIS_URL and that it runs."
        )


def _microseconds(seconds: float) -> int:
    return round(seconds * 1e6)
