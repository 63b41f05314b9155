"""Filling an account straight from the simulator's world, without HTTP: for benchmarks and for a look at many rows."""

from sync.filling.account import NotFillableError, fill
from sync.filling.size import Size

__all__ = ["NotFillableError", "Size", "fill"]
