"""A random sample that anybody can draw again: the rule stands in every pack's README, and once more in `verify.py`.

The ids are ordered by the SHA-256, in hexadecimal, of the text "seed:id"; the first so many are the sample. The order
is as good as random to whoever does not choose the seed to fit, and depends on nothing but the seed and the ids.
"""

import hashlib
import heapq
from collections.abc import Iterable


def rank(seed: str, key: int) -> str:
    """Return what ids are ordered by."""
    return hashlib.sha256(f"{seed}:{key}".encode()).hexdigest()


def draw(keys: Iterable[int], *, seed: str, size: int) -> list[int]:
    """Return so many of the ids, in the sample's order; all of them where there are no more."""
    return [key for _rank, key in heapq.nsmallest(size, ((rank(seed, key), key) for key in keys))]
