"""Random numbers that are the same every time: keyed by name, never by the order of asking."""

import random
import zlib
from datetime import UTC, datetime

from .timestamps import DAY


def seeded(*key: object) -> random.Random:
    """Return a generator whose sequence depends on nothing but `key`, the same in every process."""
    return random.Random(":".join(map(str, key)))


def noise(*key: object) -> float:
    """Return one number in [0, 1) that belongs to `key`; cheaper than a generator of its own."""
    return zlib.crc32(":".join(map(str, key)).encode()) / 4_294_967_296


def office_hours(rng: random.Random, first: int, last: int) -> int:
    """Return a moment of a weekday between 08:00 and 17:59 UTC in [first, last); near `last` when nothing fits."""
    for _ in range(8):
        day = (first + int(rng.random() * (last - first))) // DAY * DAY
        if datetime.fromtimestamp(day, UTC).weekday() >= 5:
            continue
        at = day + 28_800 + int(rng.random() * 36_000)
        if first <= at < last:
            return at
    return last - 1


def about(rng: random.Random, expected: float) -> int:
    """Return a whole number near `expected`: its floor, or one more with the chance of the remainder."""
    whole = int(expected)
    return whole + (rng.random() < expected - whole)
